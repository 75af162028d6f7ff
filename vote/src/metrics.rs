//! The metrics of `vote`.
//!
//! `vote` also reports how many votes wait in the queue, because it probes the queue
//! anyway. An alert on waiting votes must fire even while all workers and the ledger
//! are away.

use queue::Probe;
use service::metrics::Gauge;

service::metrics! {
    /// Votes by what the voter was told.
    recorded: Counter = "urna_votes_total" {outcome = "recorded"},
    refused: Counter = "urna_votes_total" {outcome = "refused"},
    unconfirmed: Counter = "urna_votes_total" {outcome = "unconfirmed"},
    invalid: Counter = "urna_votes_total" {outcome = "invalid"},
    /// How long a voter waits for an answer.
    answer: Histogram = "urna_vote_answer_duration_seconds",
    /// How long the queue takes to keep a vote.
    append: Histogram = "urna_vote_append_duration_seconds",
    /// How many may wait before votes are refused.
    capacity: Gauge = "urna_queue_capacity_ballots",
    /// Entries the queue holds: taken by no worker, taken and not settled, dead letters.
    waiting: Gauge = "urna_queue_ballots" {state = "waiting"},
    pending: Gauge = "urna_queue_ballots" {state = "pending"},
    dead: Gauge = "urna_queue_ballots" {state = "dead"},
    /// How long the oldest uncounted vote has waited.
    oldest: Gauge = "urna_queue_oldest_seconds",
    /// 1 if the queue is set to keep what it acknowledges.
    durable: Gauge = "urna_queue_durable",
}

impl Metrics {
    /// Shows what the last probe of the queue found. `None` means that the queue is
    /// away, so that nobody knows what it holds.
    pub(crate) fn show(&self, probe: Option<&Probe>) {
        let set = |gauge: &Gauge, value: fn(&Probe) -> f64| gauge.set(probe.map_or(f64::NAN, value));
        set(&self.waiting, |probe| probe.depth.untaken as f64);
        set(&self.pending, |probe| probe.depth.pending as f64);
        set(&self.dead, |probe| probe.depth.dead as f64);
        set(&self.oldest, |probe| probe.depth.oldest.unwrap_or_default().as_secs_f64());
        set(&self.durable, |probe| f64::from(u8::from(probe.risks.is_empty())));
    }
}
