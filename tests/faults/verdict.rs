//! What each voter was told, against what is counted: the promise, as a pure function.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};

/// What a voter was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    Recorded,
    /// For certain, so it never counts.
    Refused,
    /// It may count, unless a later one was recorded: the answer gave the next vote a higher order.
    Unconfirmed,
    /// There was none. It may still stand in line somewhere, and be taken as a later vote.
    None,
}

/// One vote, as its voter wrote it down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    pub choice: char,
    /// Milliseconds since the start.
    pub sent_ms: u64,
    pub answer: Answer,
    /// The order in the cookie that came with the answer.
    pub ord: Option<i64>,
}

/// Names a vote: its voter and its order.
pub type Name = (String, i64);

/// What a store lost. A vote that it may have taken with it is as good as unconfirmed.
#[derive(Clone, Debug)]
pub enum Loss {
    /// The queue, with the votes that waited there.
    Queue { waited: BTreeSet<Name> },
    /// What the ledger had counted until then, but not the votes that nobody had taken from the queue.
    Ledger { until_ms: u64, untaken: BTreeSet<Name> },
}

/// The votes of each voter, in the order in which they were sent.
pub type Told = BTreeMap<String, Vec<Vote>>;

/// What the ledger holds for a voter: a choice, and the order of the vote it came with.
pub type Row = (char, i64);

/// Somebody for whom the ledger holds what it must not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub voter: String,
    pub told: Vec<Vote>,
    pub counted: Option<Row>,
}

/// Everybody for whom another vote is counted than may be, and whoever is counted and never voted.
pub fn violations(told: &Told, counted: &BTreeMap<String, Row>, losses: &[Loss]) -> Vec<Violation> {
    let voters: BTreeSet<&String> = told.keys().chain(counted.keys()).collect();
    let verdicts = voters.into_iter().filter_map(|voter| {
        let votes = told.get(voter).map_or(&[][..], Vec::as_slice);
        let row = counted.get(voter).copied();
        let is_rightful = Claims::of(voter, votes, losses).allow(row);
        (!is_rightful).then(|| Violation { voter: voter.clone(), told: votes.to_vec(), counted: row })
    });
    verdicts.collect()
}

/// For how many a vote without an answer counts although a later one was recorded: it stood in
/// line somewhere, and was taken as the later one.
pub fn overtaken(told: &Told, counted: &BTreeMap<String, Row>, losses: &[Loss]) -> usize {
    let is_overtaken = |voter: &String, votes: &[Vote]| {
        let claims = Claims::of(voter, votes, losses);
        let row = counted.get(voter);
        row.is_some_and(|row| !claims.rows.contains(row) && !claims.newest.contains(&row.0))
    };
    told.iter().filter(|(voter, votes)| is_overtaken(voter, votes)).count()
}

/// What may rightly count for a voter.
#[derive(Debug, Default)]
struct Claims {
    /// The last recorded vote that no store has lost, and what was sent after it and may count.
    rows: BTreeSet<Row>,
    /// The order of that vote. Whatever counts instead of it has a higher one.
    last: Option<i64>,
    /// The choices of votes without an answer, whose order nobody knows.
    unanswered: BTreeSet<char>,
    /// Those of them that were sent after that vote.
    newest: BTreeSet<char>,
}

impl Claims {
    fn of(voter: &str, votes: &[Vote], losses: &[Loss]) -> Self {
        let mut claims = Self::default();
        for vote in votes {
            if vote.answer == Answer::Recorded && losses.iter().all(|loss| loss.spares(voter, vote)) {
                claims = Self { last: vote.ord, unanswered: claims.unanswered, ..Self::default() };
            }
            match vote.answer {
                Answer::Refused => {}
                Answer::Recorded | Answer::Unconfirmed => {
                    claims.rows.extend(vote.ord.map(|ord| (vote.choice, ord)));
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
}

impl Loss {
    fn spares(&self, voter: &str, vote: &Vote) -> bool {
        let is_in =
            |names: &BTreeSet<Name>| vote.ord.is_some_and(|ord| names.contains(&(voter.to_owned(), ord)));
        match self {
            Self::Queue { waited } => !is_in(waited),
            Self::Ledger { until_ms, untaken } => vote.sent_ms > *until_ms || is_in(untaken),
        }
    }
}

impl Display for Violation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "voter {} was told, in this order:", self.voter)?;
        for Vote { choice, sent_ms, answer, ord } in &self.told {
            let ord = ord.map_or(String::new(), |ord| format!(", its order is {ord}"));
            writeln!(f, "  {choice}, sent after {sent_ms} ms: {answer:?}{ord}")?;
        }
        match self.counted {
            None => write!(f, "  and nothing is counted"),
            Some((choice, ord)) => write!(f, "  and what is counted is {choice}, of the order {ord}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Answer::{None as Unanswered, Recorded, Refused, Unconfirmed};
    use super::*;

    /// Votes of one voter, a second apart, each with its second as its order.
    fn voter(votes: &[(char, Answer)]) -> Told {
        let votes = votes.iter().zip(1..).map(|(&(choice, answer), second)| {
            let ord = (answer != Unanswered).then_some(second);
            Vote { choice, sent_ms: second as u64 * 1000, answer, ord }
        });
        Told::from([("v".to_owned(), votes.collect())])
    }

    /// Which rows may be counted for this voter, up to the order 4; `-` is none.
    fn legal(votes: &[(char, Answer)], losses: &[Loss]) -> String {
        let rows = ('a'..='d').flat_map(|choice| (1..=4).map(move |ord| Some((choice, ord))));
        let is_legal = |row: &Option<Row>| {
            let counted = row.map(|row| ("v".to_owned(), row)).into_iter().collect();
            violations(&voter(votes), &counted, losses).is_empty()
        };
        let name = |row: Option<Row>| row.map_or("-".to_owned(), |(choice, ord)| format!("{choice}{ord}"));
        [None].into_iter().chain(rows).filter(is_legal).map(name).collect::<Vec<_>>().join(" ")
    }

    fn names(orders: &[i64]) -> BTreeSet<Name> {
        orders.iter().map(|ord| ("v".to_owned(), *ord)).collect()
    }

    #[test]
    fn the_last_recorded_vote_counts_and_nothing_else() {
        assert_eq!(legal(&[('a', Recorded), ('b', Recorded)], &[]), "b2");
        assert_eq!(legal(&[('a', Recorded), ('b', Recorded), ('a', Recorded)], &[]), "a3", "not the older a");
        assert_eq!(legal(&[('a', Recorded), ('b', Refused)], &[]), "a1");
        assert_eq!(legal(&[('a', Recorded), ('a', Refused)], &[]), "a1", "not the refused a");
        assert_eq!(legal(&[('a', Refused)], &[]), "-");
    }

    #[test]
    fn what_is_not_confirmed_may_count_until_a_later_vote_is_recorded() {
        assert_eq!(legal(&[('a', Unconfirmed)], &[]), "- a1");
        assert_eq!(legal(&[('a', Recorded), ('b', Unconfirmed)], &[]), "a1 b2");
        assert_eq!(legal(&[('a', Unconfirmed), ('b', Recorded)], &[]), "b2");
    }

    #[test]
    fn what_was_never_answered_may_be_taken_later_and_never_as_the_earlier_one() {
        assert_eq!(legal(&[('a', Unanswered), ('b', Recorded)], &[]), "a3 a4 b2");
        assert_eq!(legal(&[('a', Unanswered)], &[]), "- a1 a2 a3 a4");
        let is_overtaken = |votes: &[(char, Answer)], row| {
            overtaken(&voter(votes), &BTreeMap::from([("v".to_owned(), row)]), &[]) == 1
        };
        assert!(is_overtaken(&[('a', Unanswered), ('b', Recorded)], ('a', 3)));
        assert!(!is_overtaken(&[('a', Unanswered), ('b', Recorded)], ('b', 2)));
        assert!(!is_overtaken(&[('a', Recorded), ('b', Unanswered)], ('b', 2)));
    }

    #[test]
    fn an_emptied_queue_may_cost_what_waited_there_and_nothing_else() {
        let lost = |orders| [Loss::Queue { waited: names(orders) }];
        let votes = [('a', Recorded), ('b', Recorded), ('c', Recorded)];
        assert_eq!(legal(&votes, &lost(&[])), "c3");
        assert_eq!(legal(&votes, &lost(&[3])), "b2 c3");
        assert_eq!(legal(&votes, &lost(&[2])), "c3", "a later vote was recorded and did not wait");
        assert_eq!(legal(&votes, &lost(&[1, 2, 3])), "- a1 b2 c3");
    }

    #[test]
    fn a_wiped_ledger_may_cost_what_was_counted_and_not_what_still_waited_or_came_later() {
        let lost = |until_ms, orders| [Loss::Ledger { until_ms, untaken: names(orders) }];
        let votes = [('a', Recorded), ('b', Recorded)];
        assert_eq!(legal(&votes, &lost(2_500, &[])), "- a1 b2");
        assert_eq!(legal(&votes, &lost(2_500, &[2])), "b2");
        assert_eq!(legal(&votes, &lost(1_500, &[])), "b2");
    }

    #[test]
    fn nobody_is_counted_who_never_voted() {
        let counted = BTreeMap::from([("stranger".to_owned(), ('a', 1))]);
        let found = violations(&Told::new(), &counted, &[]);
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().contains("and what is counted is a, of the order 1"));
    }
}
