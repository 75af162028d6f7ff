//! What `result` counts, for `/metrics`.

use std::sync::LazyLock;

use common::figures::{counter, gauge};
use metrics::{Counter, Gauge};

/// Made at the start of serving, so that everything is shown from then on.
pub(crate) static FIGURES: LazyLock<Figures> = LazyLock::new(Figures::new);

pub(crate) struct Figures {
    pub(crate) viewers: Gauge,
    pub(crate) connections: Counter,
    pub(crate) frames: Counter,
    pub(crate) messages: Counter,
    pub(crate) readings: Counter,
}

impl Figures {
    fn new() -> Self {
        let connections = "Viewers that connected; those who only come again are in it each time.";
        Self {
            viewers: gauge("urna_result_viewers", "Viewers that are connected."),
            connections: counter("urna_result_connections_total", connections),
            frames: counter("urna_result_frames_total", "Times that there was news for the viewers."),
            messages: counter("urna_result_messages_total", "Totals and views that were sent to viewers."),
            readings: counter(
                "urna_result_readings_total",
                "Times that the totals were read from the ledger.",
            ),
        }
    }
}
