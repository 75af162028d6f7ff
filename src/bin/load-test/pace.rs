//! When votes are due, and how many.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::settings::Settings;

/// As many votes as were asked for, or as long; at a fixed rate, or each when its place is free.
pub(crate) struct Pace {
    began: Instant,
    votes: u64,
    duration: Duration,
    places: u64,
    rate: Option<f64>,
    ramp: Duration,
    changes: f64,
    given: AtomicU64,
}

/// A vote to be cast.
pub(crate) struct Turn {
    pub(crate) due: Instant,
    /// Whether somebody changes their mind.
    pub(crate) is_change: bool,
}

impl Pace {
    pub(crate) fn beginning(settings: &Settings, began: Instant) -> Self {
        Self {
            began,
            votes: settings.duration.map_or(settings.votes, |_| u64::MAX),
            duration: settings.duration.unwrap_or(Duration::MAX),
            places: settings.places(),
            rate: settings.rate,
            ramp: settings.ramp,
            changes: settings.changes,
            given: AtomicU64::new(0),
        }
    }

    /// The next vote from this place, if there is one.
    pub(crate) fn next(&self, place: u64) -> Option<Turn> {
        let turn = self.given.fetch_add(1, Ordering::Relaxed);
        let after = match self.rate {
            Some(rate) => fixed(turn, rate, self.ramp.as_secs_f64()),
            // One place after the other begins.
            None => self.began.elapsed().max(self.ramp.mul_f64(place as f64 / self.places as f64)),
        };
        // One that is late is not sent after the end.
        let in_time = after.max(self.began.elapsed()) < self.duration;
        let is_change = share(turn + 1, self.changes) > share(turn, self.changes);
        (turn < self.votes && in_time).then(|| Turn { due: self.began + after, is_change })
    }

    /// How many votes were due in this time at this rate, and were never begun.
    pub(crate) fn unsent(&self, took: Duration, begun: u64) -> u64 {
        let (Some(rate), true) = (self.rate, self.votes == u64::MAX) else { return 0 };
        due_by(took.min(self.duration).as_secs_f64(), rate, self.ramp.as_secs_f64()).saturating_sub(begun)
    }
}

/// Of so many votes, as many are changes.
fn share(votes: u64, changes: f64) -> u64 {
    (votes as f64 * changes) as u64
}

/// How many votes are due until then at this rate, to which it rises in a straight line.
pub(crate) fn due_by(time: f64, rate: f64, ramp: f64) -> u64 {
    let votes = if time < ramp { rate * time * time / (2.0 * ramp) } else { rate * (time - ramp / 2.0) };
    votes as u64
}

/// When a vote is due at this rate, to which it rises in a straight line.
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
