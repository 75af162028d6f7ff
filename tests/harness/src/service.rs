//! A program as a child process: its output, its signals, its exit.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader, PipeReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::timeout;

use super::{INSTALL, PATIENCE, children, send_signal};

const BUILD: &str = "run cargo build --workspace --bins";

/// The only variables that our programs inherit, so that tests do not depend on the others.
const KEPT_VARIABLES: [&str; 2] = ["PATH", "RUST_LOG"];

/// A running program and everything it printed. Dropping it kills the program and its children.
pub struct Service {
    child: Child,
    lines: watch::Receiver<Vec<String>>,
    /// The index of the line after the one that [`Service::line`] returned last.
    next_line: usize,
    /// Ends once the program and all children that share its output are gone.
    reader: Option<JoinHandle<()>>,
    /// The working folder of one of our own programs. It must exist as long as the program runs.
    _folder: Option<TempDir>,
}

impl Service {
    /// Starts one of our own programs in an empty folder.
    pub fn spawn(program: &str, env: &[(&str, &str)]) -> Self {
        Self::spawn_with(program, &[], env)
    }

    pub fn spawn_with(program: &str, args: &[&str], env: &[(&str, &str)]) -> Self {
        let mut command = Command::new(program_path(program));
        command.args(args);
        Self::start(command, env)
    }

    /// Starts one of our own programs, which may open at most this many files.
    pub fn spawn_limited(program: &str, files: u32, env: &[(&str, &str)]) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -n {files} && exec \"$0\"")]).arg(program_path(program));
        Self::start(command, env)
    }

    /// Starts a program and waits until it prints `ready`. If it never does, returns its output.
    /// Connecting to its port would prove less, because another process may have taken the port.
    pub(super) async fn launch(command: Command, ready: &str) -> Result<Self, String> {
        let mut service = Self::run(command, INSTALL, None);
        match service.find_line(ready).await {
            Some(_) => Ok(service),
            None => Err(service.output()),
        }
    }

    /// Waits for a line, on stdout or stderr, that contains the text. Each call looks only below
    /// the line returned last, so that a test can wait until a message is repeated.
    pub async fn line(&mut self, containing: &str) -> String {
        match self.find_line(containing).await {
            Some(line) => line,
            None => self.give_up(&format!("print {containing:?}")),
        }
    }

    /// Everything printed so far.
    pub fn output(&self) -> String {
        self.lines.borrow().join("\n")
    }

    /// Sends SIGKILL and waits until the program and its children are gone.
    pub async fn kill(&mut self) {
        self.end();
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        send_signal("TERM", &[self.pid()]);
    }

    /// Sends SIGINT.
    pub fn interrupt(&self) {
        send_signal("INT", &[self.pid()]);
    }

    /// Waits until the program ends by itself.
    pub async fn exit(&mut self) -> ExitStatus {
        self.exit_within(PATIENCE).await
    }

    /// Waits for the end of a program that needs more time.
    pub async fn exit_within(&mut self, patience: Duration) -> ExitStatus {
        let end_of_output = self.lines.wait_for(|_| false);
        if timeout(patience, end_of_output).await.is_err() {
            self.give_up("exit");
        }
        self.reap()
    }

    /// Freezes the program and its children.
    pub fn pause(&self) {
        // The parent goes first, so that it starts no further child in the meantime.
        send_signal("STOP", &[self.pid()]);
        send_signal("STOP", &children(self.pid()));
    }

    pub fn unpause(&self) {
        send_signal("CONT", &self.family());
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The program's resident memory now, in KiB.
    pub fn resident(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The program's largest resident memory until now, in KiB.
    pub fn peak(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// How much processor time the program has used, in user and kernel mode.
    pub fn processor_time(&self) -> Duration {
        // Linux counts this in hundredths of a second, whatever the machine.
        const TICK: Duration = Duration::from_millis(10);
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).expect("a running program");
        // The name, in parentheses, is the only field with spaces.
        let fields = stat.rsplit(')').next().into_iter().flat_map(str::split_whitespace);
        let ticks = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u32>().ok());
        TICK * ticks.sum()
    }

    /// The number of open sockets. A socket with several handles counts once.
    pub fn open_sockets(&self) -> usize {
        let files = fs::read_dir(format!("/proc/{}/fd", self.pid())).expect("a running program");
        let links = files.filter_map(|file| fs::read_link(file.ok()?.path()).ok());
        let sockets = links.filter(|link| link.to_string_lossy().starts_with("socket:"));
        sockets.collect::<BTreeSet<_>>().len()
    }

    /// Waits, without a limit, until the program and its children are gone.
    pub(super) fn reap(&mut self) -> ExitStatus {
        let status = self.child.wait().expect("the exit status of our child");
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader does not panic");
        }
        status
    }

    fn start(mut command: Command, env: &[(&str, &str)]) -> Self {
        let folder = TempDir::with_prefix("service-").expect("a temporary folder");
        let kept = KEPT_VARIABLES.map(|name| Some((name, env::var_os(name)?)));
        command
            .current_dir(&folder)
            .env_clear()
            .envs(kept.into_iter().flatten())
            .env("RUST_BACKTRACE", "0")
            .envs(env.iter().copied());
        Self::run(command, BUILD, Some(folder))
    }

    /// Starts the program. `remedy` tells the developer what to do if it is missing.
    fn run(mut command: Command, remedy: &str, folder: Option<TempDir>) -> Self {
        let (output, stdout) = io::pipe().expect("a pipe");
        // Both streams share one pipe, which keeps their lines in the order they were printed.
        let stderr = stdout.try_clone().expect("a second handle of the pipe");
        let child = command
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {:?} ({error}): {remedy}", command.get_program()));
        let (sender, lines) = watch::channel(Vec::new());
        Self {
            child,
            lines,
            next_line: 0,
            reader: Some(thread::spawn(move || read_lines(output, &sender))),
            _folder: folder,
        }
    }

    async fn find_line(&mut self, containing: &str) -> Option<String> {
        let start = self.next_line;
        let find = |lines: &Vec<String>| {
            let mut rest = lines.iter().enumerate().skip(start);
            let (index, line) = rest.find(|(_, line)| line.contains(containing))?;
            Some((index, line.clone()))
        };
        let printed = self.lines.wait_for(|lines| find(lines).is_some());
        let (index, line) = find(&*timeout(PATIENCE, printed).await.ok()?.ok()?)?;
        self.next_line = index + 1;
        Some(line)
    }

    fn status(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("a running program");
        let line = status.lines().find_map(|line| line.strip_prefix(field)).expect("the field");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    fn give_up(&self, expected: &str) -> ! {
        let (pid, output) = (self.pid(), self.output());
        panic!("process {pid} did not {expected}; all it printed:\n{output}");
    }

    fn family(&self) -> Vec<u32> {
        let mut pids = children(self.pid());
        pids.push(self.pid());
        pids
    }

    fn end(&mut self) {
        // Once our child is reaped, another process may get its number.
        if self.reader.is_some() {
            self.pause();
            send_signal("KILL", &self.family());
            self.reap();
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.end();
    }
}

/// Cargo puts our programs into one folder, and this test binary into its subfolder `deps`.
fn program_path(program: &str) -> PathBuf {
    let test = env::current_exe().expect("the path of this program");
    let deps = test.parent().expect("the folder of this program");
    deps.with_file_name(program)
}

fn read_lines(output: PipeReader, sender: &watch::Sender<Vec<String>>) {
    for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).into_owned();
        sender.send_modify(|lines| lines.push(line));
    }
}
