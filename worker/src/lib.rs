//! Moves votes from the queue to the ledger, in three stages that overlap. While
//! one batch is recorded, the next is taken and the one before is settled.
//!
//! Batches form by themselves: a batch is all that waits when the worker can take
//! one. An idle worker takes a single vote at once. A busy one takes all the votes
//! that arrived meanwhile.
//!
//! The worker reads no poll file: every ballot counts under the poll that it names, and labels are
//! carried along as `vote` wrote them.

mod batch;
mod held;
mod labels;
mod metrics;
mod patience;
mod settings;
mod verify;

use std::sync::LazyLock;

use ledger::Ledger;
use presence::Presence;
use queue::{CLAIM_AFTER, Consumer, Delivery, Queue};
use service::{Health, Store};
use status::SetbackWatch;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::batch::{RecordedBatch, Recorder};
use self::held::Held;
use self::labels::LabelCarrier;
use self::metrics::METRICS;
use self::patience::Patience;
pub use self::settings::Settings;
pub use self::verify::verify;

/// The stores without which `worker` is not ready.
pub const NEEDS: &[Store] = &[Store::Queue, Store::Ledger];

/// The largest batch. In a batch of this size, the fixed costs of a transaction hardly
/// matter. After a crash, at most this much work per batch is repeated.
const BATCH_MAX: usize = 1_000;

/// How many batches may wait between two stages. One keeps both stages busy. More
/// would only hold votes that another worker could take.
const AHEAD: usize = 1;

/// What a replica of `worker` is made of.
#[derive(Debug)]
pub struct Config {
    /// The queue from which votes are taken.
    pub queue: Queue,
    /// The ledger in which they are counted.
    pub ledger: Ledger,
    /// Whether votes stay in the queue while the ledger is set to lose them in a crash.
    pub require_durable_ledger: bool,
    /// Notices a store that was wiped or set back. The embedded mode needs none,
    /// because queue and ledger are in one file, and are wiped or restored together.
    pub setbacks: Option<SetbackWatch>,
    /// The presence of this replica, which it announces to the others.
    pub presence: Presence,
}

/// Works until `shutdown`. Entries that were taken but not recorded by then stay in
/// the queue for another worker.
pub async fn run(mut config: Config, health: Health, shutdown: CancellationToken) {
    LazyLock::force(&METRICS);
    let setbacks = config.setbacks.take();
    let notice_setbacks = async {
        if let Some(setbacks) = setbacks {
            shutdown.run_until_cancelled(setbacks.keep()).await;
        }
    };
    tokio::join!(
        work(&config, &health, &shutdown),
        config.presence.keep(&health, &shutdown),
        notice_setbacks,
    );
}

async fn work(config: &Config, health: &Health, shutdown: &CancellationToken) {
    let Config { queue, presence, .. } = config;
    let (mut patience, held) = (Patience::with(Store::Queue, health, shutdown), Held::default());
    let mut recorder =
        Recorder::of(config, Patience::with(Store::Ledger, health, shutdown), &held, health.faults());
    // If the queue is empty, `take` waits for a second. The worker is ready before that.
    if queue.depth().await.is_ok() {
        patience.answered(Vec::new());
    }
    if recorder.ledger_is_durable().await.is_none() {
        return;
    }
    tracing::info!("votes are counted by {}", presence.name());
    let mut consumer = queue.consumer(presence.name(), CLAIM_AFTER);
    let name = consumer.name().to_owned();
    tokio::select! {
        () = move_votes(config, &mut consumer, &held, patience, recorder, shutdown) => {}
        never = held.renew(queue, &name) => match never {},
    }
    if let Err(error) = consumer.leave().await {
        tracing::debug!("could not leave the queue: {error}");
    }
}

/// Runs the three stages.
async fn move_votes(
    config: &Config,
    consumer: &mut Consumer,
    held: &Held,
    patience: Patience<'_>,
    recorder: Recorder<'_>,
    shutdown: &CancellationToken,
) {
    let (taken, to_record) = mpsc::channel(AHEAD);
    let (recorded, to_settle) = mpsc::channel(AHEAD);
    tokio::join!(
        take(consumer, held, patience, taken, shutdown),
        record(config, recorder, to_record, recorded),
        settle(&config.queue, held, to_settle),
    );
}

/// Takes a batch only when the next stage has room for it. Until then, another worker can take
/// those votes.
async fn take(
    consumer: &mut Consumer,
    held: &Held,
    mut patience: Patience<'_>,
    taken: mpsc::Sender<Vec<Delivery>>,
    shutdown: &CancellationToken,
) {
    while let Ok(room) = taken.reserve().await {
        if shutdown.is_cancelled() {
            return;
        }
        match consumer.take(BATCH_MAX).await {
            Ok(batch) => {
                patience.answered(Vec::new());
                let batch = held.hold(batch);
                if !batch.is_empty() {
                    room.send(batch);
                }
            }
            Err(error) => {
                patience.pause(&error).await;
            }
        }
    }
}

async fn record(
    config: &Config,
    mut recorder: Recorder<'_>,
    mut taken: mpsc::Receiver<Vec<Delivery>>,
    recorded: mpsc::Sender<RecordedBatch>,
) {
    let mut labels = LabelCarrier::between(&config.queue, &config.ledger);
    while let Some(batch) = taken.recv().await {
        METRICS.batch.record(batch.len() as f64);
        let polls = labels.due(&batch);
        let Some(batch) = recorder.record(batch).await else { return };
        METRICS.counted.increment(batch.news);
        config.presence.did(batch.news);
        if recorded.send(batch).await.is_err() {
            return;
        }
        labels.carry(polls).await;
    }
}

/// Settles recorded entries, and buries those that can never be counted.
///
/// An entry that could not be settled is delivered again, changes nothing in the
/// ledger, and is settled then. Until then it would seem to wait. So there is a second
/// try, because the first may have used a connection that an outage had broken.
async fn settle(queue: &Queue, held: &Held, mut recorded: mpsc::Receiver<RecordedBatch>) {
    while let Some(batch) = recorded.recv().await {
        let mut settled = queue.settle(&batch.entries).await;
        if settled.is_err() {
            settled = queue.settle(&batch.entries).await;
        }
        for (entry, reason) in &batch.dead {
            tracing::error!("entry {} can never be counted: {reason}", entry.0);
            let buried = queue.bury(entry, reason).await;
            METRICS.dead.increment(u64::from(buried.is_ok()));
            settled = settled.and(buried);
        }
        held.release(batch.entries.iter().chain(batch.dead.iter().map(|(entry, _)| entry)));
        if let Err(error) = settled {
            tracing::debug!("counted votes stay in the queue a little longer: {error}");
        }
    }
}
