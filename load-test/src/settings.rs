//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Parser;
use hyper::Uri;
use store::postgres::PostgresSettings;

/// With more connections than this, one would measure the machine that sends the votes.
const CONCURRENCY_MAX: u64 = 10_000;

/// From one vote in a hundred seconds to more than any machine sends.
const RATE_MIN: f64 = 0.01;
const RATE_MAX: f64 = 1e7;

/// Votes at an Urna deployment as a crowd would, measures it, and checks that
/// every recorded vote was counted once. Nobody else should vote in the poll
/// meanwhile.
#[derive(Parser)]
#[command(name = "load-test", version, about, long_about = None)]
pub struct Settings {
    /// The address of the ballot page
    #[arg(long, env = "VOTE_URL", default_value = "http://127.0.0.1:8000", value_parser = site)]
    pub(crate) vote_url: Uri,
    /// The address of the results
    #[arg(long, env = "RESULT_URL", default_value = "http://127.0.0.1:8001", value_parser = site)]
    pub(crate) result_url: Uri,
    /// How many votes to cast
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) votes: u64,
    /// How long to vote instead, such as 30s or 10m
    #[arg(long, conflicts_with = "votes", value_parser = humantime::parse_duration)]
    pub(crate) duration: Option<Duration>,
    /// How many different voters come [default: computed from --votes and --changes]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    voters: Option<u64>,
    /// The share of votes by voters who change their mind, such as 20%
    #[arg(long, default_value = "20%", value_parser = share)]
    pub(crate) changes: f64,
    /// How popular each option is, in the poll's order, such as 3,1 [default: all the same]
    #[arg(long, value_delimiter = ',')]
    pub(crate) weights: Vec<f64>,
    /// How many vote at the same time, each over a separate connection
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=CONCURRENCY_MAX))]
    concurrency: u64,
    /// Votes per second, even if answers are late [default: each connection votes again after its answer]
    #[arg(long, value_parser = rate)]
    pub(crate) rate: Option<f64>,
    /// Begin slowly, and reach full speed after this time
    #[arg(long, default_value = "0s", value_parser = humantime::parse_duration)]
    pub(crate) ramp: Duration,
    /// How many watch the results
    #[arg(long, default_value_t = 10)]
    pub(crate) viewers: usize,
    #[command(flatten, next_help_heading = "To compare every voter's ballot, and not the totals only")]
    pub(crate) postgres: PostgresSettings,
    /// Print the summary as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Draw rate and latency over time into this SVG file
    #[arg(long, value_name = "FILE.svg")]
    pub(crate) plot: Option<PathBuf>,
}

impl Settings {
    /// How many voters come. `None` if new ones come as long as the load lasts.
    pub(crate) fn voters(&self) -> Option<u64> {
        let due = |time: Duration| Some(due_by(time.as_secs_f64(), self.rate?, self.ramp.as_secs_f64()));
        let votes = self.duration.map_or(Some(self.votes), due);
        let first_votes = |votes| (votes as f64 * (1.0 - self.changes)).ceil().max(1.0) as u64;
        self.voters.or(votes.map(first_votes))
    }

    /// How many can vote at the same time. Nobody votes twice at the same time.
    pub(crate) fn places(&self) -> u64 {
        self.voters().map_or(self.concurrency, |voters| voters.min(self.concurrency))
    }
}

/// How many votes are due by this time, if the rate rises in a straight line until the ramp ends.
pub(crate) fn due_by(time: f64, rate: f64, ramp: f64) -> u64 {
    let votes = if time < ramp { rate * time * time / (2.0 * ramp) } else { rate * (time - ramp / 2.0) };
    votes as u64
}

fn site(url: &str) -> anyhow::Result<Uri> {
    let uri: Uri = url.parse().context("it is no address")?;
    ensure!(
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.path() == "/" && uri.query().is_none(),
        "an address is of the form http://HOST:PORT"
    );
    Ok(uri)
}

fn share(text: &str) -> anyhow::Result<f64> {
    let (number, whole) = text.strip_suffix('%').map_or((text, 1.0), |percent| (percent, 100.0));
    let share = number.parse::<f64>().context("a share is of the form 20% or 0.2")? / whole;
    ensure!((0.0..=1.0).contains(&share), "a share lies between 0% and 100%");
    Ok(share)
}

fn rate(text: &str) -> anyhow::Result<f64> {
    let rate: f64 = text.parse().context("a rate is a number of votes per second")?;
    ensure!((RATE_MIN..=RATE_MAX).contains(&rate), "a rate lies between {RATE_MIN} and {RATE_MAX}");
    Ok(rate)
}
