//! What `vote` counts and measures, for `/metrics`.
//!
//! It also tells what waits in the queue, because it looks there anyway, and
//! needs nothing else: it can do so while every worker and the ledger are away.

use std::sync::LazyLock;

use common::figures::{counters, gauge, gauges, histogram};
use common::queue::Probe;
use metrics::{Counter, Gauge, Histogram};

/// Made at the start of serving, so that everything is shown from then on.
pub(crate) static FIGURES: LazyLock<Figures> = LazyLock::new(Figures::new);

pub(crate) struct Figures {
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

impl Figures {
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
            oldest: gauge("urna_queue_oldest_seconds", "How long the oldest vote has not been counted."),
            durable: gauge("urna_queue_durable", "1 if the queue is set to keep what it acknowledges."),
        }
    }

    /// What the last look at the queue saw. While it is away, nobody knows.
    pub(crate) fn show(&self, probe: Option<&Probe>) {
        let tell = |gauge: &Gauge, value: fn(&Probe) -> f64| gauge.set(probe.map_or(f64::NAN, value));
        tell(&self.waiting, |probe| probe.depth.waiting as f64);
        tell(&self.pending, |probe| probe.depth.pending as f64);
        tell(&self.dead, |probe| probe.depth.dead as f64);
        tell(&self.oldest, |probe| probe.depth.oldest.unwrap_or_default().as_secs_f64());
        tell(&self.durable, |probe| f64::from(u8::from(probe.warnings.is_empty())));
    }
}
