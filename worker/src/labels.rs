//! Carries the labels for which votes were recorded from the queue to the ledger, which keeps
//! them with the votes. `result` then notices labels that were changed.
//!
//! No vote depends on it. What fails is tried again with later votes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use election::PollId;
use ledger::Ledger;
use queue::{Delivery, Queue};
use store::WriteError;
use tokio::time::timeout;

/// The labels of a poll are carried at most this often, and again and again: the ledger may have
/// been wiped, or the poll may have another option. Nothing is written unless a label is missing.
const CARRY_EVERY: Duration = Duration::from_secs(10);

/// The next votes wait meanwhile, so this must not take long.
const CARRY_WITHIN: Duration = Duration::from_secs(2);

/// The labels of at most this many polls are carried in [`CARRY_EVERY`]. Hardly ever do votes of
/// two polls wait at once, but anybody may have written votes of any number of polls to the queue.
const POLLS_MAX: usize = 100;

/// Carries labels from the queue to the ledger.
#[derive(Debug)]
pub(crate) struct LabelCarrier<'a> {
    queue: &'a Queue,
    ledger: &'a Ledger,
    /// The polls whose labels were carried lately, or at least tried to be, and when.
    carried: BTreeMap<PollId, Instant>,
}

impl<'a> LabelCarrier<'a> {
    pub(crate) fn between(queue: &'a Queue, ledger: &'a Ledger) -> Self {
        Self { queue, ledger, carried: BTreeMap::new() }
    }

    /// The polls of this batch whose labels must be carried.
    pub(crate) fn due(&mut self, batch: &[Delivery]) -> BTreeSet<PollId> {
        self.carried.retain(|_, since| since.elapsed() < CARRY_EVERY);
        let polls = batch.iter().filter_map(|delivery| Some(&delivery.ballot.as_ref().ok()?.poll));
        let due: BTreeSet<&PollId> = polls.filter(|poll| !self.carried.contains_key(poll)).collect();
        due.into_iter().take(POLLS_MAX - self.carried.len()).cloned().collect()
    }

    /// Carries the labels of these polls.
    pub(crate) async fn carry(&mut self, polls: BTreeSet<PollId>) {
        let failed = match timeout(CARRY_WITHIN, self.try_carry(&polls)).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(late) => Some(late.to_string()),
        };
        if let Some(error) = failed {
            tracing::debug!("the labels were not carried to the ledger: {error}");
        }
        self.carried.extend(polls.into_iter().map(|poll| (poll, Instant::now())));
    }

    async fn try_carry(&self, polls: &BTreeSet<PollId>) -> Result<(), WriteError> {
        for poll in polls {
            let labels = self.queue.labels(poll).await?;
            if !labels.is_empty() {
                self.ledger.keep_labels(poll, &labels).await?;
            }
        }
        Ok(())
    }
}
