//! The summary at the end of a run.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use crate::check::{Truth, Verdict};
use crate::latency::Latency;
use crate::measures::Measures;
use crate::number::number;
use crate::viewers::Screens;

/// The summary of a run; `--json` prints it as it is.
#[derive(Debug, Serialize, Deserialize)]
pub struct Summary {
    /// Where the votes were cast.
    pub vote_url: String,
    /// Where the results were read.
    pub result_url: String,
    /// The poll that was voted in.
    pub poll: String,
    /// How many could vote at the same time.
    pub connections: u64,
    /// What was measured of the votes.
    #[serde(flatten)]
    pub measures: Measures,
    /// What was measured of the results.
    #[serde(flatten)]
    pub screens: Screens,
    /// Whether the promise held.
    pub truth: Truth,
}

impl Display for Summary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Measures { recorded, recorded_per_second, voters, unsent, .. } = self.measures;
        let Screens { viewers, updates, lost_connections, .. } = self.screens;
        row(f, "recorded", recorded, &format!("{recorded_per_second:.0} a second"))?;
        by_reason(f, "refused", &self.measures.refused)?;
        by_reason(f, "unconfirmed", &self.measures.unconfirmed)?;
        if unsent > 0 {
            row(f, "not sent", unsent, "the rate was too high")?;
        }
        row(f, "voters", voters, &format!("over {} connections", self.connections))?;
        let seen = format!("{} updates, {lost_connections} lost connections", number(updates));
        row(f, "viewers", viewers as u64, &seen)?;
        self.latencies(f)?;
        self.truth(f)
    }
}

fn by_reason(f: &mut Formatter<'_>, what: &str, reasons: &BTreeMap<String, u64>) -> fmt::Result {
    let parts: Vec<String> =
        reasons.iter().map(|(reason, count)| format!("{reason}: {}", number(*count))).collect();
    row(f, what, reasons.values().sum(), &parts.join(", "))
}

fn row(f: &mut Formatter<'_>, what: &str, count: u64, more: &str) -> fmt::Result {
    writeln!(f, "{}", format!("{what:<12} {:>12}   {more}", number(count)).trim_end())
}

impl Summary {
    fn latencies(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let [p50, p90, p99, p999, max] = ["p50", "p90", "p99", "p99.9", "max"];
        writeln!(f, "\n{:<24}{p50:>10}{p90:>10}{p99:>10}{p999:>10}{max:>10}", "in milliseconds")?;
        let rows = [
            ("vote", self.measures.vote),
            ("vote → screen", self.screens.vote_to_screen),
            ("first → last screen", self.screens.first_to_last_screen),
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
        if let Some(wrong @ 1..) = *wrong_ballots {
            let wrong = number(wrong as u64);
            writeln!(f, "Voters for whom PostgreSQL holds another vote than their last: {wrong}")?;
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
    let [waiting, strangers] = [verdict.waiting.unwrap_or(0), verdict.strangers.unsigned_abs()].map(number);
    let strangers = format!("Votes more than these voters can have: {strangers} (did others vote too?)");
    let waiting = format!("Votes that still wait: {waiting} (does a worker run?)");
    let notes = [
        (verdict.recorded == 0, "No vote was recorded, so nothing is proven."),
        (!verdict.live, "The database is away: these totals are old."),
        (verdict.waiting.is_none(), "The queue is away: how many votes still wait is not known."),
        (verdict.waiting > Some(0), &*waiting),
        (verdict.another_ledger, "The ledger or the poll is another one than at the start."),
        (verdict.strangers > 0, &*strangers),
    ];
    notes.iter().filter(|(holds, _)| *holds).try_for_each(|(_, note)| writeln!(f, "{note}"))
}
