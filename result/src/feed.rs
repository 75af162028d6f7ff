//! The one reader of the totals. It asks the ledger when something changed, and
//! gives every viewer the same update.

use std::sync::Arc;
use std::time::Duration;

use ledger::Totals;
use service::{Health, Store};
use status::Diagnosis;
use store::{Outage, Unavailable};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::Config;
use crate::backlog::Backlog;
use crate::epochs::Epochs;
use crate::metrics::METRICS;
use crate::pace::Pace;
use crate::totals::PollTotals;
use crate::update::Update;

/// At most 20 updates a second. An eye cannot follow more, and so a busy election
/// costs the ledger no more than 20 readings a second.
const UPDATE_EVERY: Duration = Duration::from_millis(50);

/// The totals are read this often even without notifications, because those can get lost.
const READ_EVERY: Duration = Duration::from_secs(1);

/// The next reading comes this soon while votes seem to wait, because a vote leaves the
/// queue only just after it was counted.
const READ_SOON: Duration = Duration::from_millis(200);

/// A reading may take this long. Old totals are still called live until then.
const READ_WITHIN: Duration = Duration::from_secs(2);

/// Reads the totals until `shutdown`.
pub(crate) async fn run(
    config: &Config,
    diagnosis: watch::Receiver<Arc<Diagnosis>>,
    updates: watch::Sender<Arc<Update>>,
    health: &Health,
    shutdown: &CancellationToken,
) {
    let feed =
        Feed { config, diagnosis, updates, pace: Pace::starting(Instant::now()), epochs: Epochs::default() };
    shutdown.run_until_cancelled(feed.read_totals(health)).await;
}

struct Feed<'a> {
    config: &'a Config,
    diagnosis: watch::Receiver<Arc<Diagnosis>>,
    updates: watch::Sender<Arc<Update>>,
    pace: Pace,
    epochs: Epochs,
}

impl Feed<'_> {
    async fn read_totals(mut self, health: &Health) {
        let mut outage = Outage::of(Store::Ledger, health);
        let mut backlog = Backlog::of(&self.config.queue, health);
        let mut notifications = self.config.ledger.notifications();
        loop {
            let next_update = Instant::now() + UPDATE_EVERY;
            // Do this before the reading, so that a change during it causes another reading.
            notifications.mark_unchanged();
            // Ask the queue first: then the totals certainly include every vote that waits no longer.
            let waiting = backlog.count().await;
            match totals(self.config).await {
                Ok(totals) => {
                    outage.answered(Ok(Vec::new()));
                    self.publish_totals(totals, waiting);
                    // A change or the end of the pause wakes us. In both cases, read again.
                    let pause = if waiting == Some(0) { READ_EVERY } else { READ_SOON };
                    let _ = timeout(pause, notifications.changed()).await;
                }
                Err(error) => sleep(self.publish_stale(waiting, &error, &mut outage)).await,
            }
            sleep_until(next_update).await;
        }
    }

    fn publish_totals(&mut self, totals: Totals, waiting: Option<u64>) {
        METRICS.readings.increment(1);
        let pace = self.pace.note(Instant::now(), Some((totals.epoch, totals.ballots())));
        let epoch = self.epochs.of(&totals);
        self.publish(PollTotals { epoch, ..PollTotals::of(&self.config.poll, totals, waiting) }, pace);
    }

    /// Publishes the last totals, if there are any, as not live. Returns the pause before the next try.
    fn publish_stale(&mut self, waiting: Option<u64>, error: &Unavailable, outage: &mut Outage) -> Duration {
        let held = PollTotals { live: false, waiting, ..self.updates.borrow().totals.clone() };
        let is_known = held.as_of.is_some();
        let pace = self.pace.note(Instant::now(), None);
        self.publish(held, pace);
        match is_known {
            true => outage.bridged(error, "the last totals are shown"),
            false => outage.failed(error),
        }
    }

    /// Replaces the newest update. Wakes the viewers only if they would see a difference.
    fn publish(&self, totals: PollTotals, pace: Vec<Option<u64>>) {
        let update = Update::new(totals, pace, self.diagnosis.borrow().clone());
        let is_news = self.updates.send_if_modified(|newest| {
            let is_news = update.differs_from(newest);
            *newest = Arc::new(update);
            is_news
        });
        METRICS.updates.increment(u64::from(is_news));
    }
}

async fn totals(config: &Config) -> Result<Totals, Unavailable> {
    let late = |_| Err(Unavailable(format!("no answer within {READ_WITHIN:?}")));
    timeout(READ_WITHIN, config.ledger.totals(&config.poll.id)).await.unwrap_or_else(late)
}
