//! The one reader of the totals: asks the ledger when something changed, and
//! hands every viewer the same message.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::extract::ws::Utf8Bytes;
use common::health::{Health, Part};
use common::ledger::Totals;
use common::outage::{Outage, Unavailable};
use common::poll::Poll;
use common::queue::Queue;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Board;

/// At most 20 messages a second: more than an eye follows, and a busy
/// election costs the ledger no more than that.
const FRAME_EVERY: Duration = Duration::from_millis(50);

/// Notifications get lost, so the totals are read this often without any.
const READ_EVERY: Duration = Duration::from_secs(1);

/// Votes leave the queue just after they were counted, so while some seem to
/// wait, the next reading is sooner.
const READ_SOON: Duration = Duration::from_millis(200);

/// The totals wait no longer than this for the number of votes that wait.
const COUNTED_WITHIN: Duration = Duration::from_millis(500);

/// What the board shows, as it is sent to viewers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Snapshot {
    pub(crate) poll: String,
    pub(crate) question: String,
    pub(crate) options: Vec<OptionVotes>,
    pub(crate) total: i64,
    /// Recorded votes that are not counted yet; unknown while the queue is away.
    pub(crate) waiting: Option<u64>,
    epoch: Uuid,
    version: i64,
    /// When the ledger last confirmed these totals.
    pub(crate) as_of: String,
    /// Whether the ledger answered when it was last asked.
    pub(crate) live: bool,
}

/// One option and its votes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct OptionVotes {
    pub(crate) key: String,
    pub(crate) label: String,
    pub(crate) votes: i64,
}

/// A snapshot, encoded once for all viewers.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) snapshot: Snapshot,
    pub(crate) json: Utf8Bytes,
}

/// Reads the totals until `shutdown`.
pub(crate) async fn run(
    board: &Board,
    frames: watch::Sender<Option<Arc<Frame>>>,
    health: &Health,
    shutdown: &CancellationToken,
) {
    shutdown.run_until_cancelled(read_totals(board, &frames, health)).await;
}

async fn read_totals(board: &Board, frames: &watch::Sender<Option<Arc<Frame>>>, health: &Health) {
    let mut outage = Outage::of("the ledger");
    let mut line = Line { queue: &board.queue, outage: Outage::of("the queue"), ask_at: Instant::now() };
    let mut changes = board.ledger.changes();
    loop {
        let next_frame = Instant::now() + FRAME_EVERY;
        // Before reading, so that a change during the reading is read again.
        changes.mark_unchanged();
        // First, so that what no longer waits is certainly among the totals.
        let waiting = line.length().await;
        match board.ledger.totals(&board.poll.id).await {
            Ok(totals) => {
                outage.over();
                health.ready(Part::Ledger, Vec::new());
                publish(frames, snapshot(&board.poll, totals, waiting));
                // Whether woken or not, the next reading is due.
                let patience = if waiting == Some(0) { READ_EVERY } else { READ_SOON };
                let _ = timeout(patience, changes.changed()).await;
            }
            Err(error) => {
                mark_stale(frames, waiting, health, &error);
                sleep(outage.failed(&error)).await;
            }
        }
        sleep_until(next_frame).await;
    }
}

/// The votes that wait in the queue, which may be away while the ledger is well.
struct Line<'a> {
    queue: &'a Queue,
    outage: Outage,
    ask_at: Instant,
}

impl Line<'_> {
    /// How many they are, unless the queue is away.
    async fn length(&mut self) -> Option<u64> {
        if Instant::now() < self.ask_at {
            return None;
        }
        // Only the waiting is cut short: the question itself must end, for that
        // is how the queue learns that its connection is broken.
        let queue = self.queue.clone();
        let asked = tokio::spawn(async move { queue.depth().await });
        let late = || Err(Unavailable(format!("no answer within {COUNTED_WITHIN:?}")));
        let answer = timeout(COUNTED_WITHIN, asked).await.ok().and_then(Result::ok);
        match answer.unwrap_or_else(late) {
            Ok(depth) => {
                self.outage.over();
                Some(depth.uncounted())
            }
            Err(error) => {
                self.ask_at = Instant::now() + self.outage.failed(&error);
                None
            }
        }
    }
}

fn snapshot(poll: &Poll, totals: Totals, waiting: Option<u64>) -> Snapshot {
    let Totals { mut votes, version, epoch } = totals;
    let mut options: Vec<OptionVotes> = poll
        .choices()
        .map(|(choice, label)| (choice.to_string(), label.to_owned()))
        .map(|(key, label)| OptionVotes { votes: votes.remove(&key).unwrap_or(0), key, label })
        .collect();
    // An option that was taken out of a running poll still has its votes.
    let taken_out = votes.into_iter().filter(|(_, votes)| *votes != 0);
    options.extend(taken_out.map(|(key, votes)| OptionVotes { label: key.clone(), key, votes }));
    Snapshot {
        poll: poll.id.to_string(),
        question: poll.question.clone(),
        total: options.iter().map(|option| option.votes).sum(),
        options,
        waiting,
        epoch,
        version,
        as_of: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        live: true,
    }
}

/// Replaces the newest frame, and wakes the viewers unless only its time is new.
fn publish(frames: &watch::Sender<Option<Arc<Frame>>>, snapshot: Snapshot) {
    let json = match serde_json::to_string(&snapshot) {
        Ok(json) => Utf8Bytes::from(json),
        Err(error) => return tracing::error!("cannot write the totals as JSON: {error}"),
    };
    frames.send_if_modified(|newest| {
        let is_news = newest.as_ref().is_none_or(|held| {
            Snapshot { as_of: snapshot.as_of.clone(), ..held.snapshot.clone() } != snapshot
        });
        *newest = Some(Arc::new(Frame { snapshot, json }));
        is_news
    });
}

/// The last totals are still the best there is, but everybody is told.
fn mark_stale(
    frames: &watch::Sender<Option<Arc<Frame>>>,
    waiting: Option<u64>,
    health: &Health,
    error: &Unavailable,
) {
    let held = frames.borrow().as_ref().map(|frame| frame.snapshot.clone());
    match held {
        Some(snapshot) => {
            health.ready(Part::Ledger, vec![format!("away, and the last totals are shown: {error}")]);
            publish(frames, Snapshot { live: false, waiting, ..snapshot });
        }
        None => health.unready(Part::Ledger, error.to_string()),
    }
}
