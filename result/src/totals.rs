//! The totals of the poll, as programs get them.

use axum::extract::ws::Utf8Bytes;
use election::Poll;
use ledger::Totals;
use serde::Serialize;
use uuid::Uuid;
use web::Moment;

/// The totals with their poll: the format of `/api/totals` and `/ws`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct PollTotals {
    pub(crate) poll: String,
    pub(crate) question: String,
    pub(crate) options: Vec<OptionVotes>,
    pub(crate) total: i64,
    /// How many recorded votes are not counted yet. `None` while the queue is away.
    pub(crate) waiting: Option<u64>,
    pub(crate) epoch: Uuid,
    pub(crate) version: i64,
    /// When the ledger last confirmed these totals, if it ever did.
    pub(crate) as_of: Option<Moment>,
    /// Whether the ledger answered when it was last asked.
    pub(crate) live: bool,
}

/// One option and its votes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct OptionVotes {
    pub(crate) key: String,
    pub(crate) label: String,
    pub(crate) votes: i64,
}

impl PollTotals {
    /// The totals that the ledger has just answered.
    pub(crate) fn of(poll: &Poll, totals: Totals, waiting: Option<u64>) -> Self {
        let Totals { mut votes, version, epoch } = totals;
        let mut options: Vec<OptionVotes> = poll
            .choices()
            .map(|(choice, label)| (choice.to_string(), label.to_owned()))
            .map(|(key, label)| OptionVotes { votes: votes.remove(&key).unwrap_or(0), key, label })
            .collect();
        // An option that was removed from a running poll still has its votes.
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

    /// How many votes were counted, changes included. See [`Totals::ballots`].
    pub(crate) fn ballots(&self) -> i64 {
        (self.version + self.total) / 2
    }

    /// The totals before the ledger first answers: nothing is known.
    pub(crate) fn unknown(poll: &Poll) -> Self {
        let nothing = Totals { votes: Default::default(), version: 0, epoch: Uuid::nil() };
        Self { as_of: None, live: false, ..Self::of(poll, nothing, None) }
    }

    /// Whether both are the same, apart from the time.
    pub(crate) fn equals(&self, other: &Self) -> bool {
        *self == Self { as_of: self.as_of, ..other.clone() }
    }
}

/// Writes JSON. Our types cannot fail here, so a failure is a bug and is logged.
pub(crate) fn json(message: &impl Serialize) -> Utf8Bytes {
    let json =
        serde_json::to_string(message).inspect_err(|error| tracing::error!("cannot write JSON: {error}"));
    json.unwrap_or_default().into()
}
