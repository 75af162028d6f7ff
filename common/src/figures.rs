//! The figures that a service shows on `/metrics`; docs/metrics.md lists them.
//!
//! Each is made once, at the start, with its name and what it tells, and is
//! there with zero from then on: a counter that appears with its first event
//! hides that event from who watches how it grows.

use metrics::{Counter, Gauge, Histogram, SharedString};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

/// From a commit on a fast disk to what no voter waits for.
pub(crate) const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// From a lone vote to the largest batch.
pub(crate) const BALLOTS: [f64; 10] = [1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0];

/// A counter for each of these labels.
pub fn counters<const N: usize>(
    name: &'static str,
    tells: &'static str,
    label: &'static str,
    values: [&'static str; N],
) -> [Counter; N] {
    describe_counter!(name, tells);
    values.map(|value| counter!(name, label => value))
}

/// A counter.
pub fn counter(name: &'static str, tells: &'static str) -> Counter {
    describe_counter!(name, tells);
    counter!(name)
}

/// A gauge for each of these labels.
pub fn gauges<const N: usize>(
    name: &'static str,
    tells: &'static str,
    label: &'static str,
    values: [impl Into<SharedString>; N],
) -> [Gauge; N] {
    describe_gauge!(name, tells);
    values.map(|value| gauge!(name, label => value.into()))
}

/// A gauge.
pub fn gauge(name: &'static str, tells: &'static str) -> Gauge {
    describe_gauge!(name, tells);
    gauge!(name)
}

/// A histogram. The unit at the end of its name chooses its buckets.
pub fn histogram(name: &'static str, tells: &'static str) -> Histogram {
    describe_histogram!(name, tells);
    histogram!(name)
}
