//! Watches the queue: whether it would take a vote, and what time it has.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use common::health::Health;
use common::outage::Outage;
use common::queue::Probe;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{Booth, Desk};

/// Often enough that the page turns honest within seconds, and that clocks
/// which drift apart by seconds a day stay within a millisecond.
const PROBE_EVERY: Duration = Duration::from_secs(2);

/// An answer that took longer tells the time too vaguely to replace what is
/// known: two replicas should differ by less than a voter takes to vote again.
const CLOCK_VAGUE_AFTER: Duration = Duration::from_millis(50);

/// The queue's clock, carried on by this machine's monotonic one: a replica
/// whose wall clock is wrong must not make its votes outrank later ones.
#[derive(Debug)]
pub(crate) struct Clock {
    origin: Instant,
    /// The queue's time at `origin`, in milliseconds since 1970.
    at_origin_ms: AtomicI64,
    is_set: AtomicBool,
}

impl Clock {
    /// Starts with this machine's time; nothing is appended before the first probe.
    pub(crate) fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            origin: Instant::now(),
            at_origin_ms: AtomicI64::new(now.as_millis() as i64),
            is_set: AtomicBool::new(false),
        }
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.at_origin_ms.load(Ordering::Relaxed) + self.since_origin_ms()
    }

    /// The queue read its clock somewhere in the middle of that round trip.
    fn set(&self, now_ms: i64, took: Duration) {
        if took < CLOCK_VAGUE_AFTER || !self.is_set.swap(true, Ordering::Relaxed) {
            let half_way = took.as_millis() as i64 / 2;
            self.at_origin_ms.store(now_ms + half_way - self.since_origin_ms(), Ordering::Relaxed);
            self.is_set.store(true, Ordering::Relaxed);
        }
    }

    fn since_origin_ms(&self) -> i64 {
        self.origin.elapsed().as_millis() as i64
    }
}

/// Keeps the connection, the clock and the health up to date until `shutdown`.
pub(crate) async fn watch(desk: &Desk, health: &Health, shutdown: &CancellationToken) {
    let mut outage = Outage::of("the queue");
    let mut known = Vec::new();
    loop {
        let pause = match desk.booth.queue.probe().await {
            Ok(probe) => {
                outage.over();
                desk.clock.set(probe.now_ms, probe.took);
                warn_once(&mut known, &probe.warnings);
                report(&desk.booth, health, probe);
                PROBE_EVERY
            }
            Err(error) => {
                health.unready("queue", error.to_string());
                outage.failed(&error)
            }
        };
        tokio::select! {
            () = sleep(pause) => {}
            () = desk.doubt.notified() => {}
            () = shutdown.cancelled() => return,
        }
    }
}

fn warn_once(known: &mut Vec<String>, warnings: &[String]) {
    if known != warnings {
        for warning in warnings {
            tracing::warn!("votes are not safe: {warning}");
        }
        if warnings.is_empty() {
            tracing::info!("votes are safe: the queue keeps what it acknowledges");
        }
        *known = warnings.to_vec();
    }
}

fn report(booth: &Booth, health: &Health, probe: Probe) {
    if probe.waiting >= booth.queue_max {
        health.unready("queue", format!("full: {} votes wait (QUEUE_MAX)", probe.waiting));
    } else if booth.require_durable_queue && !probe.warnings.is_empty() {
        health.unready("queue", format!("not durable: {}", probe.warnings.join("; ")));
    } else {
        health.ready("queue", probe.warnings);
    }
}
