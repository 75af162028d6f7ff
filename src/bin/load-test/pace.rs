//! When votes are due, and how many.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::settings::Settings;

/// As many votes as were asked for, or as long; at a fixed rate, or each when its place is free.
pub(crate) struct Pace {
    began: Instant,
    votes: u64,
    duration: Duration,
    concurrency: u64,
    rate: Option<f64>,
    ramp: Duration,
    given: AtomicU64,
}

impl Pace {
    pub(crate) fn beginning(settings: &Settings, began: Instant) -> Self {
        Self {
            began,
            votes: settings.duration.map_or(settings.votes, |_| u64::MAX),
            duration: settings.duration.unwrap_or(Duration::MAX),
            concurrency: settings.concurrency,
            rate: settings.rate,
            ramp: settings.ramp,
            given: AtomicU64::new(0),
        }
    }

    /// When the next vote is due from this place, if there is one.
    pub(crate) fn next(&self, place: u64) -> Option<Instant> {
        let turn = self.given.fetch_add(1, Ordering::Relaxed);
        let after = match self.rate {
            Some(rate) => fixed(turn, rate, self.ramp.as_secs_f64()),
            // One place after the other begins.
            None => self.began.elapsed().max(self.ramp.mul_f64(place as f64 / self.concurrency as f64)),
        };
        (turn < self.votes && after < self.duration).then(|| self.began + after)
    }
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
    use super::fixed;

    #[test]
    fn a_ramp_reaches_its_rate_and_keeps_it() {
        let seconds = |turn| fixed(turn, 100.0, 10.0).as_secs_f64();
        // Half as many votes in the ramp as after it, in the same time.
        assert_eq!(seconds(0), 0.0);
        assert_eq!(seconds(500), 10.0);
        assert_eq!(seconds(1_500), 20.0);
        assert!((seconds(125) - 5.0).abs() < 1e-9, "a quarter of its votes in its first half");
        assert_eq!(fixed(300, 100.0, 0.0).as_secs_f64(), 3.0);
    }
}
