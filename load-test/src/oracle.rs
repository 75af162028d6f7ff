//! The promise as a pure function: it compares what each voter was told with what is counted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};
use std::time::Instant;

use election::{Choice, VoterId};

use crate::vote::{Answer, Told, Vote};

/// What the ledger holds for a voter: the choice and the order of a vote.
pub type Row = (Choice, i64);

/// The rows of all voters who are counted.
pub type Counted = BTreeMap<VoterId, Row>;

/// Names a vote: its voter and its order.
pub type VoteKey = (VoterId, i64);

/// What a store lost. A vote that may be lost is treated as an unconfirmed one.
#[derive(Clone, Debug)]
pub enum StoreLoss {
    /// The queue lost the votes that waited there.
    Queue {
        /// The votes that waited.
        waited: BTreeSet<VoteKey>,
    },
    /// The ledger lost what it had counted.
    Ledger {
        /// Votes that were sent later are not lost.
        until: Instant,
        /// These are not lost either, because no worker had taken them from the queue.
        untaken: BTreeSet<VoteKey>,
    },
}

/// A voter for whom the ledger holds what it must not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The voter.
    pub voter: VoterId,
    /// What the voter was told. Empty if this voter never voted.
    pub told: Vec<Vote>,
    /// What the ledger holds.
    pub counted: Option<Row>,
}

/// Every voter for whom the ledger holds what it must not, and everybody who is counted but never voted.
pub fn violations(told: &Told, counted: &Counted, losses: &[StoreLoss]) -> Vec<Violation> {
    let voters: BTreeSet<VoterId> = told.keys().chain(counted.keys()).copied().collect();
    let verdicts = voters.into_iter().filter_map(|voter| {
        let votes = told.get(&voter).map_or(&[][..], Vec::as_slice);
        let row = counted.get(&voter).copied();
        let is_rightful = Claims::of(voter, votes, losses).allow(row);
        (!is_rightful).then(|| Violation { voter, told: votes.to_vec(), counted: row })
    });
    verdicts.collect()
}

/// For how many voters an unanswered vote counts although a later one was recorded. The
/// unanswered vote was held up somewhere, and so got the higher order.
pub fn overtaken(told: &Told, counted: &Counted, losses: &[StoreLoss]) -> usize {
    let is_overtaken = |voter: VoterId, votes: &[Vote]| {
        let claims = Claims::of(voter, votes, losses);
        let row = counted.get(&voter);
        row.is_some_and(|row| !claims.rows.contains(row) && !claims.newest.contains(&row.0))
    };
    told.iter().filter(|(voter, votes)| is_overtaken(**voter, votes)).count()
}

/// What the totals may be if the promise held: the least and the most of each.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// All votes together.
    pub votes: (i64, i64),
    /// Each option's votes.
    pub options: BTreeMap<Choice, (i64, i64)>,
}

/// The bounds of the totals. Totals within them prove less than no [`violations`] do, because
/// errors may cancel out.
pub fn bounds(told: &Told) -> Bounds {
    let mut bounds = Bounds::default();
    for (voter, votes) in told {
        let claims = Claims::of(*voter, votes, &[]);
        let (choices, must_count) = (claims.choices(), !claims.allow(None));
        let widen = |(at_least, at_most): &mut (i64, i64), is_certain: bool| {
            *at_least += i64::from(is_certain);
            *at_most += 1;
        };
        for choice in &choices {
            widen(bounds.options.entry(*choice).or_default(), must_count && choices.len() == 1);
        }
        if !choices.is_empty() {
            widen(&mut bounds.votes, must_count);
        }
    }
    bounds
}

/// What may rightly count for a voter.
#[derive(Debug, Default)]
struct Claims {
    /// The last recorded vote that no store has lost, and the votes after it that may count.
    rows: BTreeSet<Row>,
    /// The order of that recorded vote. A vote that counts instead of it has a higher order.
    last: Option<i64>,
    /// The choices of votes without an answer. Nobody knows the order of such a vote.
    unanswered: BTreeSet<Choice>,
    /// The choices of those that were sent after that recorded vote.
    newest: BTreeSet<Choice>,
}

impl Claims {
    fn of(voter: VoterId, votes: &[Vote], losses: &[StoreLoss]) -> Self {
        let mut claims = Self::default();
        for vote in votes {
            match vote.answer {
                Answer::Refused => {}
                Answer::Recorded { ord } => {
                    if losses.iter().all(|loss| loss.spares((voter, ord), vote.sent)) {
                        claims = Self { last: Some(ord), unanswered: claims.unanswered, ..Self::default() };
                    }
                    claims.rows.insert((vote.choice, ord));
                }
                Answer::Unconfirmed { ord } => {
                    claims.rows.insert((vote.choice, ord));
                }
                Answer::None => {
                    claims.unanswered.insert(vote.choice);
                    claims.newest.insert(vote.choice);
                }
            }
        }
        claims
    }

    fn allow(&self, counted: Option<Row>) -> bool {
        match counted {
            None => self.last.is_none(),
            Some((choice, ord)) => {
                self.rows.contains(&(choice, ord))
                    || self.unanswered.contains(&choice) && self.last.is_none_or(|last| ord > last)
            }
        }
    }

    fn choices(&self) -> BTreeSet<Choice> {
        self.rows.iter().map(|(choice, _)| *choice).chain(self.unanswered.iter().copied()).collect()
    }
}

impl StoreLoss {
    fn spares(&self, vote: VoteKey, sent: Instant) -> bool {
        match self {
            Self::Queue { waited } => !waited.contains(&vote),
            Self::Ledger { until, untaken } => sent > *until || untaken.contains(&vote),
        }
    }
}

impl Display for Violation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "voter {} was told, in this order:", self.voter)?;
        for Vote { choice, sent, answer } in &self.told {
            let after = self.told.first().map_or_else(Default::default, |first| *sent - first.sent);
            writeln!(f, "  {choice}, sent after {} ms: {answer:?}", after.as_millis())?;
        }
        match self.counted {
            None => write!(f, "  and nothing is counted"),
            Some((choice, ord)) => write!(f, "  and what is counted is {choice}, of the order {ord}"),
        }
    }
}

#[cfg(test)]
mod tests;
