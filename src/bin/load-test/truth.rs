//! What the voters were told, against what was counted.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use common::ballot::VoterId;
use common::settings::PostgresSettings;
use http_body_util::Full;
use hyper::Request;
use serde::{Deserialize, Serialize};
use sqlx::{ConnectOptions, PgConnection};
use tokio::time::sleep;
use uuid::Uuid;

use crate::caller::{Caller, Failure, Site};
use crate::crowd::{Crowd, Voter};
use crate::report::number;

/// Longer than a killed worker's votes wait for another worker, and than a container takes to come back.
const SETTLE_WITHIN: Duration = Duration::from_secs(60);

/// When nothing waits, a replica of `result` may still be this far behind.
const SHOWN_WITHIN: Duration = Duration::from_secs(5);

/// Often enough not to add to the time that a test takes.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// As many voters as PostgreSQL is asked for at once.
const VOTERS_AT_ONCE: usize = 10_000;

/// What `result` says.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Totals {
    pub(crate) poll: String,
    pub(crate) options: Vec<OptionVotes>,
    pub(crate) total: i64,
    pub(crate) waiting: Option<u64>,
    pub(crate) epoch: Uuid,
    pub(crate) live: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct OptionVotes {
    pub(crate) key: String,
    pub(crate) label: String,
    pub(crate) votes: i64,
}

/// The results, as a program reads them.
pub(crate) struct Board {
    site: Site,
    caller: Caller,
}

impl Board {
    pub(crate) fn at(site: &Site) -> Self {
        Self { site: site.clone(), caller: Caller::of(site) }
    }

    pub(crate) async fn read(&mut self) -> anyhow::Result<Totals> {
        let request = Request::get("/api/totals").body(Full::default())?;
        let answer = self.caller.ask(request).await.map_err(|failure| match failure {
            Failure::NotSent(error) | Failure::NoAnswer(error) => error,
        })?;
        ensure!(answer.status() == 200, "--result-url answers {} to /api/totals", answer.status());
        serde_json::from_slice(answer.body())
            .context("--result-url leads to something else than Urna's results")
    }

    /// The totals, once nobody's earlier votes wait any more.
    pub(crate) async fn quiet(&mut self) -> anyhow::Result<Totals> {
        let began = Instant::now();
        loop {
            let totals = self.read().await?;
            if totals.live && totals.waiting == Some(0) {
                return Ok(totals);
            }
            ensure!(
                began.elapsed() < SETTLE_WITHIN,
                "votes already wait, or the stores are away: see {}, and try again when all are counted",
                self.site
            );
            sleep(LOOK_EVERY).await;
        }
    }

    /// How many votes wait, in words.
    pub(crate) async fn waiting(&mut self) -> String {
        let waiting = self.read().await.ok().and_then(|totals| totals.waiting);
        waiting.map_or_else(|| "an unknown number of".to_owned(), number)
    }

    /// Waits until nothing waits and the totals are what they must be, or no longer move.
    pub(crate) async fn settle(&mut self, before: &Totals, crowd: &Crowd) -> anyhow::Result<Verdict> {
        let mut last: Option<Verdict> = None;
        let mut unmoved_since = Instant::now();
        loop {
            match self.read().await.map(|now| Verdict::of(before, &now, crowd)) {
                Ok(verdict) if verdict.counted_once => return Ok(verdict),
                Ok(verdict) => {
                    if last.as_ref() != Some(&verdict) {
                        unmoved_since = Instant::now();
                    }
                    let patience = if verdict.waiting == Some(0) { SHOWN_WITHIN } else { SETTLE_WITHIN };
                    if unmoved_since.elapsed() > patience {
                        return Ok(verdict);
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
}

/// Whether every recorded vote was counted once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Verdict {
    pub(crate) counted_once: bool,
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
    fn of(before: &Totals, now: &Totals, crowd: &Crowd) -> Self {
        let mut bounds: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        for voter in crowd.voters() {
            let choices = voter.may_count();
            for choice in &choices {
                let (at_least, at_most) = bounds.entry(choice.to_string()).or_default();
                *at_most += 1;
                // Who was never told that a vote is recorded may also count for nothing.
                *at_least += i64::from(choices.len() == 1 && voter.recorded().is_some());
            }
        }
        let options: Vec<OptionVerdict> = now
            .options
            .iter()
            .map(|option| {
                let (at_least, at_most) = bounds.get(&option.key).copied().unwrap_or_default();
                let former = before.options.iter().find(|former| former.key == option.key);
                let moved = option.votes - former.map_or(0, |former| former.votes);
                OptionVerdict { label: option.label.clone(), at_least, at_most, moved }
            })
            .collect();
        let recorded = crowd.voters().filter(|voter| voter.recorded().is_some()).count() as i64;
        let possible = crowd.voters().filter(|voter| !voter.may_count().is_empty()).count() as i64;
        let moved = now.total - before.total;
        let another_ledger = (&now.poll, now.epoch) != (&before.poll, before.epoch);
        let settled = now.live && now.waiting == Some(0);
        let right = (recorded..=possible).contains(&moved) && options.iter().all(OptionVerdict::is_right);
        Self {
            counted_once: right && settled && !another_ledger,
            waiting: now.waiting,
            another_ledger,
            strangers: (moved - possible).max(0),
            options,
        }
    }
}

/// Asks PostgreSQL what counts for each voter, and returns how many voters it is wrong for.
pub(crate) async fn wrong_ballots(url: &str, poll: &str, crowd: &Crowd) -> anyhow::Result<usize> {
    let mut database = PostgresSettings::at(url).connect_options()?.connect().await?;
    let voters: Vec<(VoterId, &Voter)> =
        crowd.voters().filter_map(|voter| Some((voter.id()?, voter))).collect();
    ensure!(voters.len() == crowd.len(), "the voters' cookies do not show their ids");
    let mut wrong = 0;
    for some in voters.chunks(VOTERS_AT_ONCE) {
        let counted = ballots(&mut database, poll, some.iter().map(|(id, _)| id.0).collect()).await?;
        let is_right = |(id, voter): &&(VoterId, &Voter)| match counted.get(&id.0) {
            Some(choice) => voter.may_count().iter().any(|may| may.to_string() == *choice),
            None => voter.recorded().is_none(),
        };
        wrong += some.iter().filter(|voter| !is_right(voter)).count();
    }
    Ok(wrong)
}

async fn ballots(
    database: &mut PgConnection,
    poll: &str,
    voters: Vec<Uuid>,
) -> sqlx::Result<BTreeMap<Uuid, String>> {
    let ballots = sqlx::query_as("SELECT voter, choice FROM ballots WHERE poll = $1 AND voter = ANY($2)");
    Ok(ballots.bind(poll).bind(voters).fetch_all(database).await?.into_iter().collect())
}
