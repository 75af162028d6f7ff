//! How long things took, as distributions.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// The precision, in decimal digits. Two runs never agree on three.
const DIGITS: u8 = 3;

/// An hour, in microseconds.
const LONGEST: u64 = 3_600_000_000;

/// A distribution, in milliseconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Latency {
    /// The median.
    pub p50: f64,
    /// Nine of ten took at most this long.
    pub p90: f64,
    /// 99 of a hundred took at most this long.
    pub p99: f64,
    /// 999 of a thousand took at most this long.
    pub p999: f64,
    /// The longest.
    pub max: f64,
}

impl Latency {
    /// The distribution of these times; `None` if nothing was measured.
    pub fn of(times: &Times) -> Option<Self> {
        (!times.0.is_empty()).then(|| Self {
            p50: times.ms(0.5),
            p90: times.ms(0.9),
            p99: times.ms(0.99),
            p999: times.ms(0.999),
            max: times.ms(1.0),
        })
    }
}

/// Measured times. A time above an hour counts as an hour.
pub struct Times(Histogram<u64>);

impl Default for Times {
    fn default() -> Self {
        let histogram = Histogram::new_with_max(LONGEST, DIGITS);
        Self(histogram.unwrap_or_else(|_| unreachable!("these bounds are possible")))
    }
}

impl Times {
    /// Adds a time.
    pub fn add(&mut self, time: Duration) {
        self.0.saturating_record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// How many times there are.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// Forgets all times.
    pub fn clear(&mut self) {
        self.0.reset();
    }

    /// The time in milliseconds that this share of them did not exceed.
    pub fn ms(&self, quantile: f64) -> f64 {
        self.0.value_at_quantile(quantile) as f64 / 1000.0
    }
}
