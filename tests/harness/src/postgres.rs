//! A PostgreSQL server for one test.

use std::ffi::OsStr;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use sqlx::PgPool;
use tempfile::TempDir;

use super::{INSTALL, PORT_TAKEN, Service, free_port, send_signal};

/// PostgreSQL prints this once it has recovered its data and answers queries.
const READY: &str = "database system is ready to accept connections";

/// The search for the highest installed version begins here, far above any that exists.
const MAX_VERSION: u32 = 99;

/// No Unix socket, whose path may be too long: TCP suffices. Shared memory mapped from the data
/// folder is deleted with it, while other kinds outlive a SIGKILL. One sync of the whole file system
/// makes recovery several times faster than a sync of each file, and is as safe.
const SETTINGS: [&str; 5] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "shared_buffers=16MB",
    "dynamic_shared_memory_type=mmap",
    "recovery_init_sync_method=syncfs",
];

/// The user and group that run the server if we are root, because PostgreSQL refuses to run as root.
static SERVER_USER: LazyLock<Option<(u32, u32)>> = LazyLock::new(|| {
    let we_are_root = id(&["-u"]) == Some(0);
    we_are_root.then_some((id(&["-u", "postgres"])?, id(&["-g", "postgres"])?))
});

/// An archive of a fresh data folder: unpacking it is far faster than `initdb`. It is kept in memory,
/// because a temporary folder in a static would never be deleted.
static TEMPLATE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = server_folder();
    let options = "--pgdata=data --auth=trust --username=postgres --encoding=UTF8 --locale=C";
    let mut initdb = server_command(postgres_program("initdb"), folder.path());
    run(initdb.args(options.split(' ')).arg("--no-sync"));
    run(server_command("tar", folder.path()).args(["-c", "data"]))
});

/// A PostgreSQL server for one test.
pub struct Postgres {
    // Declared before the folder, because fields are dropped in this order.
    process: Option<Service>,
    folder: TempDir,
    port: u16,
    settings: Vec<String>,
    env: Vec<(&'static str, PathBuf)>,
}

impl Postgres {
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts the server with more settings, which override ours.
    pub async fn start_with(settings: &[&str]) -> Self {
        Self::start_on(settings, Vec::new()).await
    }

    /// Starts the server with more settings and with environment variables.
    pub async fn start_on(settings: &[&str], env: Vec<(&'static str, PathBuf)>) -> Self {
        loop {
            let mut postgres = Self::reserve();
            postgres.env.clone_from(&env);
            postgres.settings.extend(settings.iter().map(ToString::to_string));
            match postgres.launch().await {
                Ok(()) => return postgres,
                Err(output) => assert!(output.contains(PORT_TAKEN), "PostgreSQL failed:\n{output}"),
            }
        }
    }

    /// Reserves a port and a data folder, for a server that [`Postgres::resume`] starts later.
    pub fn reserve() -> Self {
        let folder = server_folder();
        unpack(&TEMPLATE, folder.path());
        Self { process: None, folder, port: free_port(), settings: Vec::new(), env: Vec::new() }
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Sends SIGKILL to all processes of the server, and waits until they are gone.
    pub async fn kill(&mut self) {
        self.process = None;
    }

    /// Starts the server again, on the same port and data, and waits until it answers.
    pub async fn resume(&mut self) {
        if let Err(output) = self.launch().await {
            panic!("PostgreSQL did not resume:\n{output}");
        }
    }

    pub async fn pool(&self) -> PgPool {
        PgPool::connect(&self.url()).await.expect("a connection to PostgreSQL")
    }

    /// Freezes the server: connections stay open, but nothing is answered.
    pub fn pause(&self) {
        self.process().pause();
    }

    pub fn unpause(&self) {
        self.process().unpause();
    }

    /// Shuts the server down at once. Unlike SIGKILL, this frees the server's System V segment, which
    /// otherwise stays on the machine until a server starts on the same folder.
    pub fn quit(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.unpause();
            send_signal("QUIT", &[process.pid()]);
            process.reap();
        }
    }

    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Everything that the server printed since its last start.
    pub fn output(&self) -> String {
        self.process().output()
    }

    /// Sends SIGTERM, after which the server accepts no new connections, then SIGINT, which ends the
    /// open ones, and waits until the server has ended. Docker and systemd stop it the same way.
    pub async fn terminate(&mut self) {
        let mut process = self.process.take().expect("PostgreSQL is running");
        process.terminate();
        process.line("received smart shutdown request").await;
        process.interrupt();
        process.exit().await;
    }

    /// Deletes all data. The server must not be running.
    pub fn wipe(&mut self) {
        assert!(self.process.is_none(), "PostgreSQL is running");
        self.folder = server_folder();
        unpack(&TEMPLATE, self.folder.path());
    }

    /// A copy of all data. The server must not be running.
    pub fn copy(&self) -> Vec<u8> {
        assert!(self.process.is_none(), "PostgreSQL is running");
        run(server_command("tar", self.folder.path()).args(["-c", "data"]))
    }

    /// Restores the data from a copy. The server must not be running.
    pub fn restore(&mut self, copy: &[u8]) {
        assert!(self.process.is_none(), "PostgreSQL is running");
        self.folder = server_folder();
        unpack(copy, self.folder.path());
    }

    fn process(&self) -> &Service {
        self.process.as_ref().expect("PostgreSQL is running")
    }

    async fn launch(&mut self) -> Result<(), String> {
        assert!(self.process.is_none(), "PostgreSQL is running already");
        let mut command = server_command(postgres_program("postgres"), self.folder.path());
        command.args(["-D", "data", "-p", &self.port.to_string()]);
        for setting in SETTINGS.into_iter().chain(self.settings.iter().map(String::as_str)) {
            command.args(["-c", setting]);
        }
        command.envs(self.env.iter().cloned());
        self.process = Some(Service::launch(command, READY).await?);
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.quit();
    }
}

fn server_folder() -> TempDir {
    let folder = TempDir::with_prefix("postgres-").expect("a temporary folder");
    if let Some((user, group)) = *SERVER_USER {
        chown(folder.path(), Some(user), Some(group)).expect("root may give its folder away");
    }
    folder
}

fn unpack(archive: &[u8], folder: &Path) {
    let mut tar = server_command("tar", folder).arg("-x").stdin(Stdio::piped()).spawn().expect("tar starts");
    let mut input = tar.stdin.take().expect("tar reads from a pipe");
    input.write_all(archive).expect("tar reads the archive");
    drop(input);
    assert!(tar.wait().expect("tar ends").success(), "tar failed");
}

fn server_command(program: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    // The tests look for messages in English, and the locale decides their language.
    command.current_dir(folder).env("LC_ALL", "C");
    if let Some((user, group)) = *SERVER_USER {
        command.uid(user).gid(group);
    }
    command
}

/// The program of the highest version in Debian's folders, or else the one in PATH.
fn postgres_program(name: &str) -> PathBuf {
    let versions = (1..=MAX_VERSION).rev();
    versions
        .map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin/{name}")))
        .find(|program| program.exists())
        .unwrap_or_else(|| name.into())
}

fn id(args: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(args).output().expect("id starts");
    str::from_utf8(&output.stdout).ok()?.trim().parse().ok()
}

fn run(command: &mut Command) -> Vec<u8> {
    let result = command.output();
    let program = command.get_program();
    let output = result.unwrap_or_else(|error| panic!("cannot run {program:?} ({error}): {INSTALL}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program:?} failed:\n{errors}");
    output.stdout
}
