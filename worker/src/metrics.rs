//! The metrics of `worker`.

service::metrics! {
    /// How many ballots were taken at a time.
    batch: Histogram = "urna_worker_batch_ballots",
    /// How long the ledger takes for a commit.
    commit: Histogram = "urna_worker_commit_duration_seconds",
    /// Ballots that changed the ledger.
    counted: Counter = "urna_worker_ballots_counted_total",
    /// Entries that can never be counted, and became dead letters.
    dead: Counter = "urna_worker_dead_letters_total",
}
