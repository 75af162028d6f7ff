//! The metrics that a service shows on `/metrics`; docs/metrics.md lists them.
//!
//! A service registers each of its metrics at its start, with the value 0.
//! Otherwise Prometheus' `rate()` would miss the first event.

use std::time::Duration;

use ::metrics::{Counter, Gauge, Histogram, SharedString};
use ::metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::time::sleep;

/// The buckets of durations, in seconds. The smallest is a commit on a fast
/// disk, and the largest is longer than any voter waits.
const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The buckets of batches, in ballots: from a single one to the largest batch.
const BALLOTS: [f64; 10] = [1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0];

/// How often the recorder adds its samples to the histograms.
const KEEP_UP_EVERY: Duration = Duration::from_secs(5);

/// A counter for each of these values of the label.
pub fn counters<const N: usize>(
    name: &'static str,
    help: &'static str,
    label: &'static str,
    values: [&'static str; N],
) -> [Counter; N] {
    describe_counter!(name, help);
    values.map(|value| counter!(name, label => value))
}

/// A counter.
pub fn counter(name: &'static str, help: &'static str) -> Counter {
    describe_counter!(name, help);
    counter!(name)
}

/// A gauge for each of these values of the label.
pub fn gauges<const N: usize>(
    name: &'static str,
    help: &'static str,
    label: &'static str,
    values: [impl Into<SharedString>; N],
) -> [Gauge; N] {
    describe_gauge!(name, help);
    values.map(|value| gauge!(name, label => value.into()))
}

/// A gauge.
pub fn gauge(name: &'static str, help: &'static str) -> Gauge {
    describe_gauge!(name, help);
    gauge!(name)
}

/// A histogram. The unit at the end of its name chooses its buckets.
pub fn histogram(name: &'static str, help: &'static str) -> Histogram {
    describe_histogram!(name, help);
    histogram!(name)
}

/// Starts to keep all metrics for `/metrics`.
pub(crate) fn collect(release: &str) -> Result<PrometheusHandle, BuildError> {
    let metrics = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_ballots".to_owned()), &BALLOTS)?
        .install_recorder()?;
    let [build] =
        gauges("urna_build_info", "Always 1; the release that runs.", "version", [release.to_owned()]);
    build.set(1);
    Ok(metrics)
}

/// Adds the samples to the histograms again and again. Otherwise they would
/// pile up while nobody asks for the metrics.
pub(crate) async fn keep_up(metrics: PrometheusHandle) {
    loop {
        sleep(KEEP_UP_EVERY).await;
        metrics.run_upkeep();
    }
}
