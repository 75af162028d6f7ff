//! What a load measures.

use std::collections::BTreeMap;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::latency::{Latency, Times};
use crate::number::number;
use crate::vote::Answer;
use crate::voter::Reply;

/// Everything that was measured since the load began.
pub(crate) struct Measures {
    began: Instant,
    pub(crate) recorded: u64,
    pub(crate) refused: BTreeMap<String, u64>,
    pub(crate) unconfirmed: BTreeMap<String, u64>,
    latency: Times,
    /// When the first recorded vote of each voter was due.
    first_votes: Vec<Instant>,
    /// How many votes were due, but were not sent before the end.
    pub(crate) unsent: u64,
    this_second: Times,
    seconds: Vec<Second>,
}

impl Measures {
    pub(crate) fn beginning(began: Instant) -> Self {
        Self {
            began,
            recorded: 0,
            refused: BTreeMap::new(),
            unconfirmed: BTreeMap::new(),
            latency: Times::default(),
            first_votes: Vec::new(),
            unsent: 0,
            this_second: Times::default(),
            seconds: Vec::new(),
        }
    }

    /// Notes a vote that was due at this time and got its reply just now. Its latency begins when
    /// it was due, so it includes the wait for its turn.
    pub(crate) fn note(&mut self, due: Instant, first: bool, reply: &Reply) {
        self.end_seconds();
        let reasons = match reply.answer {
            Answer::Recorded { .. } => return self.note_recorded(due, first),
            Answer::Refused => &mut self.refused,
            Answer::Unconfirmed { .. } | Answer::None => &mut self.unconfirmed,
        };
        *reasons.entry(reply.reason()).or_default() += 1;
    }

    fn note_recorded(&mut self, due: Instant, first: bool) {
        let took = due.elapsed();
        self.recorded += 1;
        self.latency.add(took);
        self.this_second.add(took);
        if first {
            self.first_votes.push(due);
        }
    }

    pub(crate) fn latency(&self) -> Option<Latency> {
        Latency::of(&self.latency)
    }

    /// Each whole second of the load.
    pub(crate) fn course(&self) -> &[Second] {
        &self.seconds
    }

    /// How many votes were cast, recorded or not.
    pub(crate) fn cast(&self) -> u64 {
        self.recorded + self.refused.values().chain(self.unconfirmed.values()).sum::<u64>()
    }

    /// How many voters were told *Recorded* at least once.
    pub(crate) fn voters(&self) -> usize {
        self.first_votes.len()
    }

    pub(crate) fn first_votes(&self) -> &[Instant] {
        &self.first_votes
    }

    /// The progress, in one line.
    pub(crate) fn line(&mut self) -> String {
        self.end_seconds();
        let lately = self.seconds.last().map_or_else(String::new, |second| {
            let Second { recorded, p50_ms, p99_ms } = second;
            format!(" ({}/s, p50 {p50_ms:.1} ms, p99 {p99_ms:.1} ms)", number(*recorded))
        });
        let [refused, unconfirmed] =
            [&self.refused, &self.unconfirmed].map(|reasons| number(reasons.values().sum()));
        format!("{} recorded{lately}, {refused} refused, {unconfirmed} unconfirmed", number(self.recorded))
    }

    /// Adds every second that is over to the list.
    pub(crate) fn end_seconds(&mut self) {
        let now = self.began.elapsed().as_secs() as usize;
        while self.seconds.len() < now {
            self.seconds.push(Second::of(&self.this_second));
            self.this_second.clear();
        }
    }
}

/// One second of the load.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Second {
    /// How many votes were recorded in this second.
    pub recorded: u64,
    /// The median of their latencies, in milliseconds.
    pub p50_ms: f64,
    /// 99 of a hundred of them took at most this long.
    pub p99_ms: f64,
}

impl Second {
    fn of(times: &Times) -> Self {
        Self { recorded: times.count(), p50_ms: times.ms(0.5), p99_ms: times.ms(0.99) }
    }
}
