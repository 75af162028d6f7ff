//! What the stores say at one moment about the hops of a vote.

use std::time::{Duration, Instant, SystemTime};

use election::Relabelled;
use presence::{Kind, Replica};
use queue::Depth;

use crate::{Happening, History, Setback, Who};

/// Every vote waits for a moment. A vote that waits longer than this is held up.
const HELD_UP_AFTER: Duration = Duration::from_secs(2);

/// What the stores say. The default is for the time before they were first read.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// When they were read. `None` before the first time.
    pub at: Option<SystemTime>,
    /// What the queue says, unless it is away.
    pub queue: Option<QueueReading>,
    /// What the ledger says, or last said.
    pub ledger: LedgerReading,
    /// For how long both stores have answered.
    pub answering: Duration,
    /// What happened lately.
    pub history: HistoryReading,
}

/// What happened lately, as it was last read.
#[derive(Clone, Debug, Default)]
pub struct HistoryReading {
    /// What happened.
    pub history: History,
    /// When it was read. `None` before the first time.
    pub at: Option<SystemTime>,
    /// The time on the clock of the queue then, in milliseconds since 1970.
    pub now_ms: i64,
}

/// What the queue and the registry say.
#[derive(Clone, Debug, Default)]
pub struct QueueReading {
    /// How many entries the queue holds.
    pub depth: Depth,
    /// The replicas, sorted by name.
    pub replicas: Vec<Replica>,
    /// Whether the list is complete, so that a replica that is not on it does not
    /// run. It is not complete while announcements cannot be written, or just
    /// after all of them were lost.
    pub is_complete: bool,
    /// Whether our own announcement has been missing for so long that Redis seems
    /// to take no writes.
    pub takes_no_writes: bool,
    /// The setbacks, the latest first, and how long ago each was noticed.
    pub setbacks: Vec<(Setback, Duration)>,
}

/// What the ledger says, or last said.
#[derive(Clone, Debug, Default)]
pub struct LedgerReading {
    /// Whether it answers. `None` while that is not known.
    pub live: Option<bool>,
    /// How many votes this poll has. `None` until the ledger first answers.
    pub total: Option<i64>,
    /// For how long it has not answered this replica.
    pub away: Duration,
    /// When its totals last changed, if this replica saw that.
    pub changed: Option<Instant>,
    /// If this poll has no votes, another poll that has some, and how many.
    pub elsewhere: Option<(String, u64)>,
    /// The options that had other labels when votes for them were recorded.
    pub relabelled: Vec<Relabelled>,
}

impl HistoryReading {
    /// How long before the reading an event happened. An event of the future happened before the clock
    /// of the queue was set back, so it is old.
    pub fn ago(&self, at_ms: i64) -> Duration {
        u64::try_from(self.now_ms.saturating_sub(at_ms)).map_or(Duration::MAX, Duration::from_millis)
    }

    /// The nodes on which something happened within this time before the reading.
    pub fn nodes_within(&self, time: Duration) -> impl Iterator<Item = &str> {
        let lately = self.history.events.iter().filter(move |event| self.ago(event.at_ms) < time);
        lately.filter_map(|event| event.what.who()?.node.as_deref())
    }

    /// The replicas that left within this time before the reading.
    pub fn just_left(&self, within: Duration) -> impl Iterator<Item = &Who> {
        self.history.events.iter().filter_map(move |event| match &event.what {
            Happening::Left(who) if self.ago(event.at_ms) < within => Some(who),
            _ => None,
        })
    }
}

impl QueueReading {
    /// How many recorded votes wait to be counted, if any of them is held up.
    pub fn held_up(&self) -> Option<u64> {
        self.depth.oldest.filter(|oldest| *oldest > HELD_UP_AFTER).map(|_| self.depth.uncounted())
    }

    /// The replicas of one kind.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &Replica> {
        self.replicas.iter().filter(move |replica| replica.announcement.kind == kind)
    }

    /// The replicas of one kind that are not silent.
    pub fn running(&self, kind: Kind) -> impl Iterator<Item = &Replica> {
        self.of(kind).filter(|replica| !replica.is_silent())
    }

    /// How long ago any replica of this kind last recorded or counted a vote.
    pub fn last_done(&self, kind: Kind) -> Option<Duration> {
        let ago =
            |replica: &Replica| Some(Duration::from_millis(replica.announcement.idle_ms?) + replica.heard);
        self.running(kind).filter_map(ago).min()
    }
}
