//! Starts what the end-to-end tests need: real stores, our own programs, a browser. And one way to wait.

#![allow(
    missing_docs,
    clippy::expect_used,
    reason = "a panic is how a test fails, and a name says enough where a comment would repeat it"
)]

mod browser;
mod deployment;
mod embedded;
mod mob;
mod picture;
mod postgres;
mod proxy;
mod redis;
mod service;
mod voter;

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::process::{self, Command};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::{sleep, timeout};

pub use self::browser::{Browser, Screen};
pub use self::deployment::{Deployment, Replica, totals_of};
pub use self::embedded::Embedded;
pub use self::mob::{Manner, Mob};
pub use self::picture::{Picture, at_work, is_empty, map_says, map_shows, map_tells};
pub use self::postgres::Postgres;
pub use self::proxy::{Conditions, Flow, Proxy};
pub use self::redis::Redis;
pub use self::service::Service;
pub use self::voter::{Voter, client};

/// Below the ports that Linux gives to outgoing connections. Otherwise a client that reconnects to a
/// stopped server could be given the server's own port, and the server could not start again.
const PORTS: Range<u32> = 20_000..32_000;

/// Test processes that run at the same time search from starting points this far apart.
const PORTS_PER_PROCESS: u32 = 40;

const POLL_INTERVAL: Duration = Duration::from_millis(20);
const POLL_LIMIT: Duration = Duration::from_secs(60);

/// How long a program may take to print an expected line, to answer, or to exit.
const PATIENCE: Duration = Duration::from_secs(30);

/// What both stores print when another process has taken their port.
const PORT_TAKEN: &str = "Address already in use";

const INSTALL: &str = "run ./test.sh, which installs it";

/// A port of 127.0.0.1 that is free and that this process has not handed out before.
pub fn free_port() -> u16 {
    static NEXT: LazyLock<AtomicU32> =
        LazyLock::new(|| AtomicU32::new(process::id().wrapping_mul(PORTS_PER_PROCESS)));
    loop {
        let offset = NEXT.fetch_add(1, Ordering::Relaxed) % (PORTS.end - PORTS.start);
        let port = u16::try_from(PORTS.start + offset).expect("PORTS holds port numbers");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// Polls until there is a value. Every test that waits for a condition waits here.
pub async fn eventually<T>(what: &str, mut poll: impl AsyncFnMut() -> Option<T>) -> T {
    let found = async {
        loop {
            if let Some(value) = poll().await {
                return value;
            }
            sleep(POLL_INTERVAL).await;
        }
    };
    timeout(POLL_LIMIT, found).await.unwrap_or_else(|_| panic!("waited {POLL_LIMIT:?} in vain for {what}"))
}

/// The result is not checked, because a process may end before its signal arrives.
fn send_signal(name: &str, pids: &[u32]) {
    // The shell has `kill` built in, while small images lack the program of that name.
    Command::new("sh")
        .args(["-c", r#"kill -s "$@" 2>/dev/null"#, "kill", name])
        .args(pids.iter().map(u32::to_string))
        .status()
        .expect("a shell");
}

fn children(parent: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").expect("a mounted /proc").flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|&pid| parent_of(pid) == Some(parent))
        .collect()
}

fn parent_of(pid: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
    parent.trim().parse().ok()
}
