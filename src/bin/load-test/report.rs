//! What is told at the end.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use common::language::Language;
use serde::Serialize;

use crate::measures::{Latency, Second};
use crate::truth::Verdict;

#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) vote_url: String,
    pub(crate) result_url: String,
    pub(crate) poll: String,
    pub(crate) seconds: f64,
    pub(crate) voters: usize,
    pub(crate) connections: u64,
    pub(crate) recorded: u64,
    pub(crate) recorded_per_second: f64,
    /// Votes that will not count, by reason.
    pub(crate) refused: BTreeMap<String, u64>,
    /// Votes of which nobody knows, by reason.
    pub(crate) unconfirmed: BTreeMap<String, u64>,
    pub(crate) viewers: usize,
    pub(crate) frames: u64,
    pub(crate) lost_connections: u64,
    /// All in milliseconds.
    pub(crate) vote: Option<Latency>,
    pub(crate) vote_to_screen: Option<Latency>,
    pub(crate) first_to_last_screen: Option<Latency>,
    pub(crate) course: Vec<Second>,
    pub(crate) truth: Verdict,
    /// Voters for whom PostgreSQL holds another vote than their last; not asked without --database-url.
    pub(crate) wrong_ballots: Option<usize>,
}

impl Report {
    pub(crate) fn counted_once(&self) -> bool {
        self.truth.counted_once && self.wrong_ballots.unwrap_or(0) == 0
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "recorded     {:>12}   {:.0} a second", number(self.recorded), self.recorded_per_second)?;
        by_reason(f, "refused", &self.refused)?;
        by_reason(f, "unconfirmed", &self.unconfirmed)?;
        writeln!(
            f,
            "voters       {:>12}   over {} connections",
            number(self.voters as u64),
            self.connections
        )?;
        let (viewers, frames) = (number(self.viewers as u64), number(self.frames));
        writeln!(
            f,
            "viewers      {viewers:>12}   {frames} frames, {} lost connections\n",
            self.lost_connections
        )?;
        self.latencies(f)?;
        self.truth(f)
    }
}

impl Report {
    fn latencies(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<24}{:>10}{:>10}{:>10}{:>10}{:>10}",
            "in milliseconds", "p50", "p90", "p99", "p99.9", "max"
        )?;
        let rows = [
            ("vote", self.vote),
            ("vote → screen", self.vote_to_screen),
            ("first → last screen", self.first_to_last_screen),
        ];
        for (name, latency) in rows {
            let Some(Latency { p50, p90, p99, p999, max }) = latency else { continue };
            writeln!(f, "{name:<24}{p50:>10.1}{p90:>10.1}{p99:>10.1}{p999:>10.1}{max:>10.1}")?;
        }
        writeln!(f)
    }

    fn truth(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.counted_once() {
            return write!(f, "Every recorded vote counted once: yes");
        }
        writeln!(f, "{:<24}{:>12}{:>12}{:>12}", "votes", "at least", "at most", "counted")?;
        for option in &self.truth.options {
            let mark = if option.is_right() { "" } else { "   wrong" };
            let [at_least, at_most, moved] = [option.at_least, option.at_most, option.moved];
            writeln!(f, "{:<24}{at_least:>12}{at_most:>12}{moved:>12}{mark}", option.label)?;
        }
        match self.truth.waiting {
            None => writeln!(f, "How many votes still wait is not known: the queue is away.")?,
            Some(0) => {}
            Some(waiting) => writeln!(f, "{} votes still wait: does a worker run?", number(waiting))?,
        }
        if self.truth.another_ledger {
            writeln!(f, "The ledger or the poll is another one than at the start.")?;
        }
        if self.truth.strangers > 0 {
            let strangers = number(self.truth.strangers.unsigned_abs());
            writeln!(f, "There are {strangers} votes more than these voters can have: did others vote too?")?;
        }
        if let Some(wrong) = self.wrong_ballots.filter(|wrong| *wrong > 0) {
            writeln!(
                f,
                "PostgreSQL holds another vote than the last one for {} voters.",
                number(wrong as u64)
            )?;
        }
        write!(f, "Every recorded vote counted once: no")
    }
}

fn by_reason(f: &mut Formatter<'_>, what: &str, reasons: &BTreeMap<String, u64>) -> fmt::Result {
    let parts: Vec<String> =
        reasons.iter().map(|(reason, count)| format!("{reason}: {}", number(*count))).collect();
    let line = format!("{what:<12} {:>12}   {}", number(reasons.values().sum()), parts.join(", "));
    writeln!(f, "{}", line.trim_end())
}

pub(crate) fn number(number: u64) -> String {
    Language::English.number(number)
}
