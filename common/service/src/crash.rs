//! Crashes a service on purpose, so that people can watch it come back.
//!
//! Docker does not restart a container after `docker kill`. It only restarts a
//! process that died by itself. The images have no shell, so the service must
//! offer a way to make it die.
//!
//! The order is a signal and not a request to the management port, so that
//! nobody on the network can give it. In a container, the kernel ignores such a
//! signal to the first process unless that process listens for it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal as Number, kill_process};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;

/// Long enough for the subcommand to exit, and too short for people to notice.
const SUBCOMMAND_EXITS_WITHIN: Duration = Duration::from_millis(100);

/// The first process of a container.
const FIRST: Pid = Pid::INIT;

/// Listens for the order to crash.
pub(crate) fn listen() -> anyhow::Result<Signal> {
    signal(SignalKind::quit()).context("cannot listen for SIGQUIT")
}

/// Waits for the order and then crashes, whatever the service is doing.
pub(crate) async fn obey(mut order: Signal) {
    order.recv().await;
    tracing::error!("crashing, because somebody ran the crash subcommand");
    // When the first process of a container dies, all others are killed. Let
    // the subcommand exit with 0 before that.
    sleep(SUBCOMMAND_EXITS_WITHIN).await;
    std::process::abort();
}

/// Orders the service in this container or on this machine to crash. On a
/// machine, only one process of this program may run.
pub(crate) fn order() -> anyhow::Result<()> {
    let program = std::env::current_exe().context("cannot find out which program this is")?;
    let processes = other_processes(&program)?;
    let service = match processes[..] {
        // The others are subcommands, such as a health check.
        _ if processes.contains(&FIRST) => FIRST,
        [only] => only,
        [] => bail!("there is no other {} here to crash", program.display()),
        ref several => {
            bail!("{} of {} run here: send SIGQUIT to one of them", several.len(), program.display())
        }
    };
    kill_process(service, Number::QUIT).context("cannot signal the service")
}

/// The other processes of this user that run this program.
fn other_processes(program: &Path) -> anyhow::Result<Vec<Pid>> {
    let processes = fs::read_dir("/proc").context("cannot look for processes in /proc")?;
    let numbers = processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let others = numbers.filter(|number| *number != std::process::id() as i32);
    let same =
        others.filter(|number| fs::read_link(format!("/proc/{number}/exe")).is_ok_and(|exe| exe == *program));
    Ok(same.filter_map(Pid::from_raw).collect())
}
