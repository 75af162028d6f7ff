//! What a replica announces about itself.
//!
//! Replicas of different releases read each other's announcements. So only the
//! fields that identify a replica are required.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use election::clean_label;
use serde::{Deserialize, Serialize};
use service::Store;
use uuid::Uuid;

/// Often enough that people who scale or kill something see it within seconds.
/// Compared with thousands of votes a second, this costs Redis almost nothing.
pub(crate) const ANNOUNCE_EVERY: Duration = Duration::from_secs(2);

/// An announcement says what its replica did since this many announcements ago.
pub(crate) const LATELY_ANNOUNCEMENTS: usize = 15;

/// The time that the word "lately" stands for.
pub const LATELY: Duration = ANNOUNCE_EVERY.saturating_mul(LATELY_ANNOUNCEMENTS as u32);

/// A replica counts as silent after this time. Three of its announcements are
/// missing by then, and only one of them can just be late.
pub const SILENT_AFTER: Duration = Duration::from_secs(7);

/// A silent replica stays on the list for this long, so that people can see which
/// one is missing.
pub(crate) const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);

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

impl Kind {
    /// All of them, in the order of a vote's way.
    pub const ALL: [Self; 3] = [Self::Vote, Self::Worker, Self::Result];
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

/// What a replica announces about itself. It has durations only and no time of
/// day, because the replica's clock may be wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// The kind of its service.
    pub kind: Kind,
    /// Its name, as people see it.
    pub name: String,
    /// The name of its release. In JSON it has its old name, because other releases read it.
    #[serde(rename = "version")]
    pub release: String,
    /// The name of the machine that it runs on, if it knows.
    pub node: Option<String>,
    /// The poll it runs, if it reads one.
    pub poll: Option<String>,
    /// For how long it has been running, in milliseconds.
    #[serde(default)]
    pub running_ms: u64,
    /// How many votes it recorded or counted lately.
    #[serde(default)]
    pub lately: u64,
    /// How long ago it last recorded or counted one, in milliseconds, if it ever did.
    pub idle_ms: Option<u64>,
    /// How many viewers it has, if it is a `result`.
    pub viewers: Option<u64>,
    /// The stores that it needs and cannot use now.
    #[serde(default)]
    pub lacks: Vec<Store>,
    /// Whether it can use a store only with a warning. Its name in JSON is old, too.
    #[serde(default, rename = "worries")]
    pub has_warnings: bool,
    /// Whether it is about to stop.
    #[serde(default)]
    pub leaving: bool,
    /// The fault that it has on purpose, as on the command line.
    pub fault: Option<String>,
}

impl Announcement {
    /// The same announcement, with labels that cannot harm a page or a terminal.
    pub(crate) fn cleaned(self) -> Self {
        let [node, poll, fault] =
            [&self.node, &self.poll, &self.fault].map(|label| label.as_deref().map(clean_label));
        Self { name: clean_label(&self.name), release: clean_label(&self.release), node, poll, fault, ..self }
    }
}

/// A replica, as the registry knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// Distinguishes it from others with the same name.
    pub id: Uuid,
    /// Its last announcement.
    pub announcement: Announcement,
    /// How long ago that announcement came.
    pub heard: Duration,
}

impl Replica {
    /// Whether it has the name of another one, and started after that one was last heard: a container
    /// whose process crashed starts again so.
    pub fn follows(&self, former: &Self) -> bool {
        let (new, old) = (&self.announcement, &former.announcement);
        let started = self.heard + Duration::from_millis(new.running_ms);
        new.kind == old.kind && new.name == old.name && started < former.heard
    }

    /// Whether its next announcements are missing.
    pub fn is_silent(&self) -> bool {
        self.heard > SILENT_AFTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_of_a_former_release_is_read_and_a_later_one_too() {
        let former = r#"{"kind":"vote","name":"vote-1","version":"1"}"#;
        let former: Announcement = serde_json::from_str(former).unwrap();
        assert_eq!((former.node, former.poll, former.fault), (None, None, None));
        let later = r#"{"kind":"vote","name":"vote-1","version":"9","node":"a\u0007b","zone":"north"}"#;
        let later: Announcement = serde_json::from_str(later).unwrap();
        assert_eq!(later.cleaned().node.as_deref(), Some("ab"), "what others say is cleaned");
    }
}
