//! Probes the queue again and again: whether it would take a vote, what time its
//! clock shows, how many votes wait, and how far it has come.

use std::sync::atomic::Ordering;
use std::time::Duration;

use election::Relabelled;
use queue::{Probe, Risk};
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
    risks: Vec<Risk>,
    /// How many votes waited at the last probe.
    uncounted: u64,
    is_full: bool,
    relabelled: Vec<Relabelled>,
}

impl<'a> QueueWatch<'a> {
    pub(crate) fn of(app: &'a App, health: &Health) -> Self {
        // Until a probe has found out.
        app.config.queue.trust(false);
        let outage = Outage::of(Store::Queue, health);
        Self { app, outage, risks: Vec::new(), uncounted: 0, is_full: false, relabelled: Vec::new() }
    }

    /// Probes the queue, and returns the pause before the next probe.
    pub(crate) async fn probe(&mut self) -> Duration {
        match self.app.config.queue.probe().await {
            Ok(probe) => {
                self.app.clock.set(probe.now_ms, probe.took);
                METRICS.show(Some(&probe));
                self.tell_waiting(probe.depth.uncounted());
                // Before votes are taken, so that the first one can bring the labels.
                self.compare_labels().await;
                self.outage.answered(readiness(&self.app.config, &probe));
                self.app.config.queue.trust(forbidden(&self.app.config, &probe.risks).is_none());
                self.log_risks(probe.risks);
                self.log_full(probe.depth.uncounted());
                self.look().await;
                PROBE_EVERY
            }
            Err(error) => {
                METRICS.show(None);
                // The next connection may lead to a Redis with other settings.
                self.app.config.queue.trust(false);
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
    /// thousand open pages cost the queue as little as one. If it fails, the last one holds: a vote
    /// that was counted then is still counted.
    async fn look(&self) {
        let earlier = self.app.progress.borrow().clone();
        match self.app.config.queue.progress(earlier).await {
            Ok(progress) => drop(self.app.progress.send_replace(progress)),
            Err(error) => tracing::debug!("votes cannot be followed: {error}"),
        }
    }

    /// Compares the poll's labels with those for which its votes were recorded. The poll of another
    /// replica may differ, so each logs only what it finds itself.
    async fn compare_labels(&mut self) {
        let Config { queue, poll, .. } = &self.app.config;
        match queue.labels(&poll.id).await {
            Ok(kept) => {
                let relabelled = self.app.labels.compare(poll, &kept);
                self.log_relabelled(relabelled);
            }
            Err(error) => tracing::debug!("the labels cannot be compared: {error}"),
        }
    }

    /// Tells the page how many votes have waited at two probes in a row. Every vote
    /// waits for a moment, and a page that showed that would flicker.
    fn tell_waiting(&mut self, uncounted: u64) {
        self.app.waiting.store(uncounted.min(self.uncounted), Ordering::Relaxed);
        self.uncounted = uncounted;
    }

    /// Logs the reasons why the queue might lose votes, when they change.
    fn log_risks(&mut self, risks: Vec<Risk>) {
        if self.risks == risks {
            return;
        }
        for risk in &risks {
            tracing::warn!("votes are not safe: {risk}");
        }
        if forbidden(&self.app.config, &risks).is_some() {
            tracing::warn!("votes are refused until they are safe (REQUIRE_DURABLE_QUEUE)");
        }
        if risks.is_empty() {
            tracing::info!("votes are safe: the queue keeps what it acknowledges");
        }
        self.risks = risks;
    }

    /// Logs options with other labels, once: neither a queue that was wiped nor one that is away
    /// puts the labels back.
    fn log_relabelled(&mut self, relabelled: Vec<Relabelled>) {
        if relabelled.is_empty() || self.relabelled == relabelled {
            return;
        }
        let changes: Vec<String> = relabelled.iter().map(Relabelled::to_string).collect();
        tracing::warn!(
            "the labels of the poll {} were changed after votes were recorded: {}; the votes count for \
             the new labels now: give the poll another id, or put the labels back",
            self.app.config.poll.id,
            changes.join(", ")
        );
        self.relabelled = relabelled;
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
        return Err(format!("full: {uncounted} votes wait (QUEUE_MAX)"));
    }
    match forbidden(config, &probe.risks) {
        Some(reasons) => Err(format!("not durable: {reasons}")),
        None => Ok(probe.risks.iter().map(Risk::to_string).collect()),
    }
}

/// The risks for which votes are refused, if there are any.
fn forbidden(config: &Config, risks: &[Risk]) -> Option<String> {
    let forbidden = risks.iter().filter(|risk| config.require_durable_queue.forbids(risk));
    let sentences: Vec<String> = forbidden.map(Risk::to_string).collect();
    (!sentences.is_empty()).then(|| sentences.join("; "))
}
