//! Counting one batch: all of it, whatever single entries are like.

use common::ballot::newest_per_voter;
use common::ledger::RecordError;
use common::queue::{Delivery, EntryId};

use crate::Store;

/// What became of a batch.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    /// In the ledger for good.
    pub(crate) entries: Vec<EntryId>,
    /// Never to be counted, each with the reason.
    pub(crate) dead: Vec<(Delivery, String)>,
    /// How many ballots were new to the ledger.
    pub(crate) news: u64,
}

/// Records a batch, however long the ledger is away; `None` on shutdown.
///
/// If the ledger refuses the batch, its halves are tried, so that one bad
/// entry holds up nobody else's.
pub(crate) async fn count(store: &mut Store<'_>, batch: Vec<Delivery>) -> Option<Counted> {
    let mut counted = Counted::default();
    let (ballots, undecodable): (Vec<_>, Vec<_>) =
        batch.into_iter().partition(|delivery| delivery.ballot.is_ok());
    for delivery in undecodable {
        let reason = delivery.ballot.clone().err().unwrap_or_default();
        counted.dead.push((delivery, reason));
    }
    let mut parts = vec![ballots];
    while let Some(mut part) = parts.pop() {
        match record(store, &part).await? {
            Ok(news) => {
                counted.news += news;
                counted.entries.extend(part.into_iter().map(|delivery| delivery.entry));
            }
            Err(reason) if part.len() == 1 => {
                counted.dead.extend(part.into_iter().map(|delivery| (delivery, reason.clone())));
            }
            Err(_) => {
                parts.push(part.split_off(part.len() / 2));
                parts.push(part);
            }
        }
    }
    Some(counted)
}

/// The ledger's word on these entries: how many were news, or that it will
/// never take one of them. `None` on shutdown.
async fn record(store: &mut Store<'_>, part: &[Delivery]) -> Option<Result<u64, String>> {
    let ballots = newest_per_voter(part.iter().filter_map(|delivery| delivery.ballot.as_ref().ok()));
    if ballots.is_empty() {
        return Some(Ok(0));
    }
    loop {
        let answer = match store.ledger.record(&ballots).await {
            Ok(news) => Ok(news),
            Err(RecordError::Rejected(reason)) => Err(reason),
            Err(RecordError::Unavailable(error)) => {
                store.pause(&error).await?;
                continue;
            }
        };
        store.answered();
        return Some(answer);
    }
}
