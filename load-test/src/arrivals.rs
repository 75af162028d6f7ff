//! When votes are due, and how many of them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The load to make: a number of votes or a duration, either at a fixed rate or as fast as the
/// places become free.
pub(crate) struct Demand {
    pub(crate) votes: u64,
    /// If this is set, it limits the load, and the number of votes does not.
    pub(crate) duration: Option<Duration>,
    /// How many can vote at the same time.
    pub(crate) places: u64,
    /// Votes per second.
    pub(crate) rate: Option<f64>,
    /// How long it takes to reach the full speed.
    pub(crate) ramp: Duration,
    /// The share of votes that change an earlier one.
    pub(crate) changes: f64,
}

/// When votes are due, one after the other.
pub(crate) struct Arrivals {
    began: Instant,
    demand: Demand,
    given: AtomicU64,
}

/// A vote to cast.
pub(crate) struct Turn {
    pub(crate) due: Instant,
    /// Whether it is a vote of somebody who changes their mind.
    pub(crate) is_change: bool,
}

impl Arrivals {
    pub(crate) fn beginning(began: Instant, demand: Demand) -> Self {
        Self { began, demand, given: AtomicU64::new(0) }
    }

    /// The next vote from this place, if there is one.
    pub(crate) fn next(&self, place: u64) -> Option<Turn> {
        let Demand { votes, duration, places, rate, ramp, changes } = self.demand;
        let turn = self.given.fetch_add(1, Ordering::Relaxed);
        let after = match rate {
            Some(rate) => fixed(turn, rate, ramp.as_secs_f64()),
            // During the ramp, the places begin one after the other.
            None => self.began.elapsed().max(ramp.mul_f64(place as f64 / places as f64)),
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
    pub(crate) fn unsent(&self, took: Duration, begun: u64) -> u64 {
        let Demand { duration: Some(duration), rate: Some(rate), ramp, .. } = self.demand else { return 0 };
        due_by(took.min(duration).as_secs_f64(), rate, ramp.as_secs_f64()).saturating_sub(begun)
    }
}

/// How many of the first `votes` votes are changes.
fn share(votes: u64, changes: f64) -> u64 {
    (votes as f64 * changes) as u64
}

/// How many votes are due by this time, if the rate rises in a straight line until the ramp ends.
pub(crate) fn due_by(time: f64, rate: f64, ramp: f64) -> u64 {
    let votes = if time < ramp { rate * time * time / (2.0 * ramp) } else { rate * (time - ramp / 2.0) };
    votes as u64
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
    use super::{due_by, fixed, share};

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
