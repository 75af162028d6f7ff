//! What happened lately, which one reading of the totals does not tell.

use std::time::Duration;

use common::ledger::Totals;
use tokio::time::Instant;

use crate::pace::Pace;

/// What passes sooner is not worth a word: every vote waits for a moment, and
/// a store that restarts is back by then.
const WORTH_A_WORD_AFTER: Duration = Duration::from_secs(1);

/// Votes that wait this long while none is counted wait for somebody who is
/// not there: a worker that lives counts within milliseconds.
const STUCK_AFTER: Duration = Duration::from_secs(5);

/// What happened lately.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lately {
    /// How many votes were counted in each stretch of the last minutes, where that is known.
    pub(crate) pace: Vec<Option<u64>>,
    pub(crate) line: Line,
}

/// How the votes that wait are getting on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Line {
    /// None waits, or not for long.
    #[default]
    Moving,
    /// Some have waited for a while, or their number is not known any more.
    Waiting,
    /// Some wait, and none was counted for long.
    Stuck,
}

/// Follows the totals from reading to reading.
#[derive(Debug)]
pub(crate) struct Course {
    pace: Pace,
    /// When the last votes were counted, or none waited, or nobody could count.
    moved_at: Instant,
    /// When it was last known that none waited.
    clear_at: Instant,
    version: i64,
}

impl Course {
    pub(crate) fn starting(at: Instant) -> Self {
        Self { pace: Pace::starting(at), moved_at: at, clear_at: at, version: 0 }
    }

    /// Takes the next reading: none while the ledger is away, and no number of
    /// waiting votes while the queue is.
    pub(crate) fn follow(&mut self, at: Instant, totals: Option<&Totals>, waiting: Option<u64>) -> Lately {
        if waiting == Some(0) {
            self.clear_at = at;
        }
        let version = totals.map(|totals| totals.version);
        if version != Some(self.version) || waiting.is_none_or(|waiting| waiting == 0) {
            self.moved_at = at;
            self.version = version.unwrap_or(self.version);
        }
        let line = match (at.duration_since(self.clear_at), at.duration_since(self.moved_at)) {
            (_, still) if still > STUCK_AFTER => Line::Stuck,
            (waited, _) if waited > WORTH_A_WORD_AFTER => Line::Waiting,
            _ => Line::Moving,
        };
        Lately { pace: self.pace.note(at, totals.map(|totals| (totals.epoch, totals.counted()))), line }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn totals(version: i64) -> Totals {
        Totals { votes: Default::default(), version, epoch: Uuid::nil() }
    }

    #[test]
    fn votes_that_wait_are_worth_a_word_later_than_at_once_and_stuck_later_still() {
        let start = Instant::now();
        let mut course = Course::starting(start);
        let mut line = |ms, version, waiting| {
            course.follow(start + Duration::from_millis(ms), Some(&totals(version)), waiting).line
        };
        assert_eq!(line(0, 1, Some(0)), Line::Moving);
        assert_eq!(line(900, 1, Some(3)), Line::Moving);
        assert_eq!(line(1_100, 1, Some(3)), Line::Waiting);
        assert_eq!(line(5_800, 1, Some(3)), Line::Stuck);
        assert_eq!(line(5_900, 2, Some(2)), Line::Waiting, "one was counted");
        assert_eq!(line(6_000, 3, Some(0)), Line::Moving);
        assert_eq!(line(20_000, 3, None), Line::Waiting, "the queue is away");
    }

    #[test]
    fn nobody_is_blamed_for_not_counting_while_the_ledger_was_away() {
        let start = Instant::now();
        let mut course = Course::starting(start);
        course.follow(start, Some(&totals(1)), Some(2));
        assert_eq!(course.follow(start + STUCK_AFTER * 3, None, Some(2)).line, Line::Waiting);
        assert_eq!(course.follow(start + STUCK_AFTER * 4, Some(&totals(1)), Some(2)).line, Line::Waiting);
    }
}
