//! The metrics of `result`.

service::metrics! {
    /// Viewers that are connected.
    viewers: Gauge = "urna_result_viewers",
    /// Connections that viewers opened. A viewer who reconnects counts again.
    connections: Counter = "urna_result_connections_total",
    /// Updates with something new for the viewers.
    updates: Counter = "urna_result_frames_total",
    /// Totals and views that were sent to viewers.
    messages: Counter = "urna_result_messages_total",
    /// Times that the totals were read from the ledger.
    readings: Counter = "urna_result_readings_total",
}
