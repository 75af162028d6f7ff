//! Checks the promise: compares what the voters were told with what was counted.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use election::{Choice, VoterId};
use serde::{Deserialize, Serialize};
use sqlx::{ConnectOptions, PgConnection};
use store::postgres::PostgresSettings;
use tokio::time::sleep;
use uuid::Uuid;

use crate::oracle::{Bounds, Counted, violations};
use crate::results::{COUNTED_WITHIN, LOOK_EVERY, READINGS, Results, ShownTotals};
use crate::vote::Told;

/// When no vote waits any more, a replica of `result` may still be behind by this much.
const SHOWN_WITHIN: Duration = Duration::from_secs(5);

/// How many voters one query to PostgreSQL asks about.
const VOTERS_AT_ONCE: usize = 10_000;

/// Whether every recorded vote was counted once.
#[derive(Debug, Serialize, Deserialize)]
pub struct Truth {
    /// The answer.
    pub counted_once: bool,
    /// What was compared.
    pub compared: String,
    /// What the totals say.
    pub verdict: Option<Verdict>,
    /// For how many voters PostgreSQL holds a wrong ballot. `None` without --database-url.
    pub wrong_ballots: Option<usize>,
    /// Why the check was impossible, or not complete.
    pub unchecked: Option<String>,
}

impl Truth {
    /// The answer from the totals and from the number of wrong ballots, if PostgreSQL was asked.
    pub(crate) fn of(totals: anyhow::Result<Verdict>, ballots: anyhow::Result<Option<usize>>) -> Self {
        let compared = match (&totals, &ballots) {
            (Err(_), _) => "nothing",
            (_, Ok(None)) => "totals only, because no --database-url",
            (_, Err(_)) => "totals only, because PostgreSQL could not be asked",
            (_, Ok(Some(_))) => "every ballot",
        };
        let error = totals.as_ref().err().or(ballots.as_ref().err());
        let unchecked = error.map(|error| format!("{error:#}"));
        let (verdict, wrong_ballots) = (totals.ok(), ballots.ok().flatten());
        let are_right = verdict.as_ref().is_some_and(|verdict| verdict.counted_once);
        let counted_once = are_right && unchecked.is_none() && wrong_ballots.unwrap_or(0) == 0;
        Self { counted_once, compared: compared.to_owned(), verdict, wrong_ballots, unchecked }
    }
}

/// What the totals say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether the totals are right.
    pub counted_once: bool,
    /// How many votes are counted.
    pub total: i64,
    /// How many voters were told *Recorded* at least once.
    pub recorded: i64,
    /// Whether the ledger answered when it was last asked.
    pub live: bool,
    /// How many recorded votes are not counted yet. `None` while the queue is away.
    pub waiting: Option<u64>,
    /// Whether the ledger, or the poll, is not the one of the start.
    pub another_ledger: bool,
    /// How many more votes are counted than our voters can have cast.
    pub strangers: i64,
    /// What the totals of each option say.
    pub options: Vec<OptionVerdict>,
}

/// By how much an option's votes changed since the start, and by how much they may have changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionVerdict {
    /// The option's label, as the page shows it.
    pub label: String,
    /// How many votes certainly count.
    pub at_least: i64,
    /// How many votes count at most: these, and those that may count.
    pub at_most: i64,
    /// How many votes were counted since the start.
    pub moved: i64,
}

impl OptionVerdict {
    pub(crate) fn is_right(&self) -> bool {
        (self.at_least..=self.at_most).contains(&self.moved)
    }
}

impl Verdict {
    fn of(before: &ShownTotals, now: &ShownTotals, bounds: &Bounds) -> Self {
        let options = compare(before, now, bounds);
        let (recorded, possible) = bounds.votes;
        let moved = now.total - before.total;
        let another_ledger = (&now.poll, now.epoch) != (&before.poll, before.epoch);
        let is_right = (recorded..=possible).contains(&moved) && options.iter().all(OptionVerdict::is_right);
        Self {
            counted_once: recorded > 0 && is_right && now.are_complete() && !another_ledger,
            total: now.total,
            recorded,
            live: now.live,
            waiting: now.waiting,
            another_ledger,
            strangers: (moved - possible).max(0),
            options,
        }
    }

    /// Whether more waiting cannot change the verdict. Votes of strangers do not go away.
    fn is_final(&self) -> bool {
        self.counted_once || self.strangers > 0
    }

    fn patience(&self) -> Duration {
        if self.live && self.waiting == Some(0) { SHOWN_WITHIN } else { COUNTED_WITHIN }
    }
}

fn compare(before: &ShownTotals, now: &ShownTotals, bounds: &Bounds) -> Vec<OptionVerdict> {
    let compared = now.options.iter().map(|option| {
        let bounds = option.key.parse().ok().and_then(|choice: Choice| bounds.options.get(&choice));
        let (at_least, at_most) = bounds.copied().unwrap_or_default();
        let former = before.options.iter().find(|former| former.key == option.key);
        let moved = option.votes - former.map_or(0, |former| former.votes);
        OptionVerdict { label: option.label.clone(), at_least, at_most, moved }
    });
    compared.collect()
}

/// Waits until no vote waits and the totals are within their bounds, or until the totals no
/// longer change.
pub(crate) async fn verdict(
    results: &mut Results,
    before: &ShownTotals,
    bounds: &Bounds,
) -> anyhow::Result<Verdict> {
    let mut readings = BTreeSet::new();
    let mut last: Option<Verdict> = None;
    let mut unmoved_since = Instant::now();
    loop {
        match results.read().await {
            Ok(now) => {
                let verdict = Verdict::of(before, &now, bounds);
                readings.insert(now.as_of);
                let is_final = readings.len() >= READINGS && verdict.is_final();
                if is_final || unmoved_since.elapsed() > verdict.patience() {
                    return Ok(verdict);
                }
                if last.replace(verdict) != last {
                    unmoved_since = Instant::now();
                }
            }
            // A replica may be away for a moment.
            Err(error) if unmoved_since.elapsed() > COUNTED_WITHIN => return Err(error),
            Err(_) => {}
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Asks PostgreSQL which ballot counts for each of these voters, and returns how many are wrong.
pub(crate) async fn wrong_ballots(
    postgres: &PostgresSettings,
    poll: &str,
    told: &Told,
) -> anyhow::Result<usize> {
    let mut database = connect(postgres).await?;
    let mut counted = Counted::new();
    let voters: Vec<Uuid> = told.keys().map(|voter| voter.0).collect();
    for some in voters.chunks(VOTERS_AT_ONCE) {
        counted.extend(ballots(&mut database, poll, some).await?);
    }
    Ok(violations(told, &counted, &[]).len())
}

pub(crate) async fn connect(postgres: &PostgresSettings) -> anyhow::Result<PgConnection> {
    postgres.options()?.connect().await.context("cannot ask PostgreSQL (--database-url)")
}

async fn ballots(database: &mut PgConnection, poll: &str, voters: &[Uuid]) -> anyhow::Result<Counted> {
    let ballots =
        sqlx::query_as("SELECT voter, choice, ord FROM ballots WHERE poll = $1 AND voter = ANY($2)");
    let ballots: Vec<(Uuid, String, i64)> = ballots.bind(poll).bind(voters).fetch_all(database).await?;
    let row = |(voter, choice, ord): (Uuid, String, i64)| {
        Ok((VoterId(voter), (choice.parse().map_err(|wrong: String| anyhow!(wrong))?, ord)))
    };
    ballots.into_iter().map(row).collect()
}
