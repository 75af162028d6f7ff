//! The voters who are not voting right now.

use crate::vote::Told;
use crate::voter::Voter;

/// The voters who have not voted yet, and those who have.
#[derive(Default)]
pub(crate) struct Electorate {
    newcomers: Vec<Voter>,
    regulars: Vec<Voter>,
}

impl Electorate {
    /// Takes out a voter who has voted before. Taken out, nobody can vote twice at the same time.
    pub(crate) fn regular(&mut self) -> Option<Voter> {
        let count = self.regulars.len();
        (count > 0).then(|| self.regulars.swap_remove(rand::random_range(0..count)))
    }

    /// Takes out a voter who has not voted yet.
    pub(crate) fn newcomer(&mut self) -> Option<Voter> {
        self.newcomers.pop()
    }

    pub(crate) fn put_back(&mut self, voter: Voter) {
        if voter.may_count() { self.regulars.push(voter) } else { self.newcomers.push(voter) }
    }

    /// How many voters are not voting right now.
    pub(crate) fn len(&self) -> usize {
        self.newcomers.len() + self.regulars.len()
    }

    /// What each voter was told.
    pub(crate) fn into_told(self) -> Told {
        self.newcomers.into_iter().chain(self.regulars).map(Voter::into_told).collect()
    }
}
