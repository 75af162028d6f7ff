//! What the worker counts and measures, for `/metrics`.

use std::sync::LazyLock;

use common::figures::{counter, counters, histogram};
use common::health::Part;
use metrics::{Counter, Histogram};

/// Made at the start of the work, so that everything is shown from then on.
pub(crate) static FIGURES: LazyLock<Figures> = LazyLock::new(Figures::new);

pub(crate) struct Figures {
    pub(crate) batch: Histogram,
    pub(crate) commit: Histogram,
    pub(crate) counted: Counter,
    pub(crate) dead: Counter,
    retries: [Counter; Part::ALL.len()],
    setbacks: [Counter; Part::ALL.len()],
}

impl Figures {
    fn new() -> Self {
        let parts = Part::ALL.map(Part::name);
        let setbacks = "Stores found emptied, or older than they were; each is told by one worker.";
        Self {
            batch: histogram("urna_worker_batch_ballots", "How many ballots were taken at a time."),
            commit: histogram(
                "urna_worker_commit_duration_seconds",
                "How long the ledger takes for a commit.",
            ),
            counted: counter("urna_worker_ballots_counted_total", "Ballots that were news to the ledger."),
            dead: counter(
                "urna_worker_dead_letters_total",
                "Entries set aside, because they can never be counted.",
            ),
            retries: counters(
                "urna_worker_retries_total",
                "Tries that failed, while a part was away.",
                "part",
                parts,
            ),
            setbacks: counters("urna_setbacks_total", setbacks, "store", parts),
        }
    }

    pub(crate) fn retries(&self, part: Part) -> &Counter {
        &self.retries[part as usize]
    }

    pub(crate) fn setbacks(&self, store: Part) -> &Counter {
        &self.setbacks[store as usize]
    }
}
