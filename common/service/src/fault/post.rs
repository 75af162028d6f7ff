//! How an order gets from the subcommand to the service.
//!
//! The images have no shell, so a subcommand of the program gives the order. Only a process of the
//! same user in the same container may give it, so no port takes it: a port can be reached from
//! other containers of a pod, too. Instead the service keeps a file in memory. The kernel lets only
//! a process of the same user reach it through /proc, and only one that sees the service there.
//! That needs no disk, because the root of a container is read-only.
//!
//! The subcommand writes the order into the file and sends a signal. The service writes its answer
//! into the same file. Until then, the order also shows to a service that hangs on purpose and
//! cannot hear the signal.

use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, Signal as Number, kill_process};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{sleep, timeout};

/// A service takes an order within milliseconds. One that hangs on purpose looks ten times a second.
const TAKEN_WITHIN: Duration = Duration::from_secs(3);

/// People do not notice this wait.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// No order and no answer is longer than this.
const BYTES_MAX: usize = 512;

/// The file begins with one of these bytes.
const IS_ORDER: char = '?';
const IS_ANSWER: char = '=';

/// Says that there is an order.
const SIGNAL: Number = Number::USR1;

/// Where the service gets its orders.
#[derive(Debug)]
pub struct Post {
    inbox: Inbox,
    signal: Signal,
}

/// The file in memory. All clones stand for the same one.
#[derive(Clone, Debug)]
pub(super) struct Inbox(Arc<File>);

impl Post {
    /// Listens for orders to the program that listens on `address`.
    pub fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let signal = signal(SignalKind::from_raw(SIGNAL.as_raw())).context("cannot listen for SIGUSR1")?;
        let create = |more| memfd_create(name(address), MemfdFlags::CLOEXEC | more);
        // Kernels before 6.3 do not know this flag, and on later ones a setting may demand it.
        let file = create(MemfdFlags::NOEXEC_SEAL).or_else(|_| create(MemfdFlags::empty()));
        let file = file.context("cannot make a file in memory")?;
        Ok(Self { inbox: Inbox(Arc::new(file.into())), signal })
    }

    pub(super) fn inbox(&self) -> Inbox {
        self.inbox.clone()
    }

    /// Waits for the next order, which needs an answer.
    pub(super) async fn next(&mut self) -> String {
        loop {
            self.signal.recv().await;
            if let Some(order) = self.inbox.order() {
                return order;
            }
        }
    }

    /// Says why the last order is not taken. Nothing means that it is.
    pub(super) fn answer(&self, refusal: &str) {
        if let Err(error) = write(&self.inbox.0, IS_ANSWER, refusal) {
            tracing::debug!("cannot answer an order: {error}");
        }
    }
}

impl Inbox {
    /// Whether an order waits for its answer.
    pub(super) fn has_order(&self) -> bool {
        self.order().is_some()
    }

    fn order(&self) -> Option<String> {
        Some(read(&self.0).ok()?.strip_prefix(IS_ORDER)?.to_owned())
    }
}

/// Sends an order to the program that listens on `address`, and waits until it is taken.
pub(super) async fn send(order: &str, address: SocketAddr, setting: &str) -> anyhow::Result<()> {
    let program = std::env::current_exe().context("cannot find out which program this is")?;
    let (process, file) = find(&program, address, setting)?;
    write(&file, IS_ORDER, order).context("cannot write the order")?;
    kill_process(process, SIGNAL).context("cannot signal the service")?;
    let answer = async {
        loop {
            match read(&file)?.strip_prefix(IS_ANSWER) {
                Some(answer) => return io::Result::Ok(answer.to_owned()),
                None => sleep(LOOK_EVERY).await,
            }
        }
    };
    let answer = timeout(TAKEN_WITHIN, answer).await;
    match answer.context("the service does not take the order: it may hang, or be about to stop")??.as_str() {
        "" => Ok(()),
        refusal => Err(anyhow!("{refusal}")),
    }
}

/// The process that listens on `address`, and its file in memory.
fn find(program: &Path, address: SocketAddr, setting: &str) -> anyhow::Result<(Pid, File)> {
    let processes = fs::read_dir("/proc").context("cannot look for processes in /proc")?;
    let numbers = processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let same = numbers
        .filter(|number| fs::read_link(format!("/proc/{number}/exe")).is_ok_and(|exe| exe == *program));
    let file = |number| Some((Pid::from_raw(number)?, file_of(number, address)?));
    let mut found: Vec<_> = same.filter_map(file).collect();
    match (found.pop(), found.len()) {
        (Some((process, path)), 0) => {
            let file = File::options().read(true).write(true).open(path);
            Ok((process, file.context("cannot reach the service")?))
        }
        (None, _) => bail!("no {} runs here with {address} ({setting})", program.display()),
        (Some(_), others) => {
            bail!("{} of {} run here with {address} ({setting})", others + 1, program.display())
        }
    }
}

/// The process's file in memory, if it has one for this address.
fn file_of(process: i32, address: SocketAddr) -> Option<PathBuf> {
    let expected = PathBuf::from(format!("/memfd:{} (deleted)", name(address)));
    let files = fs::read_dir(format!("/proc/{process}/fd")).ok()?.flatten().map(|file| file.path());
    files.into_iter().find(|file| fs::read_link(file).is_ok_and(|target| target == expected))
}

/// The file's name. On a machine without containers, several services may run.
fn name(address: SocketAddr) -> String {
    format!("orders to {address}")
}

fn read(file: &File) -> io::Result<String> {
    let mut bytes = [0; BYTES_MAX];
    let length = file.read_at(&mut bytes, 0)?;
    Ok(String::from_utf8_lossy(&bytes[..length]).into_owned())
}

fn write(file: &File, kind: char, text: &str) -> io::Result<()> {
    file.set_len(0)?;
    file.write_all_at(format!("{kind}{text}").as_bytes(), 0)
}
