//! When votes are due, and how many of them.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::settings::{Settings, due_by};

/// When votes are due, one after the other.
pub(crate) struct Arrivals<'a> {
    began: Instant,
    settings: &'a Settings,
    given: Cell<u64>,
}

/// A vote to cast.
pub(crate) struct Turn {
    pub(crate) due: Instant,
    /// Whether it is a vote of somebody who changes their mind.
    pub(crate) is_change: bool,
}

impl<'a> Arrivals<'a> {
    pub(crate) fn beginning(began: Instant, settings: &'a Settings) -> Self {
        Self { began, settings, given: Cell::new(0) }
    }

    /// The next vote from this place, if there is one.
    pub(crate) fn next(&self, place: u64) -> Option<Turn> {
        let Settings { votes, duration, rate, ramp, changes, .. } = *self.settings;
        let turn = self.given.replace(self.given.get() + 1);
        let after = match rate {
            Some(rate) => fixed(turn, rate, ramp.as_secs_f64()),
            // During the ramp, the places begin one after the other.
            None => self.began.elapsed().max(ramp.mul_f64(place as f64 / self.settings.places() as f64)),
        };
        let goes_on = match duration {
            // A vote that is late is not sent if the load has ended.
            Some(duration) => after.max(self.began.elapsed()) < duration,
            None => turn < votes,
        };
        let is_change = share(turn + 1, changes) > share(turn, changes);
        goes_on.then(|| Turn { due: self.began + after, is_change })
    }

    /// How many votes were due in this time at a fixed rate, but were never begun.
    pub(crate) fn unsent(&self, seconds: f64, begun: u64) -> u64 {
        let Settings { duration: Some(duration), rate: Some(rate), ramp, .. } = *self.settings else {
            return 0;
        };
        due_by(seconds.min(duration.as_secs_f64()), rate, ramp.as_secs_f64()).saturating_sub(begun)
    }
}

/// How many of the first `votes` votes are changes.
fn share(votes: u64, changes: f64) -> u64 {
    (votes as f64 * changes) as u64
}

/// When a vote is due, if the rate rises in a straight line until the ramp ends.
fn fixed(turn: u64, rate: f64, ramp: f64) -> Duration {
    let (turn, rising) = (turn as f64, rate * ramp / 2.0);
    Duration::from_secs_f64(match turn < rising {
        true => (2.0 * turn * ramp / rate).sqrt(),
        false => ramp + (turn - rising) / rate,
    })
}

#[cfg(test)]
mod tests {
    use super::{fixed, share};
    use crate::settings::due_by;

    #[test]
    fn a_ramp_reaches_its_rate_and_keeps_it() {
        let seconds = |turn| fixed(turn, 100.0, 10.0).as_secs_f64();
        // Half as many votes in the ramp as after it, in the same time.
        assert_eq!(seconds(0), 0.0);
        assert_eq!(seconds(500), 10.0);
        assert_eq!(seconds(1_500), 20.0);
        assert!((seconds(125) - 5.0).abs() < 1e-9, "a quarter of its votes in its first half");
        assert_eq!(fixed(300, 100.0, 0.0).as_secs_f64(), 3.0);
        assert_eq!([5.0, 10.0, 20.0].map(|time| due_by(time, 100.0, 10.0)), [125, 500, 1_500]);
    }

    #[test]
    fn changes_are_spread_evenly() {
        let changes: Vec<u64> = (0..10).filter(|turn| share(turn + 1, 0.3) > share(*turn, 0.3)).collect();
        assert_eq!(changes, [3, 6, 9]);
    }
}
