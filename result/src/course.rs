//! What happened lately, which one reading of the totals does not tell.

use std::time::Duration;

use common::ledger::Totals;
use tokio::time::Instant;

use crate::pace::Pace;

/// What passes sooner is not worth a word: every vote waits for a moment, and
/// a store that restarts is back by then.
const WORTH_A_WORD_AFTER: Duration = Duration::from_secs(1);

/// More than wait in front of a worker that keeps up, however busy the hall.
const BACKLOG: u64 = 1_000;

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
    /// None waits, or those that do are being counted.
    #[default]
    Moving,
    /// None was counted for a while, or many wait, or it is not known any more.
    Waiting,
    /// Some wait, and none was counted for so long that somebody must be missing.
    Stuck,
}

impl Lately {
    /// Whether a viewer would see a difference worth a message at once.
    pub(crate) fn differs_from(&self, other: &Self) -> bool {
        let counted = |lately: &Self| lately.pace.iter().map(|votes| votes.unwrap_or(0)).collect::<Vec<_>>();
        self.line != other.line || counted(self) != counted(other)
    }
}

/// Follows the totals from reading to reading.
#[derive(Debug)]
pub(crate) struct Course {
    pace: Pace,
    version: i64,
    /// When votes were last counted, or none waited.
    moved_at: Instant,
    /// The same, or when a store was away: nobody could count then.
    excused_at: Instant,
    /// When the number of waiting votes was last known.
    known_at: Instant,
}

impl Course {
    pub(crate) fn starting(at: Instant) -> Self {
        Self { pace: Pace::starting(at), version: 0, moved_at: at, excused_at: at, known_at: at }
    }

    /// Takes the next reading: no totals while the ledger is away, and no
    /// number of waiting votes while the queue is.
    pub(crate) fn follow(&mut self, at: Instant, totals: Option<&Totals>, waiting: Option<u64>) -> Lately {
        let version = totals.map_or(self.version, |totals| totals.version);
        if version != self.version || waiting == Some(0) {
            (self.version, self.moved_at, self.excused_at) = (version, at, at);
        }
        if totals.is_none() || waiting.is_none() {
            self.excused_at = at;
        }
        if waiting.is_some() {
            self.known_at = at;
        }
        Lately {
            pace: self.pace.note(at, totals.map(|totals| (totals.epoch, totals.counted()))),
            line: self.line(at, waiting),
        }
    }

    fn line(&self, at: Instant, waiting: Option<u64>) -> Line {
        let longer_than = |since, limit| at.duration_since(since) > limit;
        match waiting {
            None if longer_than(self.known_at, WORTH_A_WORD_AFTER) => Line::Waiting,
            None => Line::Moving,
            Some(_) if longer_than(self.excused_at, STUCK_AFTER) => Line::Stuck,
            Some(waiting) if waiting > BACKLOG || longer_than(self.moved_at, WORTH_A_WORD_AFTER) => {
                Line::Waiting
            }
            Some(_) => Line::Moving,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn totals(version: i64) -> Totals {
        Totals { votes: Default::default(), version, epoch: Uuid::nil() }
    }

    fn line(course: &mut Course, at: Instant, version: Option<i64>, waiting: Option<u64>) -> Line {
        course.follow(at, version.map(totals).as_ref(), waiting).line
    }

    #[test]
    fn votes_that_wait_are_worth_a_word_later_than_at_once_and_stuck_later_still() {
        let start = Instant::now();
        let mut course = Course::starting(start);
        let mut line = |ms, version, waiting| {
            line(&mut course, start + Duration::from_millis(ms), Some(version), waiting)
        };
        assert_eq!(line(0, 1, Some(0)), Line::Moving);
        assert_eq!(line(900, 1, Some(3)), Line::Moving);
        assert_eq!(line(1_100, 1, Some(3)), Line::Waiting);
        assert_eq!(line(5_800, 1, Some(3)), Line::Stuck);
        assert_eq!(line(5_900, 2, Some(2)), Line::Moving, "one was counted");
        assert_eq!(line(6_000, 3, Some(BACKLOG + 1)), Line::Waiting, "far too many for one worker");
        assert_eq!(line(6_100, 4, None), Line::Moving, "the queue is away for a moment");
        assert_eq!(line(7_100, 4, None), Line::Waiting, "the queue is away");
    }

    #[test]
    fn a_busy_hall_is_no_trouble() {
        let start = Instant::now();
        let mut course = Course::starting(start);
        for step in 1..200 {
            let at = start + Duration::from_millis(50 * step);
            assert_eq!(line(&mut course, at, Some(step as i64), Some(2)), Line::Moving, "{step}");
        }
    }

    #[test]
    fn nobody_is_blamed_for_not_counting_while_the_ledger_was_away() {
        let start = Instant::now();
        let mut course = Course::starting(start);
        line(&mut course, start, Some(1), Some(2));
        assert_eq!(line(&mut course, start + STUCK_AFTER * 3, None, Some(2)), Line::Waiting);
        assert_eq!(line(&mut course, start + STUCK_AFTER * 4, Some(1), Some(2)), Line::Waiting);
    }
}
