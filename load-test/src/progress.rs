//! Progress, as one line on the terminal.

use std::io::{IsTerminal, Write, stderr};
use std::time::Duration;

use tokio::pin;
use tokio::time::{MissedTickBehavior, interval};

/// How often progress is shown on a terminal: often enough to see a stall.
const EVERY: Duration = Duration::from_secs(1);

/// How often progress is written to a file. A file keeps every line, so it gets fewer.
const IN_A_FILE_EVERY: Duration = Duration::from_secs(10);

/// Shows the progress, as `line` words it, until the work is done.
pub(crate) async fn during<T>(work: impl Future<Output = T>, mut line: impl AsyncFnMut() -> String) -> T {
    let on_a_terminal = stderr().is_terminal();
    let mut ticks = interval(if on_a_terminal { EVERY } else { IN_A_FILE_EVERY });
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.reset();
    pin!(work);
    loop {
        tokio::select! {
            done = &mut work => {
                if on_a_terminal { show("\r\x1b[2K"); }
                return done;
            }
            shown = async { ticks.tick().await; line().await } => match on_a_terminal {
                true => show(&format!("\r\x1b[2K{shown}")),
                false => show(&format!("{shown}\n")),
            },
        }
    }
}

/// Writes to standard error. If that fails, the work goes on.
fn show(text: &str) {
    let _ = stderr().write_all(text.as_bytes());
}
