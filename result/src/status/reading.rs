//! What the stores say of a vote's way, at a moment.

use common::ledger::Ledger;
use common::outage::Unavailable;
use common::poll::Poll;
use common::presence::{Kind, Replica};
use common::queue::{Depth, Queue};
use common::setback::Setback;
use tokio::time::Instant;

use crate::snapshot::Snapshot;

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
    /// What either store lost, the newest first.
    pub(crate) setbacks: Vec<Setback>,
}

/// What the ledger says, or last said.
#[derive(Clone, Debug)]
pub(crate) struct LedgerReading {
    pub(crate) live: bool,
    /// Whether it ever answered.
    pub(crate) known: bool,
    pub(crate) total: i64,
    /// When its totals last moved, if this replica saw it.
    pub(crate) changed: Option<Instant>,
    /// Another poll that has votes, while this one has none.
    pub(crate) elsewhere: Option<(String, u64)>,
}

impl QueueReading {
    pub(super) async fn take(queue: &Queue) -> Result<Self, Unavailable> {
        let (depth, setbacks) = (queue.depth().await?, queue.setbacks().await?);
        let mut replicas = queue.replicas().await?;
        replicas.sort_by(|one, other| one.announcement.name.cmp(&other.announcement.name));
        Ok(Self { depth, replicas, setbacks })
    }

    /// The replicas of one kind.
    pub(crate) fn of(&self, kind: Kind) -> impl Iterator<Item = &Replica> {
        self.replicas.iter().filter(move |replica| replica.announcement.kind == kind)
    }
}

impl LedgerReading {
    /// Takes the totals that are shown; asks the ledger only about what those do not tell.
    pub(super) async fn take(
        ledger: &Ledger,
        poll: &Poll,
        shown: &Snapshot,
        changed: Option<Instant>,
    ) -> Self {
        let is_empty = shown.live && shown.total == 0;
        let elsewhere = if is_empty { ledger.other_poll(&poll.id).await.unwrap_or_default() } else { None };
        Self { live: shown.live, known: shown.as_of.is_some(), total: shown.total, changed, elsewhere }
    }
}
