//! Probes the queue again and again: whether it would take a vote, what time its
//! clock shows, how many votes wait, and how far it has come.

use std::sync::atomic::Ordering;
use std::time::Duration;

use queue::Probe;
use service::health::Readiness;
use service::{Health, Store};
use store::Outage;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::metrics::METRICS;
use crate::{App, Config};

/// Often enough that the page is right within seconds. Clocks that drift apart by
/// seconds a day differ by less than a millisecond after this time.
const PROBE_EVERY: Duration = Duration::from_secs(2);

/// Keeps the connection, the clock, the health and the number of waiting votes up to date.
#[derive(Debug)]
pub(crate) struct QueueWatch<'a> {
    app: &'a App,
    outage: Outage,
    warnings: Vec<String>,
    /// How many votes waited at the last probe.
    uncounted: u64,
    is_full: bool,
}

impl<'a> QueueWatch<'a> {
    pub(crate) fn of(app: &'a App, health: &Health) -> Self {
        let outage = Outage::of(Store::Queue, health);
        Self { app, outage, warnings: Vec::new(), uncounted: 0, is_full: false }
    }

    /// Probes the queue, and returns the pause before the next probe.
    pub(crate) async fn probe(&mut self) -> Duration {
        match self.app.config.queue.probe().await {
            Ok(probe) => {
                self.app.clock.set(probe.now_ms, probe.took);
                METRICS.show(Some(&probe));
                self.tell_waiting(probe.depth.uncounted());
                self.outage.answered(readiness(&self.app.config, &probe));
                self.log_warnings(probe.warnings);
                self.log_full(probe.depth.uncounted());
                self.look().await;
                PROBE_EVERY
            }
            Err(error) => {
                METRICS.show(None);
                // Nobody knows how many wait now.
                self.tell_waiting(0);
                self.outage.failed(&error)
            }
        }
    }

    /// Goes on probing until `shutdown`.
    pub(crate) async fn keep(mut self, mut pause: Duration, shutdown: &CancellationToken) {
        loop {
            tokio::select! {
                () = sleep(pause) => {}
                () = self.app.doubt.notified() => {}
                () = shutdown.cancelled() => return,
            }
            pause = self.probe().await;
        }
    }

    /// Looks at how far the queue has come. This look answers everybody who follows a vote, so a
    /// thousand open pages cost the queue as little as one. If it fails, the last one holds: what
    /// was counted then is counted now.
    async fn look(&self) {
        let earlier = self.app.progress.borrow().clone();
        match self.app.config.queue.progress(earlier).await {
            Ok(progress) => drop(self.app.progress.send_replace(progress)),
            Err(error) => tracing::debug!("votes cannot be followed: {error}"),
        }
    }

    /// Tells the page how many votes have waited at two probes in a row. Every vote
    /// waits for a moment, and a page that showed that would flicker.
    fn tell_waiting(&mut self, uncounted: u64) {
        self.app.waiting.store(uncounted.min(self.uncounted), Ordering::Relaxed);
        self.uncounted = uncounted;
    }

    /// Logs the reasons why the queue might lose votes, when they change.
    fn log_warnings(&mut self, warnings: Vec<String>) {
        if self.warnings == warnings {
            return;
        }
        for warning in &warnings {
            tracing::warn!("votes are not safe: {warning}");
        }
        if warnings.is_empty() {
            tracing::info!("votes are safe: the queue keeps what it acknowledges");
        }
        self.warnings = warnings;
    }

    fn log_full(&mut self, uncounted: u64) {
        let is_full = uncounted >= self.app.config.queue_max;
        if is_full && !self.is_full {
            tracing::warn!("votes are refused: {uncounted} wait, as many as QUEUE_MAX allows");
        } else if self.is_full && !is_full {
            tracing::info!("votes are taken again: {uncounted} wait");
        }
        self.is_full = is_full;
    }
}

fn readiness(config: &Config, probe: &Probe) -> Readiness {
    let uncounted = probe.depth.uncounted();
    if uncounted >= config.queue_max {
        Err(format!("full: {uncounted} votes wait (QUEUE_MAX)"))
    } else if config.require_durable_queue && !probe.warnings.is_empty() {
        Err(format!("not durable: {}", probe.warnings.join("; ")))
    } else {
        Ok(probe.warnings.clone())
    }
}
