//! Records a batch. A bad entry does not keep the others from being recorded.

use std::time::Instant;

use election::{Ballot, newest_per_voter};
use ledger::Ledger;
use queue::{Delivery, EntryId};
use store::WriteError;

use crate::metrics::METRICS;
use crate::patience::Patience;

/// Records batches in the ledger.
#[derive(Debug)]
pub(crate) struct Recorder<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) patience: Patience<'a>,
}

/// The result of recording a batch.
#[derive(Debug, Default)]
pub(crate) struct RecordedBatch {
    /// The entries whose ballots are in the ledger for good.
    pub(crate) entries: Vec<EntryId>,
    /// The entries that can never be counted, each with the reason.
    pub(crate) dead: Vec<(EntryId, String)>,
    /// How many ballots were newer than what the ledger had.
    pub(crate) news: u64,
}

impl Recorder<'_> {
    /// Waits until the ledger answers and has its schema. Returns `None` on shutdown.
    pub(crate) async fn prepare(&mut self) -> Option<()> {
        while let Err(error) = self.ledger.prepare().await {
            self.patience.pause(&error).await?;
        }
        self.patience.answered();
        Some(())
    }

    /// Records a batch, however long the ledger is away. Returns `None` on shutdown.
    ///
    /// If the ledger rejects the batch, each half is tried separately, so that one bad
    /// entry does not hold up the others.
    pub(crate) async fn record(&mut self, batch: Vec<Delivery>) -> Option<RecordedBatch> {
        let mut recorded = RecordedBatch::default();
        let mut ballots = Vec::with_capacity(batch.len());
        for Delivery { entry, ballot } in batch {
            match ballot {
                Ok(ballot) => ballots.push((entry, ballot)),
                Err(reason) => recorded.dead.push((entry, reason)),
            }
        }
        let mut parts = vec![ballots];
        while let Some(mut part) = parts.pop() {
            match self.try_record(&part).await? {
                Ok(news) => {
                    recorded.news += news;
                    recorded.entries.extend(part.into_iter().map(|(entry, _)| entry));
                }
                Err(reason) if part.len() == 1 => {
                    recorded.dead.extend(part.pop().map(|(entry, _)| (entry, reason)));
                }
                Err(_) => {
                    parts.push(part.split_off(part.len() / 2));
                    parts.push(part);
                }
            }
        }
        Some(recorded)
    }

    /// Records these ballots all together. Returns how many were newer, or why the
    /// ledger will never accept one of them. Returns `None` on shutdown.
    async fn try_record(&mut self, part: &[(EntryId, Ballot)]) -> Option<Result<u64, String>> {
        let ballots = newest_per_voter(part.iter().map(|(_, ballot)| ballot));
        if ballots.is_empty() {
            return Some(Ok(0));
        }
        loop {
            let asked = Instant::now();
            let answer = match self.ledger.record(&ballots).await {
                Ok(news) => {
                    METRICS.commit.record(asked.elapsed());
                    Ok(news)
                }
                Err(WriteError::Rejected(reason)) => Err(reason),
                Err(WriteError::Unavailable(error)) => {
                    self.patience.pause(&error).await?;
                    continue;
                }
            };
            self.patience.answered();
            return Some(answer);
        }
    }
}
