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

/// `None` stands for no ballot.
type Choices = BTreeSet<Option<char>>;

/// Somebody for whom the ledger holds what it must not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub voter: String,
    pub told: Vec<Vote>,
    pub may_count: Choices,
    pub counted: Option<char>,
}

/// Everybody for whom another choice is counted than may be, and whoever is counted and never voted.
pub fn violations(told: &Told, counted: &BTreeMap<String, char>, losses: &[Loss]) -> Vec<Violation> {
    let voters: BTreeSet<&String> = told.keys().chain(counted.keys()).collect();
    let verdicts = voters.into_iter().map(|voter| {
        let votes = told.get(voter).map_or(&[][..], Vec::as_slice);
        let (may, late) = may_count(voter, votes, losses);
        Violation {
            voter: voter.clone(),
            told: votes.to_vec(),
            may_count: may.union(&late).copied().collect(),
            counted: counted.get(voter).copied(),
        }
    });
    verdicts.filter(|verdict| !verdict.may_count.contains(&verdict.counted)).collect()
}

/// For how many a vote without an answer counts although a later one was recorded: it stood in
/// line somewhere, and was taken as the later one.
pub fn overtaken(told: &Told, counted: &BTreeMap<String, char>, losses: &[Loss]) -> usize {
    let is_overtaken = |voter: &String, votes: &[Vote]| {
        let (may, late) = may_count(voter, votes, losses);
        let counted = counted.get(voter).copied();
        late.contains(&counted) && !may.contains(&counted)
    };
    told.iter().filter(|(voter, votes)| is_overtaken(voter, votes)).count()
}

/// The choices that may rightly count for this voter, and those of which nobody can know whether
/// they came late.
fn may_count(voter: &str, votes: &[Vote], losses: &[Loss]) -> (Choices, Choices) {
    let (mut may, mut late) = (Choices::from([None]), Choices::new());
    for vote in votes {
        let choice = Some(vote.choice);
        match vote.answer {
            Answer::Refused => continue,
            Answer::Recorded if losses.iter().all(|loss| loss.spares(voter, vote)) => may.clear(),
            Answer::Recorded | Answer::Unconfirmed => {}
            Answer::None => {
                late.insert(choice);
            }
        }
        may.insert(choice);
    }
    (may, late)
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
        let name = |choice: &Option<char>| choice.map_or("nothing".to_owned(), String::from);
        writeln!(f, "voter {} was told, in this order:", self.voter)?;
        for Vote { choice, sent_ms, answer, ord } in &self.told {
            let ord = ord.map_or(String::new(), |ord| format!(", its order is {ord}"));
            writeln!(f, "  {choice}, sent after {sent_ms} ms: {answer:?}{ord}")?;
        }
        let may: Vec<String> = self.may_count.iter().map(name).collect();
        write!(f, "  so {} may count, and what is counted is: {}", may.join(" or "), name(&self.counted))
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

    /// Which of these may be counted for this voter; `-` is no ballot.
    fn legal(votes: &[(char, Answer)], losses: &[Loss]) -> String {
        let is_legal = |choice: &char| {
            let counted = (*choice != '-').then(|| ("v".to_owned(), *choice)).into_iter().collect();
            violations(&voter(votes), &counted, losses).is_empty()
        };
        "-abcd".chars().filter(is_legal).collect()
    }

    fn names(orders: &[i64]) -> BTreeSet<Name> {
        orders.iter().map(|ord| ("v".to_owned(), *ord)).collect()
    }

    #[test]
    fn the_last_recorded_choice_counts_and_nothing_else() {
        assert_eq!(legal(&[('a', Recorded), ('b', Recorded)], &[]), "b");
        assert_eq!(legal(&[('a', Recorded), ('b', Refused)], &[]), "a");
        assert_eq!(legal(&[('a', Refused)], &[]), "-");
    }

    #[test]
    fn what_is_not_confirmed_may_count_until_a_later_vote_is_recorded() {
        assert_eq!(legal(&[('a', Unconfirmed)], &[]), "-a");
        assert_eq!(legal(&[('a', Recorded), ('b', Unconfirmed)], &[]), "ab");
        assert_eq!(legal(&[('a', Unconfirmed), ('b', Recorded)], &[]), "b");
    }

    #[test]
    fn what_was_never_answered_may_be_taken_later() {
        assert_eq!(legal(&[('a', Unanswered), ('b', Recorded)], &[]), "ab");
        assert_eq!(legal(&[('a', Unanswered)], &[]), "-a");
        let is_overtaken = |votes: &[(char, Answer)], choice| {
            overtaken(&voter(votes), &BTreeMap::from([("v".to_owned(), choice)]), &[]) == 1
        };
        assert!(is_overtaken(&[('a', Unanswered), ('b', Recorded)], 'a'));
        assert!(!is_overtaken(&[('a', Unanswered), ('b', Recorded)], 'b'));
        assert!(!is_overtaken(&[('a', Recorded), ('b', Unanswered)], 'b'));
    }

    #[test]
    fn an_emptied_queue_may_cost_what_waited_there_and_nothing_else() {
        let lost = |orders| [Loss::Queue { waited: names(orders) }];
        let votes = [('a', Recorded), ('b', Recorded), ('c', Recorded)];
        assert_eq!(legal(&votes, &lost(&[])), "c");
        assert_eq!(legal(&votes, &lost(&[3])), "bc");
        assert_eq!(legal(&votes, &lost(&[2])), "c", "a later vote was recorded and did not wait");
        assert_eq!(legal(&votes, &lost(&[1, 2, 3])), "-abc");
    }

    #[test]
    fn a_wiped_ledger_may_cost_what_was_counted_and_not_what_still_waited_or_came_later() {
        let lost = |until_ms, orders| [Loss::Ledger { until_ms, untaken: names(orders) }];
        let votes = [('a', Recorded), ('b', Recorded)];
        assert_eq!(legal(&votes, &lost(2_500, &[])), "-ab");
        assert_eq!(legal(&votes, &lost(2_500, &[2])), "b");
        assert_eq!(legal(&votes, &lost(1_500, &[])), "b");
    }

    #[test]
    fn nobody_is_counted_who_never_voted() {
        let counted = BTreeMap::from([("stranger".to_owned(), 'a')]);
        let found = violations(&Told::new(), &counted, &[]);
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().contains("so nothing may count, and what is counted is: a"));
    }
}
