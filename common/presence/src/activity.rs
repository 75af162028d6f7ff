//! The presence of this replica: what it does, and how it announces itself.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use election::{Poll, clean_label, random_uuid};
use service::{Health, Identity};
use tokio::time::{timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Registry;
use crate::announcement::{ANNOUNCE_EVERY, Announcement, Kind, LATELY_ANNOUNCEMENTS};

/// A replica waits only this long for the registry when it stops.
const LEAVE_WITHIN: Duration = Duration::from_secs(1);

/// The presence of this replica. All clones stand for the same replica.
#[derive(Clone, Debug)]
pub struct Presence(Arc<Activity>);

#[derive(Debug)]
struct Activity {
    id: Uuid,
    kind: Kind,
    name: String,
    release: String,
    node: Option<String>,
    poll: Option<String>,
    registry: Registry,
    started: Instant,
    /// How many votes the replica has recorded or counted.
    votes: AtomicU64,
    /// When it last recorded or counted one, in milliseconds since its start.
    last_vote_ms: AtomicU64,
    viewers: AtomicU64,
}

impl Presence {
    /// The presence of a replica that has just started, with the poll that it runs
    /// and the registry in which it announces itself.
    pub fn starting(kind: Kind, replica: &Identity, poll: Option<&Poll>, registry: Registry) -> Self {
        Self(Arc::new(Activity {
            id: random_uuid(),
            kind,
            name: clean_label(&replica.name),
            release: clean_label(&replica.release),
            node: replica.node.as_deref().map(clean_label),
            poll: poll.map(|poll| poll.id.to_string()),
            registry,
            started: Instant::now(),
            votes: AtomicU64::new(0),
            last_vote_ms: AtomicU64::new(0),
            viewers: AtomicU64::new(0),
        }))
    }

    /// Distinguishes the replica from others with the same name.
    pub fn id(&self) -> Uuid {
        self.0.id
    }

    /// The replica's name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The name of its release.
    pub fn release(&self) -> &str {
        &self.0.release
    }

    /// The name of the machine that it runs on, if it knows.
    pub fn node(&self) -> Option<&str> {
        self.0.node.as_deref()
    }

    /// The registry, which lists all replicas, including this one.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// Notes that the replica recorded or counted this many votes.
    pub fn did(&self, votes: u64) {
        if votes > 0 {
            self.0.last_vote_ms.store(self.0.running_ms(), Ordering::Relaxed);
            self.0.votes.fetch_add(votes, Ordering::Relaxed);
        }
    }

    /// Counts one more viewer, until the returned guard is dropped.
    pub fn viewer(&self) -> Watching {
        self.0.viewers.fetch_add(1, Ordering::Relaxed);
        Watching(self.0.clone())
    }

    /// Announces the replica until `shutdown`, and then removes it from the list.
    ///
    /// A failure is only a debug message: the registry is in the same Redis as the
    /// queue, and the code that uses the queue logs the outage.
    pub async fn keep(&self, health: &Health, shutdown: &CancellationToken) {
        let Activity { id, registry, .. } = &*self.0;
        let announcing = async {
            let mut former_votes = VecDeque::from([0; LATELY_ANNOUNCEMENTS]);
            loop {
                let mut announcement = self.0.announcement(&mut former_votes, health);
                let next = Instant::now() + ANNOUNCE_EVERY;
                loop {
                    if let Err(error) = registry.announce(*id, &announcement).await {
                        tracing::debug!("could not announce this replica: {error}");
                    }
                    // A replica that hangs on purpose cannot announce that later.
                    let Ok(fault) =
                        timeout_at(next.into(), health.faults().change(announcement.fault.as_deref())).await
                    else {
                        break;
                    };
                    announcement.fault = fault;
                }
            }
        };
        shutdown.run_until_cancelled(announcing).await;
        match timeout(LEAVE_WITHIN, registry.leave(*id)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!("could not take this replica off the list: {error}"),
            Err(_) => tracing::debug!("could not take this replica off the list within {LEAVE_WITHIN:?}"),
        }
    }
}

/// Counts somebody who watches the results, until it is dropped.
#[derive(Debug)]
pub struct Watching(Arc<Activity>);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.viewers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Activity {
    /// What the replica announces now. `former_votes` holds its number of votes at
    /// each of the last announcements.
    fn announcement(&self, former_votes: &mut VecDeque<u64>, health: &Health) -> Announcement {
        let (running_ms, votes) = (self.running_ms(), self.votes.load(Ordering::Relaxed));
        former_votes.push_back(votes);
        let before = former_votes.pop_front().unwrap_or(votes);
        let last_vote_ms = self.last_vote_ms.load(Ordering::Relaxed);
        Announcement {
            kind: self.kind,
            name: self.name.clone(),
            release: self.release.clone(),
            node: self.node.clone(),
            poll: self.poll.clone(),
            running_ms,
            lately: votes - before,
            idle_ms: (votes > 0).then(|| running_ms.saturating_sub(last_vote_ms)),
            viewers: (self.kind == Kind::Result).then(|| self.viewers.load(Ordering::Relaxed)),
            lacks: health.lacks(),
            has_warnings: health.has_warnings(),
            leaving: health.is_stopping(),
            fault: health.faults().name(),
        }
    }

    fn running_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }
}

#[cfg(test)]
mod tests {
    use service::Store;

    use super::*;
    use crate::LocalRegistry;

    fn presence(kind: Kind) -> Presence {
        let registry = Registry::Local(LocalRegistry::default());
        Presence::starting(kind, &Identity::of_this_process(), None, registry)
    }

    #[test]
    fn votes_count_as_recent_for_a_while() {
        let presence = presence(Kind::Vote);
        let health = Health::starting(&[Store::Queue]);
        let mut former_votes = VecDeque::from([0; LATELY_ANNOUNCEMENTS]);
        let mut announcement = || presence.0.announcement(&mut former_votes, &health);
        assert_eq!((announcement().lately, announcement().idle_ms), (0, None));
        presence.did(0);
        assert_eq!(announcement().idle_ms, None, "nothing was done");
        presence.did(3);
        for _ in 0..LATELY_ANNOUNCEMENTS {
            assert_eq!(announcement().lately, 3);
        }
        assert_eq!(announcement().lately, 0);
        assert!(announcement().idle_ms.is_some());
    }

    #[test]
    fn an_announcement_tells_what_the_replica_lacks_and_how_many_watch() {
        let presence = presence(Kind::Result);
        let health = Health::starting(&[Store::Ledger]);
        let announcement = || presence.0.announcement(&mut VecDeque::from([0]), &health);
        assert_eq!(announcement().lacks, [Store::Ledger]);
        let viewers = [presence.viewer(), presence.viewer()];
        health.report(Store::Ledger, Ok(Vec::new()));
        assert_eq!((announcement().viewers, announcement().lacks), (Some(2), Vec::new()));
        drop(viewers);
        health.stopping();
        assert_eq!((announcement().viewers, announcement().leaving), (Some(0), true));
    }
}
