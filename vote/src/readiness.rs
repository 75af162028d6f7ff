//! Watches the queue: whether it would take a vote, what time it has, and how many votes wait there.

use std::sync::atomic::Ordering;
use std::time::Duration;

use common::health::{Health, Part};
use common::outage::Outage;
use common::queue::Probe;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::figures::FIGURES;
use crate::{Booth, Desk};

/// Often enough that the page turns honest within seconds, and that clocks
/// which drift apart by seconds a day stay within a millisecond.
const PROBE_EVERY: Duration = Duration::from_secs(2);

/// Keeps the connection, the clock, the health and the number of waiting votes up to date.
#[derive(Debug)]
pub(crate) struct Watch<'a> {
    desk: &'a Desk,
    health: &'a Health,
    outage: Outage,
    warnings: Vec<String>,
    /// How many votes waited at the last look.
    uncounted: u64,
    is_full: bool,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(desk: &'a Desk, health: &'a Health) -> Self {
        Self {
            desk,
            health,
            outage: Outage::of("the queue"),
            warnings: Vec::new(),
            uncounted: 0,
            is_full: false,
        }
    }

    /// Looks after the queue, and returns the pause before the next look.
    pub(crate) async fn look(&mut self) -> Duration {
        match self.desk.booth.queue.probe().await {
            Ok(probe) => {
                self.outage.over();
                self.desk.clock.set(probe.now_ms, probe.took);
                self.tell_waiting(probe.depth.uncounted());
                FIGURES.show(Some(&probe));
                warn_once(&mut self.warnings, &probe.warnings);
                self.tell_full(probe.depth.uncounted());
                report(&self.desk.booth, self.health, probe);
                PROBE_EVERY
            }
            Err(error) => {
                self.health.unready(Part::Queue, error.to_string());
                // How many wait now, nobody knows.
                self.tell_waiting(0);
                FIGURES.show(None);
                self.outage.failed(&error)
            }
        }
    }

    /// Tells what two looks in a row saw: every vote waits for a moment.
    fn tell_waiting(&mut self, uncounted: u64) {
        self.desk.waiting.store(uncounted.min(self.uncounted), Ordering::Relaxed);
        self.uncounted = uncounted;
    }

    fn tell_full(&mut self, uncounted: u64) {
        let is_full = uncounted >= self.desk.booth.queue_max;
        if is_full && !self.is_full {
            tracing::warn!("votes are refused: {uncounted} wait, as many as QUEUE_MAX allows");
        } else if self.is_full && !is_full {
            tracing::info!("votes are taken again: {uncounted} wait");
        }
        self.is_full = is_full;
    }

    /// Goes on looking until `shutdown`.
    pub(crate) async fn keep(mut self, mut pause: Duration, shutdown: &CancellationToken) {
        loop {
            tokio::select! {
                () = sleep(pause) => {}
                () = self.desk.doubt.notified() => {}
                () = shutdown.cancelled() => return,
            }
            pause = self.look().await;
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
    let uncounted = probe.depth.uncounted();
    if uncounted >= booth.queue_max {
        health.unready(Part::Queue, format!("full: {uncounted} votes wait (QUEUE_MAX)"));
    } else if booth.require_durable_queue && !probe.warnings.is_empty() {
        health.unready(Part::Queue, format!("not durable: {}", probe.warnings.join("; ")));
    } else {
        health.ready(Part::Queue, probe.warnings);
    }
}
