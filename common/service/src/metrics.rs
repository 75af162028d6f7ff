//! The metrics that a service shows on `/metrics`; docs/metrics.md lists them.
//!
//! A service registers each of its metrics at its start, with the value 0.
//! Otherwise Prometheus' `rate()` would miss the first event.

use std::time::Duration;

pub use ::metrics::{Counter, Gauge, Histogram};
use ::metrics::{Label, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::time::sleep;

use crate::settings::Identity;

/// The buckets of durations, in seconds. The smallest is a commit on a fast
/// disk, and the largest is longer than any voter waits.
const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The buckets of batches, in ballots: from a single one to the largest batch.
const BALLOTS: [f64; 10] = [1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0];

/// How often the recorder adds its samples to the histograms.
const KEEP_UP_EVERY: Duration = Duration::from_secs(5);

/// Makes the static `METRICS`, a table of a service's metrics. Its first use registers
/// them all. The comment of a metric is its help text. Of several with the same name,
/// only the first needs one. The unit at the end of a histogram's name chooses its buckets.
#[macro_export]
macro_rules! metrics {
    ($($(#[doc = $help:literal])? $metric:ident: $Kind:ident = $name:literal $({$label:ident = $value:literal})?,)*) => {
        pub(crate) static METRICS: std::sync::LazyLock<Metrics> = std::sync::LazyLock::new(|| Metrics {
            $($metric: $crate::metrics::Metric::registered(
                $name,
                concat!($($help)?).trim_start(),
                &[$((stringify!($label), $value))?],
            ),)*
        });

        pub(crate) struct Metrics {
            $($(#[doc = $help])? pub(crate) $metric: $crate::metrics::$Kind,)*
        }
    };
}

/// A kind of metric.
pub trait Metric {
    /// Registers a metric with this name, help text and labels.
    fn registered(name: &'static str, help: &'static str, labels: &[(&'static str, &str)]) -> Self;
}

macro_rules! kind {
    ($Kind:ident, $register:ident, $describe:ident) => {
        impl Metric for $Kind {
            fn registered(name: &'static str, help: &'static str, labels: &[(&'static str, &str)]) -> Self {
                if !help.is_empty() {
                    $describe!(name, help);
                }
                let label = |(label, value): &(&'static str, &str)| Label::new(*label, value.to_string());
                $register!(name, labels.iter().map(label).collect::<Vec<_>>())
            }
        }
    };
}
kind!(Counter, counter, describe_counter);
kind!(Gauge, gauge, describe_gauge);
kind!(Histogram, histogram, describe_histogram);

/// Starts to keep all metrics of this replica for `/metrics`.
pub(crate) fn collect(replica: &Identity) -> Result<PrometheusHandle, BuildError> {
    let metrics = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_ballots".to_owned()), &BALLOTS)?
        .install_recorder()?;
    let help = "Always 1; the release that runs, and on which machine.";
    // To Prometheus, an empty label is the same as none.
    let labels = [("version", &*replica.release), ("node", replica.node.as_deref().unwrap_or_default())];
    Gauge::registered("urna_build_info", help, &labels).set(1);
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
