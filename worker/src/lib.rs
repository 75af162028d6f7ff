//! Moves votes from the queue to the ledger, in three stages that overlap:
//! while one batch is being recorded, the next is taken and the last settled.
//!
//! Batches form by themselves: a batch is what waited when the stage before
//! was free to take it. An idle worker takes a lone vote at once; a busy one
//! takes as many as came meanwhile.
//!
//! The worker reads no poll: every ballot counts under its own.

mod batch;
mod settings;
pub mod verify;

use common::health::Health;
use common::ledger::Ledger;
use common::outage::Outage;
use common::queue::{CLAIM_AFTER, Consumer, Delivery, Queue, Receipts};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use self::batch::{Counted, count};
pub use self::settings::Settings;

/// A transaction's fixed costs vanish in a batch of this size, and losing
/// one to a crash repeats no more than this.
const BATCH_MAX: usize = 1_000;

/// Batches between two stages. One keeps both stages busy; more would only
/// hold votes that another worker could take.
const AHEAD: usize = 1;

/// Works until `shutdown`. What was taken and not recorded by then stays in
/// the queue, for the next worker.
pub async fn run(queue: &Queue, ledger: &Ledger, name: &str, health: &Health, shutdown: &CancellationToken) {
    let mut store = Store { ledger, outage: Outage::of("the ledger"), health, shutdown };
    if store.prepare().await.is_none() {
        return;
    }
    tracing::info!("votes are counted by {name}");
    let consumer = queue.consumer(name, CLAIM_AFTER);
    let receipts = consumer.receipts();
    let (taken, to_record) = mpsc::channel(AHEAD);
    let (recorded, to_settle) = mpsc::channel(AHEAD);
    tokio::join!(
        take(consumer, taken, health, shutdown),
        record(store, to_record, recorded),
        settle(receipts, to_settle),
    );
}

/// Takes the next batch as soon as, and not before, there is room for it.
async fn take(
    mut consumer: Consumer,
    taken: mpsc::Sender<Vec<Delivery>>,
    health: &Health,
    shutdown: &CancellationToken,
) {
    let mut outage = Outage::of("the queue");
    while let Ok(room) = taken.reserve().await {
        if shutdown.is_cancelled() {
            return;
        }
        match consumer.take(BATCH_MAX).await {
            Ok(batch) => {
                outage.over();
                health.ready("queue", Vec::new());
                if !batch.is_empty() {
                    room.send(batch);
                }
            }
            Err(error) => {
                health.unready("queue", error.to_string());
                let pause = outage.failed(&error);
                shutdown.run_until_cancelled(sleep(pause)).await;
            }
        }
    }
}

async fn record(
    mut store: Store<'_>,
    mut taken: mpsc::Receiver<Vec<Delivery>>,
    recorded: mpsc::Sender<Counted>,
) {
    while let Some(batch) = taken.recv().await {
        metrics::histogram!("urna_worker_batch_ballots").record(batch.len() as f64);
        let Some(counted) = count(&mut store, batch).await else { return };
        metrics::counter!("urna_worker_ballots_counted_total").increment(counted.news);
        if recorded.send(counted).await.is_err() {
            return;
        }
    }
}

/// A failure here needs no second try: what is not settled comes back, is
/// found to be counted already, and is settled then.
async fn settle(receipts: Receipts, mut recorded: mpsc::Receiver<Counted>) {
    let mut outage = Outage::of("the queue, for acknowledging,");
    while let Some(counted) = recorded.recv().await {
        let mut settled = receipts.settle(&counted.entries).await;
        for (delivery, reason) in &counted.dead {
            tracing::error!("entry {} can never be counted: {reason}", delivery.entry.0);
            settled = settled.and(receipts.bury(delivery, reason).await);
        }
        match settled {
            Ok(()) => outage.over(),
            Err(error) => drop(outage.failed(&error)),
        }
    }
}

/// The ledger as the worker sees it: away now and then, and always back.
struct Store<'a> {
    ledger: &'a Ledger,
    outage: Outage,
    health: &'a Health,
    shutdown: &'a CancellationToken,
}

impl Store<'_> {
    /// Waits until the ledger is there, with its schema; `None` on shutdown.
    async fn prepare(&mut self) -> Option<()> {
        loop {
            let Err(error) = self.ledger.prepare().await else { break };
            self.pause(&error).await?;
        }
        self.answered();
        Some(())
    }

    fn answered(&mut self) {
        self.outage.over();
        self.health.ready("ledger", Vec::new());
    }

    /// Waits before the next try; `None` on shutdown.
    async fn pause(&mut self, error: &common::outage::Unavailable) -> Option<()> {
        self.health.unready("ledger", error.to_string());
        metrics::counter!("urna_worker_retries_total").increment(1);
        self.shutdown.run_until_cancelled(sleep(self.outage.failed(error))).await
    }
}
