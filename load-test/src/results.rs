//! Reads the results as a program does, from `/api/totals`.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use caller::{Caller, Site};
use hyper::Request;
use serde::Deserialize;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::number::number;

/// How long votes may wait to be counted. The votes of a killed worker wait for another one for a
/// shorter time, and a container comes back sooner.
pub(crate) const COUNTED_WITHIN: Duration = Duration::from_secs(60);

/// How often the totals are read: so often that a test does not take longer because of it.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(200);

/// `result` reads its stores again and again, and shows its last reading. The third one that we see
/// began after we had seen the first. So it knows every vote from before our first question.
pub(crate) const READINGS: usize = 3;

/// A line of progress waits this long for the number that it shows.
const TOLD_WITHIN: Duration = Duration::from_secs(1);

/// What `result` answers to `/api/totals`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ShownTotals {
    pub(crate) poll: String,
    pub(crate) options: Vec<ShownOption>,
    pub(crate) total: i64,
    /// `None` while the queue is away.
    pub(crate) waiting: Option<u64>,
    pub(crate) epoch: Uuid,
    /// When `result` read the totals.
    pub(crate) as_of: Option<String>,
    /// Whether the ledger answered when it was last asked.
    pub(crate) live: bool,
}

/// An option and its votes.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ShownOption {
    pub(crate) key: String,
    pub(crate) label: String,
    pub(crate) votes: i64,
}

impl ShownTotals {
    /// Whether the ledger answers and no vote waits to be counted.
    pub(crate) fn are_complete(&self) -> bool {
        self.live && self.waiting == Some(0)
    }
}

/// Asks a `result` for its totals.
pub(crate) struct Results {
    site: Site,
    caller: Caller,
}

impl Results {
    pub(crate) fn at(site: &Site) -> Self {
        Self { site: site.clone(), caller: Caller::of(site) }
    }

    pub(crate) async fn read(&mut self) -> anyhow::Result<ShownTotals> {
        let request = Request::get("/api/totals").body(String::new())?;
        let answer = self.caller.ask(request).await?;
        ensure!(answer.status() == 200, "--result-url answers {} to /api/totals", answer.status());
        serde_json::from_slice(answer.body())
            .context("--result-url leads to something else than Urna's results")
    }

    /// Waits for a reading that is newer than the call and in which no vote waits, and returns it.
    pub(crate) async fn complete(&mut self) -> anyhow::Result<ShownTotals> {
        let (began, mut readings) = (Instant::now(), BTreeSet::new());
        loop {
            let totals = self.read().await?;
            readings.insert(totals.as_of.clone());
            if readings.len() >= READINGS && totals.are_complete() {
                return Ok(totals);
            }
            ensure!(
                began.elapsed() < COUNTED_WITHIN,
                "votes already wait, or the stores are away: see {}, and try again when all are counted",
                self.site
            );
            sleep(LOOK_EVERY).await;
        }
    }

    /// How many votes wait, in words.
    pub(crate) async fn waiting(&mut self) -> String {
        let totals = timeout(TOLD_WITHIN, self.read()).await;
        let waiting = totals.ok().and_then(Result::ok).and_then(|totals| totals.waiting);
        waiting.map_or_else(|| "an unknown number of".to_owned(), number)
    }
}
