//! Who is there: every replica announces itself through the queue, so that
//! `result` can show where a vote is. Nobody asks Docker.
//!
//! Replicas of several releases read each other's announcements, so whatever
//! is not needed to know who it is may be missing.

use std::collections::VecDeque;
use std::fmt::{self, Display, Formatter};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::ballot::random_uuid;
use crate::health::{Health, Part};
use crate::poll::Poll;
use crate::queue::Queue;

/// Often enough that who scales or kills sees it within seconds, and next to
/// nothing for a queue that takes thousands of votes a second.
const ANNOUNCE_EVERY: Duration = Duration::from_secs(2);

/// As many announcements as what was done is remembered for.
const LATELY_ANNOUNCEMENTS: usize = 15;

/// What was done within this was done lately.
pub const LATELY: Duration = ANNOUNCE_EVERY.saturating_mul(LATELY_ANNOUNCEMENTS as u32);

/// Three announcements are missing by then, and one may just have been late.
pub const SILENT_AFTER: Duration = Duration::from_secs(7);

/// More than any host name, and little enough to keep with every ballot.
const NAME_MAX_CHARS: usize = 128;

/// Long enough to be read by somebody who wonders what happened.
pub(crate) const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);

/// A queue that is away must not keep a replica from ending.
const FAREWELL_WITHIN: Duration = Duration::from_secs(1);

/// The kinds of services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Takes votes.
    Vote,
    /// Counts them.
    Worker,
    /// Shows the totals.
    Result,
}

impl Display for Kind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vote => "vote",
            Self::Worker => "worker",
            Self::Result => "result",
        })
    }
}

/// A replica's name is only a label: a strange one is cleaned, and costs nothing.
pub fn label(name: &str) -> String {
    name.chars().filter(|char| !char.is_control()).take(NAME_MAX_CHARS).collect()
}

/// What a replica says of itself. It tells no times of the day, because its
/// clock may be wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// What it is.
    pub kind: Kind,
    /// Its name, as people see it.
    pub name: String,
    /// Its release.
    pub version: String,
    /// The poll it runs, if it reads one.
    #[serde(default)]
    pub poll: Option<String>,
    /// For how long it has been running, in milliseconds.
    #[serde(default)]
    pub running_ms: u64,
    /// How many votes it recorded or counted lately.
    #[serde(default)]
    pub lately: u64,
    /// How long ago it last did so, in milliseconds, if it ever did.
    #[serde(default)]
    pub idle_ms: Option<u64>,
    /// How many watch it, if it is there to be watched.
    #[serde(default)]
    pub viewers: Option<u64>,
    /// What it needs and lacks.
    #[serde(default)]
    pub lacks: Vec<Part>,
    /// Whether it worries about something that it does not lack.
    #[serde(default)]
    pub worries: bool,
    /// Whether it is about to stop.
    #[serde(default)]
    pub leaving: bool,
}

impl Announcement {
    /// The same, with labels that do nothing to a page or a terminal.
    pub(crate) fn cleaned(self) -> Self {
        let poll = self.poll.as_deref().map(label);
        Self { name: label(&self.name), version: label(&self.version), poll, ..self }
    }
}

/// A replica, and how long ago it was last heard of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// Tells it from others of its name.
    pub id: Uuid,
    /// What it said.
    pub announcement: Announcement,
    /// How long ago.
    pub heard: Duration,
}

impl Replica {
    /// Whether it should have said something since.
    pub fn is_silent(&self) -> bool {
        self.heard > SILENT_AFTER
    }
}

/// This replica's presence, and what it does. Clones are the same replica.
#[derive(Clone, Debug)]
pub struct Presence(Arc<Deeds>);

#[derive(Debug)]
struct Deeds {
    id: Uuid,
    kind: Kind,
    name: String,
    version: String,
    poll: Option<String>,
    started: Instant,
    done: AtomicU64,
    /// When something was last done, in milliseconds since the start.
    last_done_ms: AtomicU64,
    viewers: AtomicU64,
}

impl Presence {
    /// A replica that has just started.
    pub fn starting(kind: Kind, name: String, version: String, poll: Option<&Poll>) -> Self {
        Self(Arc::new(Deeds {
            id: random_uuid(),
            kind,
            name: label(&name),
            version: label(&version),
            poll: poll.map(|poll| poll.id.to_string()),
            started: Instant::now(),
            done: AtomicU64::new(0),
            last_done_ms: AtomicU64::new(0),
            viewers: AtomicU64::new(0),
        }))
    }

    /// Tells it from others of its name.
    pub fn id(&self) -> Uuid {
        self.0.id
    }

    /// The replica's name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// So many votes were recorded, or counted.
    pub fn did(&self, votes: u64) {
        if votes > 0 {
            self.0.last_done_ms.store(self.0.running_ms(), Ordering::Relaxed);
            self.0.done.fetch_add(votes, Ordering::Relaxed);
        }
    }

    /// Somebody watches, until the guard is dropped.
    pub fn watched(&self) -> Watched {
        self.0.viewers.fetch_add(1, Ordering::Relaxed);
        Watched(self.0.clone())
    }

    /// Announces it until `shutdown`, and then says goodbye.
    ///
    /// That the queue is away is told by whoever needs it for votes.
    pub async fn keep(&self, queue: &Queue, health: &Health, shutdown: &CancellationToken) {
        let announcing = async {
            let mut done = VecDeque::from([0; LATELY_ANNOUNCEMENTS]);
            loop {
                let announcement = self.0.announcement(&mut done, health);
                if let Err(error) = queue.announce(self.0.id, &announcement).await {
                    tracing::debug!("could not announce itself: {error}");
                }
                sleep(ANNOUNCE_EVERY).await;
            }
        };
        shutdown.run_until_cancelled(announcing).await;
        farewell(queue, self.0.id).await;
    }
}

/// Somebody who watches.
#[derive(Debug)]
pub struct Watched(Arc<Deeds>);

impl Drop for Watched {
    fn drop(&mut self) {
        self.0.viewers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Deeds {
    /// `former` holds how much had been done at each of the last announcements.
    fn announcement(&self, former: &mut VecDeque<u64>, health: &Health) -> Announcement {
        let (running_ms, done) = (self.running_ms(), self.done.load(Ordering::Relaxed));
        former.push_back(done);
        let before = former.pop_front().unwrap_or(done);
        let last_done_ms = self.last_done_ms.load(Ordering::Relaxed);
        Announcement {
            kind: self.kind,
            name: self.name.clone(),
            version: self.version.clone(),
            poll: self.poll.clone(),
            running_ms,
            lately: done - before,
            idle_ms: (done > 0).then(|| running_ms.saturating_sub(last_done_ms)),
            viewers: (self.kind == Kind::Result).then(|| self.viewers.load(Ordering::Relaxed)),
            lacks: health.lacks(),
            worries: health.worries(),
            leaving: health.is_stopping(),
        }
    }

    fn running_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }
}

async fn farewell(queue: &Queue, id: Uuid) {
    match timeout(FAREWELL_WITHIN, queue.farewell(id)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!("ended without a goodbye: {error}"),
        Err(_) => tracing::debug!("ended without a goodbye: no answer within {FAREWELL_WITHIN:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presence(kind: Kind) -> Presence {
        Presence::starting(kind, "one".to_owned(), "1".to_owned(), None)
    }

    #[test]
    fn what_was_done_is_lately_for_a_while() {
        let presence = presence(Kind::Vote);
        let health = Health::starting(&[Part::Queue]);
        let mut done = VecDeque::from([0; LATELY_ANNOUNCEMENTS]);
        let mut announcement = || presence.0.announcement(&mut done, &health);
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
    fn it_tells_what_it_lacks_and_who_watches() {
        let presence = presence(Kind::Result);
        let health = Health::starting(&[Part::Ledger]);
        let announcement = || presence.0.announcement(&mut VecDeque::from([0]), &health);
        assert_eq!(announcement().lacks, [Part::Ledger]);
        let viewers = [presence.watched(), presence.watched()];
        health.ready(Part::Ledger, Vec::new());
        assert_eq!((announcement().viewers, announcement().lacks), (Some(2), Vec::new()));
        drop(viewers);
        health.stopping();
        assert_eq!((announcement().viewers, announcement().leaving), (Some(0), true));
    }
}
