//! The report at the end of a run.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::check::{Truth, Verdict};
use crate::latency::Latency;
use crate::measures::{Measures, Second};
use crate::number::number;
use crate::results::ShownTotals;
use crate::settings::Settings;
use crate::viewers::Viewers;

/// The report of a run; `--json` prints it as it is.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    /// Where the votes were cast.
    pub vote_url: String,
    /// Where the results were read.
    pub result_url: String,
    /// The poll that was voted in.
    pub poll: String,
    /// How long the load lasted.
    pub seconds: f64,
    /// How many voters were told *Recorded* at least once.
    pub voters: usize,
    /// How many could vote at the same time.
    pub connections: u64,
    /// How many votes were recorded.
    pub recorded: u64,
    /// How many votes were recorded per second.
    pub recorded_per_second: f64,
    /// Votes that never count, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Votes that may or may not count, by reason.
    pub unconfirmed: BTreeMap<String, u64>,
    /// How many watched the results.
    pub viewers: usize,
    /// How many frames all viewers got together.
    pub frames: u64,
    /// How often a viewer lost the connection.
    pub lost_connections: u64,
    /// The time from when a vote was due until it was recorded.
    pub vote: Option<Latency>,
    /// The time from when a vote was due until the first viewer saw it.
    pub vote_to_screen: Option<Latency>,
    /// The time from when the first viewer saw a frame until the last one did.
    pub first_to_last_screen: Option<Latency>,
    /// Each second of the load.
    pub course: Vec<Second>,
    /// How many votes were due at the chosen rate, but were not sent before the end.
    pub unsent: u64,
    /// Whether the promise held.
    pub truth: Truth,
}

impl Report {
    pub(crate) fn of(
        settings: &Settings,
        before: &ShownTotals,
        viewers: &Viewers,
        measures: Measures,
        took: Duration,
        truth: Truth,
    ) -> Self {
        Self {
            vote_url: settings.vote_url.to_string(),
            result_url: settings.result_url.to_string(),
            poll: before.poll.clone(),
            seconds: took.as_secs_f64(),
            voters: measures.voters(),
            connections: settings.places(),
            recorded: measures.recorded,
            recorded_per_second: measures.recorded as f64 / took.as_secs_f64(),
            viewers: viewers.seats,
            frames: viewers.frames(),
            lost_connections: viewers.lost_connections(),
            vote: measures.latency(),
            vote_to_screen: viewers.vote_to_screen(before.total, measures.first_votes()),
            first_to_last_screen: viewers.first_to_last_screen(),
            course: measures.course().to_vec(),
            unsent: measures.unsent,
            refused: measures.refused,
            unconfirmed: measures.unconfirmed,
            truth,
        }
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "recorded     {:>12}   {:.0} a second", number(self.recorded), self.recorded_per_second)?;
        by_reason(f, "refused", &self.refused)?;
        by_reason(f, "unconfirmed", &self.unconfirmed)?;
        if self.unsent > 0 {
            writeln!(f, "not sent     {:>12}   the rate was too high", number(self.unsent))?;
        }
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
        let Truth { counted_once, compared, verdict, wrong_ballots, unchecked } = &self.truth;
        if let Some(reason) = unchecked {
            writeln!(f, "It could not be checked: {reason}")?;
        }
        if let Some(verdict) = verdict.as_ref().filter(|_| !counted_once) {
            differences(f, verdict)?;
        }
        if let Some(wrong @ 1..) = wrong_ballots {
            writeln!(
                f,
                "Voters for whom PostgreSQL holds another vote than their last: {}",
                number(*wrong as u64)
            )?;
        }
        writeln!(f, "Compared: {compared}")?;
        write!(f, "Every recorded vote counted once: {}", if *counted_once { "yes" } else { "no" })
    }
}

fn differences(f: &mut Formatter<'_>, verdict: &Verdict) -> fmt::Result {
    writeln!(f, "{:<24}{:>12}{:>12}{:>12}", "votes", "at least", "at most", "counted")?;
    for option in &verdict.options {
        let mark = if option.is_right() { "" } else { "   wrong" };
        let [at_least, at_most, moved] = [option.at_least, option.at_most, option.moved];
        writeln!(f, "{:<24}{at_least:>12}{at_most:>12}{moved:>12}{mark}", option.label)?;
    }
    if verdict.recorded == 0 {
        writeln!(f, "No vote was recorded, so nothing is proven.")?;
    }
    if !verdict.live {
        writeln!(f, "The database is away: these totals are old.")?;
    }
    match verdict.waiting {
        None => writeln!(f, "The queue is away: how many votes still wait is not known.")?,
        Some(0) => {}
        Some(waiting) => writeln!(f, "Votes that still wait: {} (does a worker run?)", number(waiting))?,
    }
    if verdict.another_ledger {
        writeln!(f, "The ledger or the poll is another one than at the start.")?;
    }
    if verdict.strangers > 0 {
        let strangers = number(verdict.strangers.unsigned_abs());
        writeln!(f, "Votes more than these voters can have: {strangers} (did others vote too?)")?;
    }
    Ok(())
}

fn by_reason(f: &mut Formatter<'_>, what: &str, reasons: &BTreeMap<String, u64>) -> fmt::Result {
    let parts: Vec<String> =
        reasons.iter().map(|(reason, count)| format!("{reason}: {}", number(*count))).collect();
    let line = format!("{what:<12} {:>12}   {}", number(reasons.values().sum()), parts.join(", "));
    writeln!(f, "{}", line.trim_end())
}
