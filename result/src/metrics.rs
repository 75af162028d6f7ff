//! The metrics of `result`.

use std::sync::LazyLock;

use ::metrics::{Counter, Gauge};
use service::metrics::{counter, gauge};

/// Registered at the start of serving, so that everything is shown from then on.
pub(crate) static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

pub(crate) struct Metrics {
    pub(crate) viewers: Gauge,
    pub(crate) connections: Counter,
    pub(crate) updates: Counter,
    pub(crate) messages: Counter,
    pub(crate) readings: Counter,
}

impl Metrics {
    fn new() -> Self {
        let connections = "Connections that viewers opened. A viewer who reconnects counts again.";
        Self {
            viewers: gauge("urna_result_viewers", "Viewers that are connected."),
            connections: counter("urna_result_connections_total", connections),
            updates: counter("urna_result_frames_total", "Updates with something new for the viewers."),
            messages: counter("urna_result_messages_total", "Totals and views that were sent to viewers."),
            readings: counter(
                "urna_result_readings_total",
                "Times that the totals were read from the ledger.",
            ),
        }
    }
}
