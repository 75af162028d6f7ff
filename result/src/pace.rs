//! How fast votes were counted lately.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

/// Short enough to show a burst, long enough for a steady line in a classroom.
pub(crate) const STRETCH: Duration = Duration::from_secs(3);

/// Enough to see a whole vote of a classroom.
pub(crate) const STRETCHES: usize = 60;

/// How far back that reaches, as the page says it.
pub(crate) const REMEMBERED_MINUTES: u64 = STRETCHES as u64 * STRETCH.as_secs() / 60;

/// What was counted in each stretch of the last minutes, as this replica saw it.
#[derive(Debug)]
pub(crate) struct Pace {
    started: Instant,
    /// How many stretches have ended since then.
    ended: u128,
    seen: Option<Seen>,
    /// What was counted in this stretch, if the ledger was read in it.
    now: Option<u64>,
    lately: VecDeque<Option<u64>>,
}

/// The last reading.
#[derive(Clone, Copy, Debug)]
struct Seen {
    at: Instant,
    epoch: Uuid,
    counted: i64,
}

impl Pace {
    pub(crate) fn starting(at: Instant) -> Self {
        Self { started: at, ended: 0, seen: None, now: None, lately: VecDeque::from([None; STRETCHES]) }
    }

    /// Notes which ledger has counted how many votes by now, if it was read,
    /// and returns what was counted in each of the last stretches that ended.
    pub(crate) fn note(&mut self, at: Instant, reading: Option<(Uuid, i64)>) -> Vec<Option<u64>> {
        let ended = at.duration_since(self.started).as_millis() / STRETCH.as_millis();
        while self.ended < ended {
            self.lately.pop_front();
            self.lately.push_back(self.now.take());
            self.ended += 1;
        }
        if let Some((epoch, counted)) = reading {
            // Nobody knows when the votes came that were counted before the first reading of
            // a ledger, or during a long silence.
            let before =
                self.seen.filter(|seen| seen.epoch == epoch && at.duration_since(seen.at) <= STRETCH);
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
        pace.note(at, reading)[STRETCHES - 3..].try_into().unwrap()
    }

    #[test]
    fn votes_belong_to_the_stretch_in_which_they_were_seen() {
        let start = Instant::now();
        let mut pace = Pace::starting(start);
        let mut lately = |stretches, counted| {
            last_three(&mut pace, start + STRETCH.mul_f64(stretches), Some((LEDGER, counted)))
        };
        assert_eq!(lately(0.0, 1_000), [None; 3], "they came before");
        assert_eq!(lately(0.5, 1_004), [None; 3], "it has not ended");
        assert_eq!(lately(1.0, 1_010), [None, None, Some(4)]);
        assert_eq!(lately(2.0, 1_010), [None, Some(4), Some(6)]);
        assert_eq!(lately(3.0, 1_010), [Some(4), Some(6), Some(0)]);
    }

    #[test]
    fn what_happened_in_a_silence_or_in_another_ledger_is_not_known() {
        let start = Instant::now();
        let mut pace = Pace::starting(start);
        pace.note(start, Some((LEDGER, 10)));
        assert_eq!(last_three(&mut pace, start + STRETCH * 3, None), [Some(0), None, None]);
        pace.note(start + STRETCH * 3, Some((LEDGER, 9_000)));
        pace.note(start + STRETCH * 3, Some((Uuid::from_u128(2), 20)));
        assert_eq!(last_three(&mut pace, start + STRETCH * 4, None), [None, None, Some(0)]);
    }
}
