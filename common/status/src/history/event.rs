//! What can happen.

use presence::{Kind, Replica};
use serde::{Deserialize, Serialize};
use service::Store;
use uuid::Uuid;

use crate::Setback;

/// What happened at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When, in milliseconds since 1970, on the clock of the queue.
    pub at_ms: i64,
    /// What.
    #[serde(flatten)]
    pub what: Happening,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Happening {
    /// A replica announced itself for the first time.
    Appeared(Who),
    /// A replica took the place of one of the same name, which had fallen silent or crashed.
    Restarted(Who),
    /// A replica's announcements are missing.
    FellSilent(Who),
    /// A silent replica announces itself again.
    Heard(Who),
    /// A replica stopped as it should.
    Left(Who),
    /// A store does not answer.
    Away {
        /// The store.
        store: Store,
    },
    /// A store answers again.
    Back {
        /// The store.
        store: Store,
        /// For how long it was away, in milliseconds.
        after_ms: i64,
    },
    /// A store was wiped or set back.
    SetBack(Setback),
    /// A service changes its release.
    Rollout {
        /// The service.
        kind: Kind,
        /// The release of the replica that came last.
        release: String,
        /// How many replicas have that release.
        on: u64,
        /// How many replicas run.
        of: u64,
    },
    /// What another release noted and this one cannot read. It is kept as it is.
    #[serde(untagged)]
    Unknown(serde_json::Map<String, serde_json::Value>),
}

/// A replica, as an event names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// Distinguishes it from others with the same name.
    pub id: Uuid,
    /// The kind of its service.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// The machine that it ran on, if it knew.
    pub node: Option<String>,
    /// Its release.
    pub release: String,
}

impl Happening {
    /// The replica that it is about, if it is about one.
    pub fn who(&self) -> Option<&Who> {
        match self {
            Self::Appeared(who)
            | Self::Restarted(who)
            | Self::FellSilent(who)
            | Self::Heard(who)
            | Self::Left(who) => Some(who),
            _ => None,
        }
    }
}

impl Who {
    /// How an event names this replica.
    pub fn of(replica: &Replica) -> Self {
        let said = &replica.announcement;
        let (kind, name) = (said.kind, said.name.clone());
        Self { id: replica.id, kind, name, node: said.node.clone(), release: said.release.clone() }
    }

    /// Whether another one has its name.
    pub fn is_namesake(&self, other: &Self) -> bool {
        self.kind == other.kind && self.name == other.name
    }
}
