//! The metrics of `worker`.

use std::sync::LazyLock;

use ::metrics::{Counter, Histogram};
use service::Store;
use service::metrics::{counter, counters, histogram};

/// Registered at the start of the work, so that everything is shown from then on.
pub(crate) static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

pub(crate) struct Metrics {
    pub(crate) batch: Histogram,
    pub(crate) commit: Histogram,
    pub(crate) counted: Counter,
    pub(crate) dead: Counter,
    /// One counter for each store.
    pub(crate) retries: [Counter; Store::ALL.len()],
}

impl Metrics {
    fn new() -> Self {
        Self {
            batch: histogram("urna_worker_batch_ballots", "How many ballots were taken at a time."),
            commit: histogram(
                "urna_worker_commit_duration_seconds",
                "How long the ledger takes for a commit.",
            ),
            counted: counter("urna_worker_ballots_counted_total", "Ballots that changed the ledger."),
            dead: counter(
                "urna_worker_dead_letters_total",
                "Entries set aside, because they can never be counted.",
            ),
            retries: counters(
                "urna_worker_retries_total",
                "Tries that failed because a store was away.",
                "part",
                Store::ALL.map(Store::name),
            ),
        }
    }
}
