//! Counting a batch: all of it, whatever single entries are like.

use std::time::Instant;

use common::ballot::{Ballot, newest_per_voter};
use common::ledger::{Ledger, RecordError};
use common::queue::{Delivery, EntryId};

use crate::dependency::Dependency;
use crate::figures::FIGURES;

/// The ledger, and the patience to wait for it.
#[derive(Debug)]
pub(crate) struct Books<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) store: Dependency<'a>,
}

/// What became of a batch.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    /// In the ledger for good.
    pub(crate) entries: Vec<EntryId>,
    /// Never to be counted, each with the reason.
    pub(crate) dead: Vec<(EntryId, String)>,
    /// How many ballots were new to the ledger.
    pub(crate) news: u64,
}

impl Books<'_> {
    /// Waits until the ledger is there, with its schema; `None` on shutdown.
    pub(crate) async fn open(&mut self) -> Option<()> {
        while let Err(error) = self.ledger.prepare().await {
            self.store.pause(&error).await?;
        }
        self.store.answered();
        Some(())
    }

    /// Records a batch, however long the ledger is away; `None` on shutdown.
    ///
    /// If the ledger rejects the batch, its halves are tried, so that one bad
    /// entry holds up nobody else's.
    pub(crate) async fn count(&mut self, batch: Vec<Delivery>) -> Option<Counted> {
        let mut counted = Counted::default();
        let mut ballots = Vec::with_capacity(batch.len());
        for Delivery { entry, ballot } in batch {
            match ballot {
                Ok(ballot) => ballots.push((entry, ballot)),
                Err(reason) => counted.dead.push((entry, reason)),
            }
        }
        let mut parts = vec![ballots];
        while let Some(mut part) = parts.pop() {
            match self.record(&part).await? {
                Ok(news) => {
                    counted.news += news;
                    counted.entries.extend(part.into_iter().map(|(entry, _)| entry));
                }
                Err(reason) if part.len() == 1 => {
                    counted.dead.extend(part.into_iter().map(|(entry, _)| (entry, reason.clone())));
                }
                Err(_) => {
                    parts.push(part.split_off(part.len() / 2));
                    parts.push(part);
                }
            }
        }
        Some(counted)
    }

    /// The ledger's word on these ballots: how many were news, or why it will
    /// never take one of them. `None` on shutdown.
    async fn record(&mut self, part: &[(EntryId, Ballot)]) -> Option<Result<u64, String>> {
        let ballots = newest_per_voter(part.iter().map(|(_, ballot)| ballot));
        if ballots.is_empty() {
            return Some(Ok(0));
        }
        loop {
            let asked = Instant::now();
            let word = match self.ledger.record(&ballots).await {
                Ok(news) => {
                    FIGURES.commit.record(asked.elapsed());
                    Ok(news)
                }
                Err(RecordError::Rejected(reason)) => Err(reason),
                Err(RecordError::Unavailable(error)) => {
                    self.store.pause(&error).await?;
                    continue;
                }
            };
            self.store.answered();
            return Some(word);
        }
    }
}
