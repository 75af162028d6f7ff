//! What a load measures.

use std::collections::BTreeMap;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::latency::{Latency, Times};
use crate::number::number;
use crate::vote::Answer;
use crate::voter::Reply;

/// What was measured of the votes.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Measures {
    /// How long the load lasted.
    pub seconds: f64,
    /// How many voters were told *Recorded* at least once.
    pub voters: u64,
    /// How many votes were recorded.
    pub recorded: u64,
    /// How many votes were recorded per second.
    pub recorded_per_second: f64,
    /// Votes that never count, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Votes that may or may not count, by reason.
    pub unconfirmed: BTreeMap<String, u64>,
    /// How many votes were due at the chosen rate, but were not sent before the end.
    pub unsent: u64,
    /// The time from when a vote was due until it was recorded.
    pub vote: Option<Latency>,
    /// Each whole second of the load.
    pub course: Vec<Second>,
    /// When the first recorded vote of each voter was due.
    #[serde(skip)]
    pub(crate) first_votes: Vec<Instant>,
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

impl Measures {
    /// How many votes were cast, recorded or not.
    pub(crate) fn cast(&self) -> u64 {
        self.recorded + self.refused.values().chain(self.unconfirmed.values()).sum::<u64>()
    }
}

/// Measures a load while it lasts.
pub(crate) struct Meter {
    began: Instant,
    measures: Measures,
    latency: Times,
    this_second: Times,
}

impl Meter {
    pub(crate) fn beginning(began: Instant) -> Self {
        let (latency, this_second) = (Times::default(), Times::default());
        Self { began, measures: Measures::default(), latency, this_second }
    }

    /// Notes a vote that was due at this time and got its reply just now. Its latency begins when
    /// it was due, so it includes the wait for its turn.
    pub(crate) fn note(&mut self, due: Instant, first: bool, reply: &Reply) {
        self.end_seconds();
        let reasons = match reply.answer {
            Answer::Recorded { .. } => return self.note_recorded(due, first),
            Answer::Refused => &mut self.measures.refused,
            Answer::Unconfirmed { .. } | Answer::None => &mut self.measures.unconfirmed,
        };
        *reasons.entry(reply.reason()).or_default() += 1;
    }

    fn note_recorded(&mut self, due: Instant, first: bool) {
        let took = due.elapsed();
        self.measures.recorded += 1;
        self.latency.add(took);
        self.this_second.add(took);
        self.measures.first_votes.extend(first.then_some(due));
    }

    /// The progress, in one line.
    pub(crate) fn line(&mut self) -> String {
        self.end_seconds();
        let Measures { recorded, refused, unconfirmed, course, .. } = &self.measures;
        let lately = course.last().map_or_else(String::new, |Second { recorded, p50_ms, p99_ms }| {
            format!(" ({}/s, p50 {p50_ms:.1} ms, p99 {p99_ms:.1} ms)", number(*recorded))
        });
        let [refused, unconfirmed] = [refused, unconfirmed].map(|reasons| number(reasons.values().sum()));
        format!("{} recorded{lately}, {refused} refused, {unconfirmed} unconfirmed", number(*recorded))
    }

    /// What was measured until now, when the load ends.
    pub(crate) fn end(mut self) -> Measures {
        self.end_seconds();
        let seconds = self.began.elapsed().as_secs_f64();
        Measures {
            seconds,
            recorded_per_second: self.measures.recorded as f64 / seconds,
            voters: self.measures.first_votes.len() as u64,
            vote: Latency::of(&self.latency),
            ..self.measures
        }
    }

    /// Adds every second that is over to the course.
    fn end_seconds(&mut self) {
        let now = self.began.elapsed().as_secs() as usize;
        while self.measures.course.len() < now {
            let (p50_ms, p99_ms) = (self.this_second.ms(0.5), self.this_second.ms(0.99));
            self.measures.course.push(Second { recorded: self.this_second.count(), p50_ms, p99_ms });
            self.this_second.clear();
        }
    }
}
