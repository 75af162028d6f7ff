//! What the voters were told, against what was counted.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::Context;
use common::settings::PostgresSettings;
use serde::Serialize;
use sqlx::{ConnectOptions, PgConnection};
use tokio::time::sleep;
use uuid::Uuid;

use crate::electorate::{Electorate, Voter};
use crate::results::{LOOK_EVERY, Results, SETTLE_WITHIN, ShownTotals};

/// When nothing waits, a replica of `result` may still be this far behind.
const SHOWN_WITHIN: Duration = Duration::from_secs(5);

/// `result` reads the ledger again and again, so the third reading that is seen began after the
/// first was seen.
const READINGS: usize = 3;

/// As many voters as PostgreSQL is asked for at once.
const VOTERS_AT_ONCE: usize = 10_000;

/// Whether every recorded vote was counted once.
#[derive(Debug, Serialize)]
pub(crate) struct Truth {
    pub(crate) counted_once: bool,
    pub(crate) verdict: Option<Verdict>,
    /// Voters for whom PostgreSQL holds another vote than their last; not asked without --database-url.
    pub(crate) wrong_ballots: Option<usize>,
    /// Why it could not be checked, or not in full.
    pub(crate) unchecked: Option<String>,
}

impl Truth {
    pub(crate) fn told(verdict: Verdict, wrong_ballots: Option<usize>) -> Self {
        let counted_once = verdict.counted_once && wrong_ballots.unwrap_or(0) == 0;
        Self { counted_once, verdict: Some(verdict), wrong_ballots, unchecked: None }
    }

    pub(crate) fn unchecked(verdict: Option<Verdict>, error: &anyhow::Error) -> Self {
        Self { counted_once: false, verdict, wrong_ballots: None, unchecked: Some(format!("{error:#}")) }
    }
}

/// What the totals say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Verdict {
    pub(crate) counted_once: bool,
    pub(crate) total: i64,
    /// How many voters were told that a vote of theirs is recorded.
    pub(crate) recorded: i64,
    /// Whether the ledger answered when it was last asked.
    pub(crate) live: bool,
    /// Recorded votes that are not counted yet; unknown while the queue is away.
    pub(crate) waiting: Option<u64>,
    /// Whether the ledger that counts now is another one than at the start.
    pub(crate) another_ledger: bool,
    /// More votes than our voters can have cast.
    pub(crate) strangers: i64,
    pub(crate) options: Vec<OptionVerdict>,
}

/// By how much an option's votes moved, and by how much they may have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct OptionVerdict {
    pub(crate) label: String,
    pub(crate) at_least: i64,
    /// More than the least by those votes that nobody confirmed.
    pub(crate) at_most: i64,
    pub(crate) moved: i64,
}

impl OptionVerdict {
    pub(crate) fn is_right(&self) -> bool {
        (self.at_least..=self.at_most).contains(&self.moved)
    }
}

impl Verdict {
    fn of(before: &ShownTotals, now: &ShownTotals, electorate: &Electorate) -> Self {
        let options = compare(before, now, electorate);
        let recorded = electorate.voters().iter().filter(|voter| voter.recorded().is_some()).count() as i64;
        let possible = electorate.voters().len() as i64;
        let moved = now.total - before.total;
        let another_ledger = (&now.poll, now.epoch) != (&before.poll, before.epoch);
        let settled = now.live && now.waiting == Some(0);
        let right = (recorded..=possible).contains(&moved) && options.iter().all(OptionVerdict::is_right);
        Self {
            counted_once: recorded > 0 && right && settled && !another_ledger,
            total: now.total,
            recorded,
            live: now.live,
            waiting: now.waiting,
            another_ledger,
            strangers: (moved - possible).max(0),
            options,
        }
    }

    /// Whether waiting can change it no more: what is too much stays so.
    fn is_final(&self) -> bool {
        self.counted_once || self.strangers > 0
    }

    fn patience(&self) -> Duration {
        if self.live && self.waiting == Some(0) { SHOWN_WITHIN } else { SETTLE_WITHIN }
    }
}

fn compare(before: &ShownTotals, now: &ShownTotals, electorate: &Electorate) -> Vec<OptionVerdict> {
    let mut bounds: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for voter in electorate.voters() {
        let choices = voter.may_count();
        for choice in &choices {
            let (at_least, at_most) = bounds.entry(choice.to_string()).or_default();
            *at_most += 1;
            // Who was never told that a vote is recorded may also count for nothing.
            *at_least += i64::from(choices.len() == 1 && voter.recorded().is_some());
        }
    }
    let compared = now.options.iter().map(|option| {
        let (at_least, at_most) = bounds.get(&option.key).copied().unwrap_or_default();
        let former = before.options.iter().find(|former| former.key == option.key);
        let moved = option.votes - former.map_or(0, |former| former.votes);
        OptionVerdict { label: option.label.clone(), at_least, at_most, moved }
    });
    compared.collect()
}

/// Waits until nothing waits and the totals are what they must be, or no longer move.
pub(crate) async fn settle(
    results: &mut Results,
    before: &ShownTotals,
    electorate: &Electorate,
) -> anyhow::Result<Verdict> {
    let mut readings = BTreeSet::new();
    let mut last: Option<Verdict> = None;
    let mut unmoved_since = Instant::now();
    loop {
        match results.read().await {
            Ok(now) => {
                readings.insert(now.as_of.clone());
                let verdict = Verdict::of(before, &now, electorate);
                let is_fresh = readings.len() >= READINGS;
                if is_fresh && verdict.is_final() || unmoved_since.elapsed() > verdict.patience() {
                    return Ok(verdict);
                }
                if last.as_ref() != Some(&verdict) {
                    unmoved_since = Instant::now();
                }
                last = Some(verdict);
            }
            // A replica that is away for a moment is no verdict.
            Err(error) if unmoved_since.elapsed() > SETTLE_WITHIN => return Err(error),
            Err(_) => {}
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Asks PostgreSQL what counts for each voter, and returns how many voters it is wrong for.
pub(crate) async fn wrong_ballots(url: &str, poll: &str, electorate: &Electorate) -> anyhow::Result<usize> {
    let mut database = connect(url).await?;
    let mut wrong = 0;
    for some in electorate.voters().chunks(VOTERS_AT_ONCE) {
        let ids = some.iter().map(|voter| voter.id().map(|id| id.0).context("a cookie without an id"));
        let ids: Vec<Uuid> = ids.collect::<anyhow::Result<_>>()?;
        let counted = ballots(&mut database, poll, ids.clone()).await?;
        let is_right = |id: &Uuid, voter: &Voter| match counted.get(id) {
            Some(choice) => voter.may_count().iter().any(|may| may.to_string() == *choice),
            None => voter.recorded().is_none(),
        };
        wrong += ids.iter().zip(some).filter(|(id, voter)| !is_right(id, voter)).count();
    }
    Ok(wrong)
}

pub(crate) async fn connect(url: &str) -> anyhow::Result<PgConnection> {
    let options = PostgresSettings::at(url).connect_options()?;
    options.connect().await.context("cannot ask PostgreSQL (--database-url)")
}

async fn ballots(
    database: &mut PgConnection,
    poll: &str,
    voters: Vec<Uuid>,
) -> sqlx::Result<BTreeMap<Uuid, String>> {
    let ballots = sqlx::query_as("SELECT voter, choice FROM ballots WHERE poll = $1 AND voter = ANY($2)");
    Ok(ballots.bind(poll).bind(voters).fetch_all(database).await?.into_iter().collect())
}
