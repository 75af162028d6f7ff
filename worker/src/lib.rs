//! Moves votes from the queue to the ledger, in three stages that overlap:
//! while one batch is being recorded, the next is taken and the last settled.
//!
//! Batches form by themselves: a batch is what waited when the stage before
//! was free to take it. An idle worker takes a lone vote at once; a busy one
//! takes as many as came meanwhile.
//!
//! The worker reads no poll: every ballot counts under its own.

mod books;
mod dependency;
mod figures;
mod setbacks;
mod settings;
mod verify;

use std::sync::LazyLock;

use common::health::{Health, Part};
use common::ledger::Ledger;
use common::presence::Presence;
use common::queue::{CLAIM_AFTER, Consumer, Delivery, Queue};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::books::{Books, Counted};
use self::dependency::Dependency;
use self::figures::FIGURES;
pub use self::settings::Settings;
pub use self::verify::verify;

/// What must be there for `worker` to be ready.
pub const NEEDS: &[Part] = &[Part::Queue, Part::Ledger];

/// A transaction's fixed costs vanish in a batch of this size, and losing
/// one to a crash repeats no more than this.
const BATCH_MAX: usize = 1_000;

/// Batches between two stages. One keeps both stages busy; more would only
/// hold votes that another worker could take.
const AHEAD: usize = 1;

/// Works until `shutdown`. What was taken and not recorded by then stays in
/// the queue, for the next worker.
pub async fn run(
    queue: &Queue,
    ledger: &Ledger,
    presence: &Presence,
    health: &Health,
    shutdown: &CancellationToken,
) {
    LazyLock::force(&FIGURES);
    tokio::join!(
        work(queue, ledger, presence, health, shutdown),
        presence.keep(queue, health, shutdown),
        shutdown.run_until_cancelled(setbacks::watch(queue, ledger)),
    );
}

async fn work(
    queue: &Queue,
    ledger: &Ledger,
    presence: &Presence,
    health: &Health,
    shutdown: &CancellationToken,
) {
    let mut source = Dependency::new(Part::Queue, "the queue", health, shutdown);
    // An empty queue says nothing to who takes from it for a second, and a worker is ready before.
    if queue.depth().await.is_ok() {
        source.answered();
    }
    let mut books = Books { ledger, store: Dependency::new(Part::Ledger, "the ledger", health, shutdown) };
    if books.open().await.is_none() {
        return;
    }
    tracing::info!("votes are counted by {}", presence.name());
    let mut consumer = queue.consumer(presence.name(), CLAIM_AFTER);
    let (taken, to_record) = mpsc::channel(AHEAD);
    let (recorded, to_settle) = mpsc::channel(AHEAD);
    tokio::join!(
        take(&mut consumer, source, taken, shutdown),
        record(books, presence, to_record, recorded),
        settle(queue, to_settle),
    );
    if let Err(error) = consumer.leave().await {
        tracing::debug!("left without a goodbye: {error}");
    }
}

/// Takes the next batch as soon as, and not before, there is room for it.
async fn take(
    consumer: &mut Consumer,
    mut source: Dependency<'_>,
    taken: mpsc::Sender<Vec<Delivery>>,
    shutdown: &CancellationToken,
) {
    while let Ok(room) = taken.reserve().await {
        if shutdown.is_cancelled() {
            return;
        }
        match consumer.take(BATCH_MAX).await {
            Ok(batch) => {
                source.answered();
                if !batch.is_empty() {
                    room.send(batch);
                }
            }
            Err(error) => {
                source.pause(&error).await;
            }
        }
    }
}

async fn record(
    mut books: Books<'_>,
    presence: &Presence,
    mut taken: mpsc::Receiver<Vec<Delivery>>,
    recorded: mpsc::Sender<Counted>,
) {
    while let Some(batch) = taken.recv().await {
        FIGURES.batch.record(batch.len() as f64);
        let Some(counted) = books.count(batch).await else { return };
        FIGURES.counted.increment(counted.news);
        presence.did(counted.news);
        if recorded.send(counted).await.is_err() {
            return;
        }
    }
}

/// What could not be settled comes back, is found to be counted already, and
/// is settled then. It would seem to wait meanwhile, so there is a second try:
/// the first may have found the connection that an outage had broken.
async fn settle(queue: &Queue, mut recorded: mpsc::Receiver<Counted>) {
    while let Some(counted) = recorded.recv().await {
        let mut settled = queue.settle(&counted.entries).await;
        if settled.is_err() {
            settled = queue.settle(&counted.entries).await;
        }
        for (entry, reason) in &counted.dead {
            tracing::error!("entry {} can never be counted: {reason}", entry.0);
            let buried = queue.bury(entry, reason).await;
            FIGURES.dead.increment(u64::from(buried.is_ok()));
            settled = settled.and(buried);
        }
        if let Err(error) = settled {
            tracing::debug!("counted votes stay in the queue a little longer: {error}");
        }
    }
}
