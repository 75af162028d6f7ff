//! What the stores say at one moment about the hops of a vote.

use std::time::{Duration, Instant};

use election::{Poll, PollId};
use ledger::Ledger;
use presence::{Kind, Presence, Registry, Replica, SILENT_AFTER};
use queue::{Depth, Queue};
use tokio::time::timeout;
use uuid::Uuid;

use crate::{Setback, SetbackLog};

/// Once announcements have arrived for this long, a replica that is not listed
/// does not run: every running replica has announced itself twice by then.
const COMPLETE_AFTER: Duration = Duration::from_secs(4);

/// The diagnosis waits this long for the other poll. The totals do not wait.
const OTHER_POLL_WITHIN: Duration = Duration::from_secs(2);

/// Every vote waits for a moment. A vote that waits longer than this is held up.
const HELD_UP_AFTER: Duration = Duration::from_secs(2);

/// What the stores say.
#[derive(Clone, Debug)]
pub struct Reading {
    /// What the queue says, unless it is away.
    pub queue: Option<QueueReading>,
    /// What the ledger says, or last said.
    pub ledger: LedgerReading,
    /// For how long both stores have answered.
    pub answering: Duration,
}

/// What the queue and the registry say.
#[derive(Clone, Debug)]
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
#[derive(Clone, Debug)]
pub struct LedgerReading {
    /// Whether it answers. `None` while that is not known.
    pub live: Option<bool>,
    /// How many votes of this poll it has counted. `None` until it first answers.
    pub total: Option<i64>,
    /// For how long it has not answered this replica.
    pub away: Duration,
    /// When its totals last changed, if this replica saw that.
    pub changed: Option<Instant>,
    /// If this poll has no votes, another poll that has some, and how many.
    pub elsewhere: Option<(String, u64)>,
}

/// The totals that viewers are shown.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// Whether the ledger answered when it was last asked.
    pub live: bool,
    /// The epoch, version and sum of the totals. `None` until the ledger first answers.
    pub totals: Option<(Uuid, i64, i64)>,
}

impl QueueReading {
    /// The replicas of one kind.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &Replica> {
        self.replicas.iter().filter(move |replica| replica.announcement.kind == kind)
    }

    /// The replicas of one kind that are not silent.
    pub fn running(&self, kind: Kind) -> impl Iterator<Item = &Replica> {
        self.of(kind).filter(|replica| !replica.is_silent())
    }

    /// How many recorded votes wait to be counted, if any of them is held up.
    pub fn held_up(&self) -> Option<u64> {
        self.depth.oldest.filter(|oldest| *oldest > HELD_UP_AFTER).map(|_| self.depth.uncounted())
    }
}

/// Reads the stores again and again, and remembers what a single reading cannot show.
#[derive(Debug)]
pub struct StatusReader<'a> {
    queue: QueueReader<'a>,
    ledger: LedgerReader,
    /// Since when both stores have answered.
    answering_since: Instant,
}

impl<'a> StatusReader<'a> {
    /// Reads these stores for the replica `us`, which announces itself.
    pub fn of(
        queue: &'a Queue,
        registry: &'a Registry,
        setbacks: Option<&'a SetbackLog>,
        ledger: &Ledger,
        us: &'a Presence,
    ) -> Self {
        let (now, ledger) = (Instant::now(), ledger.on_side_connection());
        Self {
            queue: QueueReader { queue, registry, setbacks, us, heard: now, heard_since: None },
            ledger: LedgerReader { ledger, answered: now, seen: None, changed: None },
            answering_since: now,
        }
    }

    /// Reads the stores. `shown` is called after the queue was read, because that may take long.
    pub async fn read(&mut self, poll: &Poll, shown: impl FnOnce() -> Shown) -> Reading {
        let queue = self.queue.read().await;
        let ledger = self.ledger.read(&poll.id, shown()).await;
        let now = Instant::now();
        if queue.is_none() || ledger.live == Some(false) {
            self.answering_since = now;
        }
        Reading { queue, ledger, answering: now.duration_since(self.answering_since) }
    }
}

/// Reads the queue, and remembers whether announcements arrive.
#[derive(Debug)]
struct QueueReader<'a> {
    queue: &'a Queue,
    registry: &'a Registry,
    setbacks: Option<&'a SetbackLog>,
    us: &'a Presence,
    /// When our own announcement was last listed, and since when it has been listed
    /// without a gap.
    heard: Instant,
    heard_since: Option<Instant>,
}

impl QueueReader<'_> {
    /// What the queue says, if it says at least how many votes wait. An outage is
    /// not logged here: the feed reads the same number and logs it.
    async fn read(&mut self) -> Option<QueueReading> {
        let Ok(depth) = self.queue.depth().await else {
            (self.heard, self.heard_since) = (Instant::now(), None);
            return None;
        };
        let replicas = without_restarted(self.registry.replicas().await.unwrap_or_default());
        let now = Instant::now();
        if replicas.iter().any(|replica| replica.id == self.us.id() && !replica.is_silent()) {
            self.heard = now;
            self.heard_since.get_or_insert(now);
        } else {
            self.heard_since = None;
        }
        Some(QueueReading {
            depth,
            replicas,
            is_complete: self.heard_since.is_some_and(|since| now.duration_since(since) > COMPLETE_AFTER),
            takes_no_writes: now.duration_since(self.heard) > SILENT_AFTER,
            setbacks: match self.setbacks {
                Some(log) => log.latest().await.unwrap_or_default(),
                None => Vec::new(),
            },
        })
    }
}

/// Sorts the replicas by name, and removes silent ones that run again under the
/// same name. A container whose process crashed is such a one.
fn without_restarted(mut replicas: Vec<Replica>) -> Vec<Replica> {
    let restarted: Vec<Uuid> = replicas
        .iter()
        .filter(|former| replicas.iter().any(|replica| is_restart(replica, former)))
        .map(|former| former.id)
        .collect();
    replicas.retain(|replica| !restarted.contains(&replica.id));
    replicas.sort_by(|one, other| one.announcement.name.cmp(&other.announcement.name));
    replicas
}

fn is_restart(replica: &Replica, former: &Replica) -> bool {
    let (new, old) = (&replica.announcement, &former.announcement);
    let started = replica.heard + Duration::from_millis(new.running_ms);
    former.is_silent()
        && !replica.is_silent()
        && new.kind == old.kind
        && new.name == old.name
        && started < former.heard
}

/// Follows the totals that viewers are shown. It asks the ledger only for other polls.
#[derive(Debug)]
struct LedgerReader {
    ledger: Ledger,
    answered: Instant,
    /// The epoch and the version that were last shown.
    seen: Option<(Uuid, i64)>,
    changed: Option<Instant>,
}

impl LedgerReader {
    async fn read(&mut self, poll: &PollId, shown: Shown) -> LedgerReading {
        let now = Instant::now();
        let seen = shown.totals.map(|(epoch, version, _)| (epoch, version));
        let total = shown.totals.map(|(.., total)| total);
        if shown.live {
            self.answered = now;
            // The votes of the first reading were counted before it. Nobody knows when.
            if self.seen.is_some() && self.seen != seen {
                self.changed = Some(now);
            }
            self.seen = seen;
        }
        let away = now.duration_since(self.answered);
        LedgerReading {
            live: (total.is_some() || away > COMPLETE_AFTER).then_some(shown.live),
            total,
            away,
            changed: self.changed,
            elsewhere: if shown.live && total == Some(0) { self.other_poll(poll).await } else { None },
        }
    }

    async fn other_poll(&self, poll: &PollId) -> Option<(String, u64)> {
        timeout(OTHER_POLL_WITHIN, self.ledger.other_poll(poll)).await.ok()?.ok()?
    }
}
