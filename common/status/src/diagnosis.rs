//! The diagnosis: what is wrong with every hop, and since when.

use std::cmp::Reverse;
use std::mem::discriminant;
use std::time::{Duration, Instant};

use crate::problem::{Hop, HopState, Problem, judge};
use crate::reading::Reading;

/// A problem that passes sooner is not worth telling a room: a store that
/// restarts is back by then.
const WORTH_TELLING_AFTER: Duration = Duration::from_secs(1);

/// What is wrong with a store shows at the services, and what is wrong with the
/// worker shows at `vote` once the queue is full. So the causes come first.
const CAUSES_FIRST: [Hop; 5] = [Hop::Queue, Hop::Ledger, Hop::Worker, Hop::Vote, Hop::Result];

/// The state of every hop, and what is wrong with it. The default is for the time
/// before the first reading: nothing is known.
#[derive(Clone, Debug, Default)]
pub struct Diagnosis {
    /// The reading that it is about.
    pub reading: Reading,
    /// The state of each hop. Empty before the first reading.
    pub findings: Vec<Finding>,
}

/// The state of one hop.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The hop.
    pub hop: Hop,
    /// Its state.
    pub state: HopState,
    /// What is wrong with it, if anything is.
    pub problem: Option<Problem>,
    /// When this replica first saw the problem.
    since: Instant,
}

impl Diagnosis {
    /// The diagnosis of a new reading. A problem that was there before keeps the
    /// time at which it was first seen.
    pub fn next(&self, reading: Reading, poll: &str, now: Instant) -> Self {
        let findings = Hop::ALL.map(|hop| {
            let (state, problem) = judge(hop, &reading, poll);
            let former = self.findings.iter().find(|former| former.hop == hop);
            let since = former.and_then(|former| former.began(problem.as_ref(), now)).unwrap_or(now);
            Finding { hop, state, problem, since }
        });
        Self { reading, findings: findings.into() }
    }

    /// The worst state of any hop. `Unknown` before the first reading.
    pub fn state(&self) -> HopState {
        self.findings.iter().map(|finding| finding.state).max().unwrap_or(HopState::Unknown)
    }

    /// The finding that a room is told: the worst one that holds up votes.
    pub fn worst(&self, now: Instant) -> Option<&Finding> {
        let told = self.findings.iter().filter(|finding| finding.is_worth_telling(now));
        let rank = |hop| CAUSES_FIRST.iter().position(|cause| *cause == hop);
        told.min_by_key(|finding| (Reverse(finding.state), rank(finding.hop)))
    }

    /// Whether the results page would say the same about both diagnoses.
    pub fn reads_like(&self, other: &Self, now: Instant) -> bool {
        let told = |diagnosis: &Self| {
            let worst =
                diagnosis.worst(now).map(|worst| (worst.hop, worst.problem.as_ref().map(discriminant)));
            (worst, diagnosis.held_up())
        };
        told(self) == told(other)
    }

    /// How many recorded votes wait to be counted, if any of them is held up.
    pub fn held_up(&self) -> Option<u64> {
        self.reading.queue.as_ref()?.held_up()
    }
}

impl Finding {
    /// For how long the problem has lasted.
    pub fn lasts(&self, now: Instant) -> Duration {
        match &self.problem {
            Some(Problem::NotHeard { heard, .. }) => *heard,
            Some(Problem::Behind(ago) | Problem::SetBack(_, ago)) => *ago,
            _ => now.duration_since(self.since),
        }
    }

    fn is_worth_telling(&self, now: Instant) -> bool {
        let holds_up = self.problem.as_ref().is_some_and(Problem::holds_up_votes);
        holds_up && self.lasts(now) >= WORTH_TELLING_AFTER
    }

    /// When this problem began, if the finding has the same problem already.
    fn began(&self, problem: Option<&Problem>, now: Instant) -> Option<Instant> {
        match (&self.problem, problem) {
            // The registry forgets a silent replica after a while. It is still the same problem.
            (Some(Problem::NotHeard { .. }), Some(Problem::NoneRuns)) => now.checked_sub(self.lasts(now)),
            (former, now) if former.as_ref().map(discriminant) == now.map(discriminant) => Some(self.since),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use service::Store;

    use super::*;
    use crate::reading::LedgerReading;

    #[test]
    fn a_problem_that_stays_lasts_since_it_was_first_seen() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let reading = |live| {
            let ledger = LedgerReading { live: Some(live), ..Default::default() };
            Reading { ledger, ..Default::default() }
        };
        let lasts =
            |diagnosis: &Diagnosis, now| diagnosis.findings[Hop::Ledger as usize].lasts(now).as_secs();
        let first = Diagnosis::default().next(reading(false), "lunch", start);
        let later = first.next(reading(false), "lunch", after(5));
        assert_eq!(lasts(&later, after(9)), 9);
        let well = later.next(reading(true), "lunch", after(10));
        let again = well.next(reading(false), "lunch", after(11));
        assert_eq!(lasts(&again, after(12)), 1, "it was well in between");
    }

    /// What a room is told, two seconds after these findings.
    fn told(findings: &[(Hop, HopState, Problem)]) -> Option<Hop> {
        let since = Instant::now();
        let finding = |(hop, state, problem): &(Hop, HopState, Problem)| Finding {
            hop: *hop,
            state: *state,
            problem: Some(problem.clone()),
            since,
        };
        let findings = findings.iter().map(finding).collect();
        let diagnosis = Diagnosis { findings, ..Diagnosis::default() };
        assert!(diagnosis.worst(since).is_none(), "a moment is not worth telling");
        diagnosis.worst(since + Duration::from_secs(2)).map(|finding| finding.hop)
    }

    #[test]
    fn a_room_is_told_the_cause_of_what_is_worst() {
        use HopState::{Broken, Doubtful, Unknown};
        let refuses = (Hop::Vote, Broken, Problem::Refuses(Vec::new()));
        let none_counts = (Hop::Worker, Broken, Problem::NoneRuns);
        let not_known = (Hop::Worker, Unknown, Problem::NotKnown);
        let unsafe_votes = (Hop::Vote, Doubtful, Problem::Unsafe(Store::Queue, Vec::new()));
        let away = (Hop::Queue, Broken, Problem::QueueAway);
        assert_eq!(told(&[]), None);
        assert_eq!(told(&[refuses.clone(), none_counts.clone()]), Some(Hop::Worker), "it fills the queue");
        assert_eq!(told(&[refuses, away.clone(), not_known.clone()]), Some(Hop::Queue));
        assert_eq!(told(&[unsafe_votes.clone(), none_counts]), Some(Hop::Worker), "broken before doubtful");
        assert_eq!(told(&[unsafe_votes]), Some(Hop::Vote));
        assert_eq!(told(&[not_known]), None, "what is not known holds up nothing");
    }

    #[test]
    fn a_room_is_not_told_what_only_deserves_a_look() {
        assert_eq!(told(&[(Hop::Queue, HopState::Doubtful, Problem::DeadLetters(1))]), None);
        let elsewhere = Problem::VotesElsewhere { theirs: "lunch".to_owned(), votes: 5 };
        assert_eq!(told(&[(Hop::Ledger, HopState::Doubtful, elsewhere)]), None);
    }
}
