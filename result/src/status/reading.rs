//! What the stores say of a vote's way, at a moment.

use std::time::Duration;

use common::ledger::Ledger;
use common::poll::Poll;
use common::presence::{Kind, Presence, Replica, SILENT_AFTER};
use common::queue::{Depth, Queue};
use common::setback::Setback;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use crate::snapshot::Snapshot;

/// Two announcements of everybody: whoever has not been heard by then, once
/// announcements arrive at all, is not there.
const SETTLED_AFTER: Duration = Duration::from_secs(4);

/// The totals are read meanwhile, so nothing but this page waits for it.
const OTHER_POLL_WITHIN: Duration = Duration::from_secs(2);

/// What the stores say.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    /// Nothing while it is away.
    pub(crate) queue: Option<QueueReading>,
    pub(crate) ledger: LedgerReading,
}

/// What the queue says.
#[derive(Clone, Debug)]
pub(crate) struct QueueReading {
    pub(crate) depth: Depth,
    pub(crate) replicas: Vec<Replica>,
    /// Whether who is not among them is not there. Announcements that cannot
    /// be written, or were all lost just now, say nothing of anybody.
    pub(crate) settled: bool,
    /// Whether our own announcement has long been missing there.
    pub(crate) takes_no_writes: bool,
    /// What either store lost, the newest first, each with how long ago.
    pub(crate) setbacks: Vec<(Setback, Duration)>,
}

/// What the ledger says, or last said.
#[derive(Clone, Debug)]
pub(crate) struct LedgerReading {
    /// Nothing before it was asked.
    pub(crate) live: Option<bool>,
    /// What it counted, once it ever answered.
    pub(crate) total: Option<i64>,
    /// For how long it has not answered us.
    pub(crate) away: Duration,
    /// When its totals last moved, if this replica saw it.
    pub(crate) changed: Option<Instant>,
    /// Another poll that has votes, while this one has none.
    pub(crate) elsewhere: Option<(String, u64)>,
}

impl QueueReading {
    /// The replicas of one kind.
    pub(crate) fn of(&self, kind: Kind) -> impl Iterator<Item = &Replica> {
        self.replicas.iter().filter(move |replica| replica.announcement.kind == kind)
    }

    /// Those of them that are there.
    pub(crate) fn there(&self, kind: Kind) -> impl Iterator<Item = &Replica> {
        self.of(kind).filter(|replica| !replica.is_silent())
    }
}

/// Reads the queue again and again, and remembers whether announcements arrive.
#[derive(Debug)]
pub(super) struct QueueReader<'a> {
    queue: &'a Queue,
    ourselves: &'a Presence,
    /// When our own announcement was last found there, and since when it always was.
    heard: Instant,
    heard_since: Option<Instant>,
}

impl<'a> QueueReader<'a> {
    pub(super) fn of(queue: &'a Queue, ourselves: &'a Presence) -> Self {
        Self { queue, ourselves, heard: Instant::now(), heard_since: None }
    }

    /// What it says, if it tells at least how many wait.
    pub(super) async fn read(&mut self) -> Option<QueueReading> {
        let Ok(depth) = self.queue.depth().await else {
            (self.heard, self.heard_since) = (Instant::now(), None);
            return None;
        };
        let replicas = without_the_reborn(self.queue.replicas().await.unwrap_or_default());
        let now = Instant::now();
        let is_us = |replica: &Replica| replica.id == self.ourselves.id() && !replica.is_silent();
        if replicas.iter().any(is_us) {
            self.heard = now;
            self.heard_since.get_or_insert(now);
        } else {
            self.heard_since = None;
        }
        Some(QueueReading {
            depth,
            replicas,
            settled: self.heard_since.is_some_and(|since| now.duration_since(since) > SETTLED_AFTER),
            takes_no_writes: now.duration_since(self.heard) > SILENT_AFTER,
            setbacks: self.queue.setbacks().await.unwrap_or_default(),
        })
    }
}

/// By name, without those that are silent because they ended, and came back
/// under their name: a container whose process crashed does.
fn without_the_reborn(mut replicas: Vec<Replica>) -> Vec<Replica> {
    let reborn: Vec<_> =
        replicas.iter().filter(|one| replicas.iter().any(|other| is_heir(other, one))).collect();
    let reborn: Vec<_> = reborn.into_iter().map(|replica| replica.id).collect();
    replicas.retain(|replica| !reborn.contains(&replica.id));
    replicas.sort_by(|one, other| one.announcement.name.cmp(&other.announcement.name));
    replicas
}

fn is_heir(heir: &Replica, of: &Replica) -> bool {
    let (new, old) = (&heir.announcement, &of.announcement);
    let started = heir.heard + Duration::from_millis(new.running_ms);
    of.is_silent() && !heir.is_silent() && new.kind == old.kind && new.name == old.name && started < of.heard
}

/// Follows the totals that are shown, and asks the ledger only about what those do not tell.
#[derive(Debug)]
pub(super) struct LedgerReader {
    ledger: Ledger,
    answered: Instant,
    counted: Option<(Uuid, i64)>,
    changed: Option<Instant>,
}

impl LedgerReader {
    pub(super) fn of(ledger: &Ledger) -> Self {
        Self { ledger: ledger.aside(), answered: Instant::now(), counted: None, changed: None }
    }

    pub(super) async fn read(&mut self, poll: &Poll, shown: &Snapshot) -> LedgerReading {
        let now = Instant::now();
        if shown.live {
            self.answered = now;
            let counted = Some((shown.epoch, shown.version));
            // What was counted before this replica saw it, was counted nobody knows when.
            if self.counted.is_some() && self.counted != counted {
                self.changed = Some(now);
            }
            self.counted = counted;
        }
        let away = now.duration_since(self.answered);
        let known = shown.as_of.is_some();
        LedgerReading {
            live: (known || away > SETTLED_AFTER).then_some(shown.live),
            total: known.then_some(shown.total),
            away,
            changed: self.changed,
            elsewhere: if shown.live && shown.total == 0 { self.other_poll(poll).await } else { None },
        }
    }

    async fn other_poll(&self, poll: &Poll) -> Option<(String, u64)> {
        timeout(OTHER_POLL_WITHIN, self.ledger.other_poll(&poll.id)).await.ok()?.ok()?
    }
}
