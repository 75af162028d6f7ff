//! The voters, and what each was told.

use std::collections::BTreeSet;

use common::ballot::{Choice, VoterId};
use hyper::header::HeaderValue;

/// Everybody who is not voting right now.
#[derive(Default)]
pub(crate) struct Electorate {
    newcomers: Vec<Voter>,
    regulars: Vec<Voter>,
}

impl Electorate {
    /// Takes out one who has voted before, so that nobody votes twice at the same time.
    pub(crate) fn regular(&mut self) -> Option<Voter> {
        let count = self.regulars.len();
        (count > 0).then(|| self.regulars.swap_remove(rand::random_range(0..count)))
    }

    /// Takes out one who has not voted yet.
    pub(crate) fn newcomer(&mut self) -> Option<Voter> {
        self.newcomers.pop()
    }

    pub(crate) fn put_back(&mut self, voter: Voter) {
        if voter.may_count().is_empty() { self.newcomers.push(voter) } else { self.regulars.push(voter) }
    }

    /// Everybody who voted, if perhaps in vain.
    pub(crate) fn voters(&self) -> &[Voter] {
        &self.regulars
    }

    /// How many are not voting right now.
    pub(crate) fn len(&self) -> usize {
        self.newcomers.len() + self.regulars.len()
    }
}

/// A browser of one person, reduced to its cookie and its memory.
pub(crate) struct Voter {
    pub(crate) cookie: HeaderValue,
    /// The last vote that was recorded.
    recorded: Option<Choice>,
    /// The votes since then that were answered, but not confirmed.
    unconfirmed: Vec<Choice>,
    /// The votes that nobody ever answered.
    unanswered: Vec<Choice>,
}

impl Voter {
    pub(crate) fn with(cookie: HeaderValue) -> Self {
        Self { cookie, recorded: None, unconfirmed: Vec::new(), unanswered: Vec::new() }
    }

    pub(crate) fn recorded(&self) -> Option<Choice> {
        self.recorded
    }

    /// It outranks what was answered before, as each answer's cookie sees to that. A vote without
    /// an answer may still stand in line somewhere, and be taken as a later one.
    pub(crate) fn was_recorded(&mut self, choice: Choice) {
        self.recorded = Some(choice);
        self.unconfirmed.clear();
    }

    pub(crate) fn was_not_confirmed(&mut self, choice: Choice) {
        self.unconfirmed.push(choice);
    }

    pub(crate) fn was_not_answered(&mut self, choice: Choice) {
        self.unanswered.push(choice);
    }

    /// What may rightly count for this voter; without a recorded vote, also nothing.
    pub(crate) fn may_count(&self) -> BTreeSet<Choice> {
        self.recorded.iter().chain(&self.unconfirmed).chain(&self.unanswered).copied().collect()
    }

    /// A cookie is `voter=SIGNATURE=ID.…`: the ballot in the ledger is under this id.
    pub(crate) fn id(&self) -> Option<VoterId> {
        let cookie = self.cookie.to_str().ok()?;
        cookie.split('=').nth(2)?.split('.').next()?.parse().ok()
    }
}
