//! The metrics of `vote`.
//!
//! `vote` also reports how many votes wait in the queue, because it probes the queue
//! anyway. An alert on waiting votes must fire even while all workers and the ledger
//! are away.

use std::sync::LazyLock;

use ::metrics::{Counter, Gauge, Histogram};
use queue::Probe;
use service::metrics::{counters, gauge, gauges, histogram};

/// Registered at the start of serving, so that everything is shown from then on.
pub(crate) static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

pub(crate) struct Metrics {
    pub(crate) recorded: Counter,
    pub(crate) refused: Counter,
    pub(crate) unconfirmed: Counter,
    pub(crate) invalid: Counter,
    pub(crate) answer: Histogram,
    pub(crate) append: Histogram,
    pub(crate) capacity: Gauge,
    waiting: Gauge,
    pending: Gauge,
    dead: Gauge,
    oldest: Gauge,
    durable: Gauge,
}

impl Metrics {
    fn new() -> Self {
        let outcomes = ["recorded", "refused", "unconfirmed", "invalid"];
        let [recorded, refused, unconfirmed, invalid] =
            counters("urna_votes_total", "Votes by what the voter was told.", "outcome", outcomes);
        let held = "Entries the queue holds: taken by no worker, taken and not settled, dead letters.";
        let [waiting, pending, dead] =
            gauges("urna_queue_ballots", held, "state", ["waiting", "pending", "dead"]);
        Self {
            recorded,
            refused,
            unconfirmed,
            invalid,
            answer: histogram("urna_vote_answer_duration_seconds", "How long a voter waits for an answer."),
            append: histogram(
                "urna_vote_append_duration_seconds",
                "How long the queue takes to keep a vote.",
            ),
            capacity: gauge("urna_queue_capacity_ballots", "How many may wait before votes are refused."),
            waiting,
            pending,
            dead,
            oldest: gauge("urna_queue_oldest_seconds", "How long the oldest uncounted vote has waited."),
            durable: gauge("urna_queue_durable", "1 if the queue is set to keep what it acknowledges."),
        }
    }

    /// Shows what the last probe of the queue found. `None` means that the queue is
    /// away, so that nobody knows what it holds.
    pub(crate) fn show(&self, probe: Option<&Probe>) {
        let set = |gauge: &Gauge, value: fn(&Probe) -> f64| gauge.set(probe.map_or(f64::NAN, value));
        set(&self.waiting, |probe| probe.depth.untaken as f64);
        set(&self.pending, |probe| probe.depth.pending as f64);
        set(&self.dead, |probe| probe.depth.dead as f64);
        set(&self.oldest, |probe| probe.depth.oldest.unwrap_or_default().as_secs_f64());
        set(&self.durable, |probe| f64::from(u8::from(probe.warnings.is_empty())));
    }
}
