//! The state of one replica.

use std::time::Duration;

use presence::Replica;

use crate::HopState;

/// A replica that does not reach its stores by then is broken.
const STARTING_FOR: Duration = Duration::from_secs(15);

/// The state of a replica, as its announcements tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplicaState {
    /// It has just started, and does not reach its stores yet.
    Starting,
    /// Nothing is wrong.
    Well,
    /// It works, but with a warning, or with a fault on purpose.
    Doubtful,
    /// It cannot use a store that it needs.
    Broken,
    /// It was told to stop.
    Stopping,
    /// Its announcements are missing.
    Silent,
}

impl ReplicaState {
    /// The state of this replica. What ends it counts more than what is wrong with it.
    pub fn of(replica: &Replica) -> Self {
        let said = &replica.announcement;
        let is_new = Duration::from_millis(said.running_ms) < STARTING_FOR;
        match () {
            () if replica.is_silent() => Self::Silent,
            () if said.leaving => Self::Stopping,
            () if !said.lacks.is_empty() && is_new => Self::Starting,
            () if !said.lacks.is_empty() => Self::Broken,
            () if said.has_warnings || said.fault.is_some() => Self::Doubtful,
            () => Self::Well,
        }
    }
}

/// The same in the words for hops, which are fewer.
impl From<ReplicaState> for HopState {
    fn from(state: ReplicaState) -> Self {
        match state {
            ReplicaState::Well | ReplicaState::Stopping => Self::Well,
            ReplicaState::Starting | ReplicaState::Doubtful => Self::Doubtful,
            ReplicaState::Broken | ReplicaState::Silent => Self::Broken,
        }
    }
}

#[cfg(test)]
mod tests {
    use presence::Announcement;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_a_replica_says_and_when_it_was_heard_make_its_state() {
        let state = |heard, more: serde_json::Value| {
            let mut said = json!({ "kind": "vote", "name": "vote-1", "version": "1", "running_ms": 60_000 });
            said.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let announcement: Announcement = serde_json::from_value(said).unwrap();
            ReplicaState::of(&Replica { id: Uuid::nil(), announcement, heard: Duration::from_secs(heard) })
        };
        let lacks = json!({ "lacks": ["queue"] });
        assert_eq!(state(1, json!({})), ReplicaState::Well);
        assert_eq!(state(8, json!({})), ReplicaState::Silent);
        assert_eq!(state(1, lacks.clone()), ReplicaState::Broken);
        assert_eq!(state(8, lacks), ReplicaState::Silent);
        assert_eq!(state(1, json!({ "lacks": ["queue"], "running_ms": 1_000 })), ReplicaState::Starting);
        assert_eq!(state(1, json!({ "lacks": ["queue"], "leaving": true })), ReplicaState::Stopping);
        assert_eq!(state(1, json!({ "worries": true })), ReplicaState::Doubtful);
        assert_eq!(state(1, json!({ "fault": "slow 2s" })), ReplicaState::Doubtful);
    }
}
