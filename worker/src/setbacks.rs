//! Noticing that a store was emptied, or is older than it was; see
//! [`common::setback`] for how.

use std::time::Duration;

use common::ledger::Ledger;
use common::ledger::postgres::PostgresLedger;
use common::outage::Unavailable;
use common::queue::Queue;
use common::queue::redis::RedisQueue;
use common::setback::{Mark, Setback};
use tokio::time::sleep;

use crate::figures::FIGURES;

/// What was counted since the last look can be missing unseen, so this is
/// short; and each look after a vote costs both stores a write.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Compares the two stores for as long as it is polled. That one of them is
/// away is told by the stages, which need it for votes.
pub(crate) async fn watch(queue: &Queue, ledger: &Ledger) {
    // Queue and ledger in one data file cannot part.
    let (Queue::Redis(queue), Ledger::Postgres(ledger)) = (queue, ledger) else { return };
    let mut watch = Watch { queue, ledger: ledger.aside(), waited: None };
    loop {
        if let Err(error) = watch.look().await {
            tracing::debug!("could not compare the stores: {error}");
        }
        sleep(LOOK_EVERY).await;
    }
}

struct Watch<'a> {
    queue: &'a RedisQueue,
    ledger: PostgresLedger,
    /// How many votes waited at the last look at a queue that was well.
    waited: Option<u64>,
}

impl Watch<'_> {
    /// Any number of workers look; what one of them notices, it alone tells.
    async fn look(&mut self) -> Result<(), Unavailable> {
        // The queue first: what it knows of the ledger cannot be newer than the ledger's own word.
        let said = self.queue.word().await?;
        let waited = self.waited;
        if said.mark.is_some() {
            self.waited = Some(said.waiting);
        }
        let ledger = self.ledger.word().await?;
        let setback = said.setback(&ledger, waited);
        let (mark, text) = match said.mark {
            Some(mark) if setback.is_none() && mark.to == ledger.counted && !mark.is_open() => return Ok(()),
            // Another worker is about to finish this one, or did not live to do so.
            Some(mark) if setback.is_none() && mark.is_open() => (mark, said.text),
            _ => {
                let mark = Mark::of(&ledger);
                let written = self.queue.remark(&said.text, &mark, setback.as_ref()).await?;
                let Some(text) = written else { return Ok(()) };
                setback.iter().for_each(tell);
                (mark, text)
            }
        };
        self.ledger.make(&mark).await?;
        self.queue.remark(&text, &mark.closed(), None).await.map(drop)
    }
}

fn tell(setback: &Setback) {
    tracing::warn!("{setback}");
    FIGURES.setbacks(setback.store).increment(1);
}
