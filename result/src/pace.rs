//! How fast votes were counted lately.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

/// Short enough to show a burst, and long enough for a steady curve in a classroom.
pub(crate) const INTERVAL: Duration = Duration::from_secs(3);

/// Enough to show a whole election in a classroom.
pub(crate) const INTERVALS: usize = 60;

/// How many minutes these intervals last.
pub(crate) const REMEMBERED_MINUTES: u64 = INTERVALS as u64 * INTERVAL.as_secs() / 60;

/// How many votes this replica saw counted in each interval of the last minutes.
#[derive(Debug)]
pub(crate) struct Pace {
    started: Instant,
    /// How many intervals have ended since the start.
    ended: u128,
    seen: Option<Seen>,
    /// How many votes were counted in the present interval, if the ledger was read in it.
    now: Option<u64>,
    lately: VecDeque<Option<u64>>,
}

/// The last reading of the ledger.
#[derive(Clone, Copy, Debug)]
struct Seen {
    at: Instant,
    epoch: Uuid,
    counted: i64,
}

impl Pace {
    pub(crate) fn starting(at: Instant) -> Self {
        Self { started: at, ended: 0, seen: None, now: None, lately: VecDeque::from([None; INTERVALS]) }
    }

    /// Notes a reading, if there was one: the ledger's epoch, and how many votes it has
    /// counted so far. Returns how many were counted in each of the last full intervals.
    pub(crate) fn note(&mut self, at: Instant, reading: Option<(Uuid, i64)>) -> Vec<Option<u64>> {
        let ended = at.duration_since(self.started).as_millis() / INTERVAL.as_millis();
        while self.ended < ended {
            self.lately.pop_front();
            self.lately.push_back(self.now.take());
            self.ended += 1;
        }
        if let Some((epoch, counted)) = reading {
            // The first reading finds votes that were counted before it, and nobody knows when. The
            // same holds for the first reading after a long break.
            let before =
                self.seen.filter(|seen| seen.epoch == epoch && at.duration_since(seen.at) <= INTERVAL);
            let news = before.map_or(0, |seen| counted - seen.counted);
            *self.now.get_or_insert(0) += u64::try_from(news).unwrap_or(0);
            self.seen = Some(Seen { at, epoch, counted });
        }
        self.lately.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEDGER: Uuid = Uuid::from_u128(1);

    fn last_three(pace: &mut Pace, at: Instant, reading: Option<(Uuid, i64)>) -> [Option<u64>; 3] {
        pace.note(at, reading)[INTERVALS - 3..].try_into().unwrap()
    }

    #[test]
    fn votes_belong_to_the_interval_in_which_they_were_seen() {
        let start = Instant::now();
        let mut pace = Pace::starting(start);
        let mut lately = |intervals, counted| {
            last_three(&mut pace, start + INTERVAL.mul_f64(intervals), Some((LEDGER, counted)))
        };
        assert_eq!(lately(0.0, 1_000), [None; 3], "they came before");
        assert_eq!(lately(0.5, 1_004), [None; 3], "it has not ended");
        assert_eq!(lately(1.0, 1_010), [None, None, Some(4)]);
        assert_eq!(lately(2.0, 1_010), [None, Some(4), Some(6)]);
        assert_eq!(lately(3.0, 1_010), [Some(4), Some(6), Some(0)]);
    }

    #[test]
    fn what_another_ledger_counted_or_this_one_in_a_silence_is_not_known() {
        let start = Instant::now();
        let mut pace = Pace::starting(start);
        pace.note(start, Some((LEDGER, 10)));
        assert_eq!(last_three(&mut pace, start + INTERVAL * 3, None), [Some(0), None, None]);
        pace.note(start + INTERVAL * 3, Some((LEDGER, 9_000)));
        pace.note(start + INTERVAL * 3, Some((Uuid::from_u128(2), 20)));
        assert_eq!(last_three(&mut pace, start + INTERVAL * 4, None), [None, None, Some(0)]);
    }
}
