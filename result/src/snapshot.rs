//! What the board shows at a moment, and how it is sent.

use std::sync::OnceLock;

use axum::extract::ws::Utf8Bytes;
use common::language::Language;
use common::ledger::Totals;
use common::moment::Moment;
use common::phrases::Phrases;
use common::poll::Poll;
use serde::Serialize;
use uuid::Uuid;

use crate::Board;
use crate::course::Lately;
use crate::view::View;

/// The totals, as they are sent to programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Snapshot {
    pub(crate) poll: String,
    pub(crate) question: String,
    pub(crate) options: Vec<OptionVotes>,
    pub(crate) total: i64,
    /// Recorded votes that are not counted yet; unknown while the queue is away.
    pub(crate) waiting: Option<u64>,
    pub(crate) epoch: Uuid,
    pub(crate) version: i64,
    /// When the ledger last confirmed these totals, if it ever did.
    pub(crate) as_of: Option<Moment>,
    /// Whether the ledger answered when it was last asked.
    pub(crate) live: bool,
}

impl Snapshot {
    /// What the ledger says now.
    pub(crate) fn of(poll: &Poll, totals: Totals, waiting: Option<u64>) -> Self {
        let Totals { mut votes, version, epoch } = totals;
        let mut options: Vec<OptionVotes> = poll
            .choices()
            .map(|(choice, label)| (choice.to_string(), label.to_owned()))
            .map(|(key, label)| OptionVotes { votes: votes.remove(&key).unwrap_or(0), key, label })
            .collect();
        // An option that was taken out of a running poll still has its votes.
        let taken_out = votes.into_iter().filter(|(_, votes)| *votes != 0);
        options.extend(taken_out.map(|(key, votes)| OptionVotes { label: key.clone(), key, votes }));
        Self {
            poll: poll.id.to_string(),
            question: poll.question.clone(),
            total: options.iter().map(|option| option.votes).sum(),
            options,
            waiting,
            epoch,
            version,
            as_of: Some(Moment::now()),
            live: true,
        }
    }

    /// What is known of a poll before the ledger ever answered.
    pub(crate) fn unknown(poll: &Poll) -> Self {
        let nothing = Totals { votes: Default::default(), version: 0, epoch: Uuid::nil() };
        Self { as_of: None, live: false, ..Self::of(poll, nothing, None) }
    }
}

/// One option and its votes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct OptionVotes {
    pub(crate) key: String,
    pub(crate) label: String,
    pub(crate) votes: i64,
}

/// What all viewers are sent, encoded once for each kind of them.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) snapshot: Snapshot,
    pub(crate) lately: Lately,
    pub(crate) json: Utf8Bytes,
    /// The view of the page, in those languages in which somebody watches.
    views: [OnceLock<Utf8Bytes>; Language::ALL.len()],
}

impl Frame {
    pub(crate) fn new(snapshot: Snapshot, lately: Lately) -> Self {
        Self { json: json(&snapshot), snapshot, lately, views: Default::default() }
    }

    /// The view of the page in this language.
    pub(crate) fn view(&self, board: &Board, language: Language) -> Utf8Bytes {
        let view = || json(&View::of(board, self, Phrases::of(language)));
        self.views[language as usize].get_or_init(view).clone()
    }
}

/// Our types cannot fail to become JSON, so a failure is a bug to log.
pub(crate) fn json(message: &impl Serialize) -> Utf8Bytes {
    let json =
        serde_json::to_string(message).inspect_err(|error| tracing::error!("cannot write JSON: {error}"));
    json.unwrap_or_default().into()
}
