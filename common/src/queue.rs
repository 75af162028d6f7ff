//! The queue between `vote` and `worker`: where a vote is safe before it is counted.
//!
//! The promise of every backend: when [`Queue::append`] returns `Ok`, the
//! ballot is on disk; what was taken and not settled comes back.

pub mod redis;
pub mod sqlite;

use std::time::Duration;

use uuid::Uuid;

use crate::ballot::Ballot;
use crate::outage::Unavailable;
use crate::presence::{Announcement, Replica};
use crate::setback::Setback;

/// A worker that held a ballot this long without settling it is taken for
/// dead, and the ballot goes to another. Several times what a batch takes;
/// too early does no harm, because counting twice changes nothing.
pub const CLAIM_AFTER: Duration = Duration::from_secs(5);

/// Long enough for a slow fsync, short enough that a voter still waits for it.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// How long [`Consumer::take`] waits for a first ballot before it comes back
/// empty, so that its caller can look for a shutdown and for dead workers.
const PATIENCE: Duration = Duration::from_secs(1);

/// The queue, on whichever store the settings name.
#[derive(Clone, Debug)]
pub enum Queue {
    /// A Redis stream, shared by all replicas.
    Redis(redis::RedisQueue),
    /// A table of the data file of the embedded mode.
    Sqlite(sqlite::SqliteQueue),
}

impl Queue {
    /// Appends a ballot durably, unless `capacity` ballots wait already.
    pub async fn append(&self, ballot: &Ballot, capacity: u64) -> Result<(), AppendError> {
        match self {
            Self::Redis(queue) => queue.append(ballot, capacity).await,
            Self::Sqlite(queue) => queue.append(ballot, capacity).await,
        }
    }

    /// Asks whether the queue would take a vote now, (re)connecting if need be.
    pub async fn probe(&self) -> Result<Probe, Unavailable> {
        match self {
            Self::Redis(queue) => queue.probe().await,
            Self::Sqlite(queue) => queue.probe().await,
        }
    }

    /// Counts what is in the queue.
    pub async fn depth(&self) -> Result<Depth, Unavailable> {
        match self {
            Self::Redis(queue) => queue.depth().await,
            Self::Sqlite(queue) => queue.depth().await,
        }
    }

    /// A reader of the queue under this name. Ballots that another reader
    /// held for `claim_after` without settling are taken from it.
    pub fn consumer(&self, name: &str, claim_after: Duration) -> Consumer {
        match self {
            Self::Redis(queue) => Consumer::Redis(queue.consumer(name, claim_after)),
            Self::Sqlite(queue) => Consumer::Sqlite(queue.consumer(claim_after)),
        }
    }

    /// Removes entries whose ballots are in the ledger for good.
    pub async fn settle(&self, entries: &[EntryId]) -> Result<(), Unavailable> {
        match self {
            Self::Redis(queue) => queue.settle(entries).await,
            Self::Sqlite(queue) => queue.settle(entries).await,
        }
    }

    /// Moves an entry that can never be counted to the dead letters, with the
    /// reason; once, even if two workers hold it.
    pub async fn bury(&self, entry: &EntryId, reason: &str) -> Result<(), Unavailable> {
        match self {
            Self::Redis(queue) => queue.bury(entry, reason).await,
            Self::Sqlite(queue) => queue.bury(entry, reason).await,
        }
    }

    /// Lets everybody know of a replica, until it is silent for a minute.
    pub async fn announce(&self, replica: Uuid, announcement: &Announcement) -> Result<(), Unavailable> {
        match self {
            Self::Redis(queue) => queue.announce(replica, announcement).await,
            Self::Sqlite(queue) => queue.announce(replica, announcement).await,
        }
    }

    /// Takes a replica off the list, because it ends.
    pub async fn farewell(&self, replica: Uuid) -> Result<(), Unavailable> {
        match self {
            Self::Redis(queue) => queue.farewell(replica).await,
            Self::Sqlite(queue) => queue.farewell(replica).await,
        }
    }

    /// The setbacks that were noticed last, the newest first, each with how long ago. A data file has
    /// none: queue and ledger are one file, which is emptied or replaced as a whole.
    pub async fn setbacks(&self) -> Result<Vec<(Setback, Duration)>, Unavailable> {
        match self {
            Self::Redis(queue) => queue.setbacks().await,
            Self::Sqlite(_) => Ok(Vec::new()),
        }
    }

    /// The replicas that were heard of lately.
    pub async fn replicas(&self) -> Result<Vec<Replica>, Unavailable> {
        match self {
            Self::Redis(queue) => queue.replicas().await,
            Self::Sqlite(queue) => queue.replicas().await,
        }
    }
}

/// One reader of the queue.
#[derive(Debug)]
pub enum Consumer {
    /// A member of the consumer group of a Redis stream.
    Redis(redis::RedisConsumer),
    /// A reader of the data file's table.
    Sqlite(sqlite::SqliteConsumer),
}

impl Consumer {
    /// Takes what waits, up to `max`: at once if anything does, otherwise as
    /// soon as something arrives; empty after a while, so that the caller can
    /// stop. Do not drop the future: what it took would have to be claimed.
    pub async fn take(&mut self, max: usize) -> Result<Vec<Delivery>, Unavailable> {
        match self {
            Self::Redis(consumer) => consumer.take(max).await,
            Self::Sqlite(consumer) => consumer.take(max).await,
        }
    }

    /// Says goodbye, so that the queue need not remember this reader.
    pub async fn leave(self) -> Result<(), Unavailable> {
        match self {
            Self::Redis(consumer) => consumer.leave().await,
            Self::Sqlite(_) => Ok(()),
        }
    }
}

/// Names an entry of the queue until it is settled.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub String);

/// One entry as it was taken from the queue.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// What to settle or bury.
    pub entry: EntryId,
    /// The ballot, or why it is none.
    pub ballot: Result<Ballot, String>,
}

/// How an append can fail. The voter is told which of the two it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The ballot is certainly not in the queue.
    #[error("refused: {0}")]
    Refused(String),
    /// The ballot was sent and the answer is missing: it may be in the queue.
    #[error("unconfirmed: {0}")]
    Unconfirmed(String),
}

/// What a healthy queue says of itself.
#[derive(Clone, Debug)]
pub struct Probe {
    /// The queue's clock, in milliseconds since 1970: the one all replicas share.
    pub now_ms: i64,
    /// How long the answer took: the clock is known no better than that.
    pub took: Duration,
    /// What it holds.
    pub depth: Depth,
    /// Why an acknowledged vote might be lost, each in a sentence; empty is well.
    pub warnings: Vec<String>,
}

/// How many entries the queue holds, and since when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Taken by nobody yet.
    pub waiting: u64,
    /// Taken, and not settled yet.
    pub pending: u64,
    /// Dead letters.
    pub dead: u64,
    /// How long the oldest ballot has not been counted; `None` if all are.
    pub oldest: Option<Duration>,
}

impl Depth {
    /// Recorded for the voter, and not in the ledger yet.
    pub fn uncounted(self) -> u64 {
        self.waiting + self.pending
    }
}

/// Between two moments in milliseconds since 1970; clocks may be set back in between.
fn elapsed(since_ms: i64, now_ms: i64) -> Duration {
    Duration::from_millis(now_ms.saturating_sub(since_ms).max(0).unsigned_abs())
}
