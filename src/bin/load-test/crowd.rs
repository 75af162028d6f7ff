//! The voters, and what each was told.

use common::ballot::{Choice, VoterId};
use hyper::header::HeaderValue;

/// Everybody who is not voting right now.
#[derive(Default)]
pub(crate) struct Crowd {
    newcomers: Vec<Voter>,
    regulars: Vec<Voter>,
}

impl Crowd {
    /// Takes one out, so that nobody votes twice at the same time: by this
    /// chance one who has voted before, if there is a choice.
    pub(crate) fn draw(&mut self, changes: f64) -> Option<Voter> {
        let regular = self.newcomers.is_empty() || rand::random_bool(changes);
        if regular && !self.regulars.is_empty() {
            let one = rand::random_range(0..self.regulars.len());
            return Some(self.regulars.swap_remove(one));
        }
        self.newcomers.pop()
    }

    pub(crate) fn put_back(&mut self, voter: Voter) {
        if voter.may_count().is_empty() { self.newcomers.push(voter) } else { self.regulars.push(voter) }
    }

    /// Each voter, and what their vote may be now.
    pub(crate) fn voters(&self) -> impl Iterator<Item = &Voter> {
        self.newcomers.iter().chain(&self.regulars)
    }

    pub(crate) fn len(&self) -> usize {
        self.newcomers.len() + self.regulars.len()
    }
}

/// A browser of one person, reduced to its cookie and its memory.
pub(crate) struct Voter {
    pub(crate) cookie: HeaderValue,
    /// The last vote that was recorded.
    recorded: Option<Choice>,
    /// The votes since then of which we were told neither that they were recorded nor that not.
    unconfirmed: Vec<Choice>,
}

impl Voter {
    pub(crate) fn with(cookie: HeaderValue) -> Self {
        Self { cookie, recorded: None, unconfirmed: Vec::new() }
    }

    pub(crate) fn recorded(&self) -> Option<Choice> {
        self.recorded
    }

    /// A recorded vote outranks whatever this voter sent before.
    pub(crate) fn was_recorded(&mut self, choice: Choice) {
        self.recorded = Some(choice);
        self.unconfirmed.clear();
    }

    pub(crate) fn was_not_confirmed(&mut self, choice: Choice) {
        if !self.unconfirmed.contains(&choice) {
            self.unconfirmed.push(choice);
        }
    }

    /// What may rightly count for this voter; without a recorded vote, also nothing.
    pub(crate) fn may_count(&self) -> Vec<Choice> {
        let mut choices = self.unconfirmed.clone();
        choices.extend(self.recorded.filter(|choice| !self.unconfirmed.contains(choice)));
        choices
    }

    /// A cookie is `voter=SIGNATURE=ID.…`: the ballot in the ledger is under this id.
    pub(crate) fn id(&self) -> Option<VoterId> {
        let cookie = self.cookie.to_str().ok()?;
        cookie.split('=').nth(2)?.split('.').next()?.parse().ok()
    }
}
