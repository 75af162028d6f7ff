//! The queue between `vote` and `worker`, where a vote is safe before it is counted.
//!
//! Every backend promises two things. When [`Queue::append`] returns `Ok`, the
//! ballot is on disk. An entry that was taken and not settled is delivered again.

mod append;
mod progress;
mod redis;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use election::{Ballot, Labels, PollId};
use store::Unavailable;

use self::append::Appender;
pub use self::progress::{Fate, Progress, Receipt};
pub use self::redis::{EPOCH, RedisConsumer, RedisQueue, STREAM};
#[cfg(feature = "sqlite")]
pub use self::sqlite::{SqliteConsumer, SqliteQueue};

/// A worker that has held an entry for this long without settling it counts as
/// dead, and another worker claims the entry. A batch takes a fraction of this
/// time. A claim that comes too early does no harm, because recording a ballot
/// twice changes nothing.
pub const CLAIM_AFTER: Duration = Duration::from_secs(5);

/// How long [`Consumer::take`] waits for a first entry before it returns none,
/// so that its caller can check for a shutdown and for dead workers.
const FIRST_ENTRY_WITHIN: Duration = Duration::from_secs(1);

/// The reason for which a full queue refuses a vote. It never evicts one: trimming
/// the stream would drop votes that nobody has read.
const FULL: &str = "the queue holds as many votes as QUEUE_MAX allows";

/// The queue, on whichever store the settings name.
#[derive(Clone, Debug)]
pub enum Queue {
    /// A Redis stream, shared by all replicas.
    Redis(RedisQueue),
    /// A table of the data file of the embedded mode.
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteQueue),
}

impl Queue {
    /// Appends a ballot durably, unless `capacity` ballots wait already. Ballots that wait for the
    /// disk at the same time share its sync.
    pub async fn append(&self, ballot: Ballot, capacity: u64) -> Result<Receipt, AppendError> {
        self.appender().append(ballot, capacity).await
    }

    /// Says whether the queue keeps what it acknowledges, as far as its user demands. While it does
    /// not, ballots are refused, also those that wait for the disk already.
    pub fn trust(&self, trusted: bool) {
        self.appender().trust(trusted);
    }

    /// Asks whether the queue would take a vote now. Connects first if necessary.
    pub async fn probe(&self) -> Result<Probe, Unavailable> {
        match self {
            Self::Redis(queue) => queue.probe().await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(queue) => queue.probe().await,
        }
    }

    /// Looks at how far the queue has come. `earlier` is the last such look, so that dead letters
    /// that it has read need not be read again.
    pub async fn progress(&self, earlier: Progress) -> Result<Progress, Unavailable> {
        match self {
            Self::Redis(queue) => queue.progress(earlier).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(queue) => queue.progress().await,
        }
    }

    /// Keeps the labels for which votes of this poll are recorded. An option that has a label
    /// already keeps it. Like an append, it opens no connection.
    pub async fn keep_labels(&self, poll: &PollId, labels: &Labels) -> Result<(), Unavailable> {
        match self {
            Self::Redis(queue) => queue.keep_labels(poll, labels).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(queue) => queue.keep_labels(poll, labels).await,
        }
    }

    /// The labels that are kept for this poll.
    pub async fn labels(&self, poll: &PollId) -> Result<Labels, Unavailable> {
        match self {
            Self::Redis(queue) => queue.labels(poll).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(queue) => queue.labels(poll).await,
        }
    }

    /// Counts what is in the queue.
    pub async fn depth(&self) -> Result<Depth, Unavailable> {
        match self {
            Self::Redis(queue) => queue.depth().await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(queue) => queue.depth().await,
        }
    }

    /// A consumer with this name. It claims entries that another consumer has
    /// held for `claim_after` without settling them.
    pub fn consumer(&self, name: &str, claim_after: Duration) -> Consumer {
        match self {
            Self::Redis(queue) => Consumer::Redis(queue.consumer(name, claim_after)),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(queue) => Consumer::Sqlite(queue.consumer(claim_after)),
        }
    }

    /// Says that the consumer with this name still works on these entries, so that no
    /// other consumer claims them.
    pub async fn renew(&self, consumer: &str, entries: &[EntryId]) -> Result<(), Unavailable> {
        match self {
            Self::Redis(queue) => queue.renew(consumer, entries).await,
            #[cfg(feature = "sqlite")]
            // One process has the data file, and no other consumer.
            Self::Sqlite(_) => Ok(()),
        }
    }

    /// Removes entries whose ballots are in the ledger for good.
    pub async fn settle(&self, entries: &[EntryId]) -> Result<(), Unavailable> {
        match self {
            Self::Redis(queue) => queue.settle(entries).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(queue) => queue.settle(entries).await,
        }
    }

    /// Moves an entry that can never be counted to the dead letters, with the
    /// reason. It is moved only once, even if two workers hold it.
    pub async fn bury(&self, entry: &EntryId, reason: &str) -> Result<(), Unavailable> {
        match self {
            Self::Redis(queue) => queue.bury(entry, reason).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(queue) => queue.bury(entry, reason).await,
        }
    }

    fn appender(&self) -> &Appender {
        match self {
            Self::Redis(queue) => queue.appender(),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(queue) => queue.appender(),
        }
    }
}

/// A worker's access to the queue.
#[derive(Debug)]
pub enum Consumer {
    /// A member of the consumer group of a Redis stream.
    Redis(RedisConsumer),
    /// A consumer of the data file's table.
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteConsumer),
}

impl Consumer {
    /// Takes up to `max` entries: at once if any wait, otherwise as soon as one
    /// arrives. If none arrives within a second, it returns none, so that the
    /// caller can stop. Do not drop the future: another consumer would then have
    /// to claim the entries that it took.
    pub async fn take(&mut self, max: usize) -> Result<Vec<Delivery>, Unavailable> {
        match self {
            Self::Redis(consumer) => consumer.take(max).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(consumer) => consumer.take(max).await,
        }
    }

    /// The consumer's name in the queue's list.
    pub fn name(&self) -> &str {
        match self {
            Self::Redis(consumer) => consumer.name(),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => "",
        }
    }

    /// Removes this consumer from the queue's list.
    pub async fn leave(self) -> Result<(), Unavailable> {
        match self {
            Self::Redis(consumer) => consumer.leave().await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Ok(()),
        }
    }
}

/// The id of an entry in the queue.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub String);

/// An entry that a consumer took from the queue.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The entry to settle or bury.
    pub entry: EntryId,
    /// The ballot, or the reason why the entry holds none.
    pub ballot: Result<Ballot, String>,
}

/// How an append can fail. The voter learns which of the two happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The ballot is certainly not in the queue.
    #[error("refused: {0}")]
    Refused(String),
    /// The ballot was sent, but no answer came. It may be in the queue.
    #[error("unconfirmed: {0}")]
    Unconfirmed(String),
}

/// The answer of a healthy queue to a probe.
#[derive(Clone, Debug)]
pub struct Probe {
    /// The time on the queue's clock, which all replicas share, in milliseconds since 1970.
    pub now_ms: i64,
    /// How long the answer took. The time may be wrong by as much.
    pub took: Duration,
    /// How many entries the queue holds.
    pub depth: Depth,
    /// Why an acknowledged vote might be lost. Empty if all is well.
    pub risks: Vec<Risk>,
}

/// A reason why an acknowledged vote might be lost, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Risk {
    /// A setting of the queue is known to be bad.
    Known(String),
    /// The queue does not tell a setting.
    Hidden(String),
}

impl Display for Risk {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (Self::Known(sentence) | Self::Hidden(sentence)) = self;
        f.write_str(sentence)
    }
}

/// How many entries the queue holds, and how long the oldest has been there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Entries that no worker has taken yet.
    pub untaken: u64,
    /// Entries that a worker has taken and not settled yet.
    pub pending: u64,
    /// Dead letters.
    pub dead: u64,
    /// How long the oldest uncounted ballot has waited; `None` if all are counted.
    pub oldest: Option<Duration>,
}

impl Depth {
    /// How many votes are recorded and not counted yet.
    pub fn uncounted(self) -> u64 {
        self.untaken + self.pending
    }
}

/// The time between two moments, which are given in milliseconds since 1970. It
/// is zero if the clock was set back in between.
fn elapsed(since_ms: i64, now_ms: i64) -> Duration {
    Duration::from_millis(now_ms.saturating_sub(since_ms).max(0).unsigned_abs())
}
