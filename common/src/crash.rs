//! A service that dies when told to, so that people can watch it come back.
//!
//! Docker does not restart what `docker kill` stops, only a process that dies
//! by itself; and in an image without a shell, nothing else could make it die.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal as Number, kill_process};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;

/// Long enough for the subcommand to end, and too short to notice.
const MESSENGER_LEAVES_WITHIN: Duration = Duration::from_millis(100);

/// The first process of a container.
const FIRST: Pid = Pid::INIT;

/// Listens for the order. Without a listener, the first process of a container
/// would not even notice the signal.
pub fn listen() -> anyhow::Result<Signal> {
    signal(SignalKind::quit()).context("cannot listen for SIGQUIT")
}

/// Dies at the order, in the middle of whatever it was doing.
pub async fn obey(mut order: Signal) {
    order.recv().await;
    tracing::error!("crashing, because somebody ran the crash subcommand");
    // With the first process of a container all others end, and the messenger should end well.
    sleep(MESSENGER_LEAVES_WITHIN).await;
    std::process::abort();
}

/// Orders the service on this machine or in this container, which must be the
/// only one of its kind, to crash.
pub fn order() -> anyhow::Result<()> {
    let program = std::env::current_exe().context("cannot find out which program this is")?;
    let services = siblings(&program)?;
    let service = match services[..] {
        // The others are questions to it, such as a health check.
        _ if services.contains(&FIRST) => FIRST,
        [only] => only,
        [] => bail!("there is no other {} here to crash", program.display()),
        ref several => {
            bail!("{} of {} run here: send SIGQUIT to one of them", several.len(), program.display())
        }
    };
    kill_process(service, Number::QUIT).context("cannot signal the service")
}

/// The other processes that run this program and belong to this user.
fn siblings(program: &PathBuf) -> anyhow::Result<Vec<Pid>> {
    let processes = fs::read_dir("/proc").context("cannot look for processes in /proc")?;
    let numbers = processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let others = numbers.filter(|number| *number != std::process::id() as i32);
    let same =
        others.filter(|number| fs::read_link(format!("/proc/{number}/exe")).is_ok_and(|exe| exe == *program));
    Ok(same.filter_map(Pid::from_raw).collect())
}
