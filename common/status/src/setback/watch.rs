//! Notices setbacks by comparing the two stores again and again.

use std::sync::LazyLock;
use std::time::Duration;

use ::ledger::PostgresLedger;
use service::Store;
use service::metrics::{Counter, Metric};
use store::{Unavailable, postgres};
use tokio::time::sleep;

use super::ledger_side::{LedgerSide, make};
use super::{Mark, Setback, SetbackLog, setback};

/// Short, because votes that were counted after the last look may be lost
/// unnoticed. Not shorter, because each look after a vote costs both stores a write.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A counter for each store, registered when the watch starts, so that it is shown from then on.
static NOTICED: LazyLock<[Counter; Store::ALL.len()]> = LazyLock::new(|| {
    let help = "Setbacks: stores that were wiped, or restored from an older copy. One worker reports each.";
    Store::ALL.map(|store| Counter::registered("urna_setbacks_total", help, &[("store", store.name())]))
});

/// Compares the queue with the ledger that it feeds.
#[derive(Debug)]
pub struct SetbackWatch {
    log: SetbackLog,
    ledger: postgres::Connection,
    /// How many votes waited at the last look at a healthy queue.
    waited: Option<u64>,
}

impl SetbackWatch {
    /// Compares these stores over separate connections.
    pub fn of(log: SetbackLog, ledger: &PostgresLedger) -> Self {
        Self { log, ledger: ledger.side_connection(), waited: None }
    }

    /// Compares the stores for ever. An outage is only a debug message: the worker
    /// needs both stores to count votes, and logs the outage itself.
    pub async fn keep(mut self) {
        LazyLock::force(&NOTICED);
        loop {
            if let Err(error) = self.look().await {
                tracing::debug!("could not compare the stores: {error}");
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Compares the stores once. Any number of workers may do so, and the first one
    /// that notices a setback reports it.
    async fn look(&mut self) -> Result<(), Unavailable> {
        // Read the queue first, so that its mark is never newer than what the ledger says.
        let queue = self.log.read().await?;
        let waited = self.waited;
        if queue.mark.is_some() {
            self.waited = Some(queue.waiting);
        }
        let ledger = LedgerSide::read(&self.ledger).await?;
        let setback = setback(&queue, &ledger, waited);
        let (mark, text) = match queue.mark {
            Some(mark) if setback.is_none() && mark.to == ledger.counted && !mark.is_open() => return Ok(()),
            // Another worker is about to finish this move, or died before it could.
            Some(mark) if setback.is_none() && mark.is_open() => (mark, queue.text),
            _ => {
                let mark = Mark::of(&ledger);
                let written = self.log.replace(&queue.text, &mark, setback.as_ref()).await?;
                let Some(text) = written else { return Ok(()) };
                setback.iter().for_each(tell);
                (mark, text)
            }
        };
        make(&mark, &self.ledger).await?;
        self.log.replace(&text, &mark.closed(), None).await.map(drop)
    }
}

fn tell(setback: &Setback) {
    tracing::warn!("{setback}");
    NOTICED[setback.store as usize].increment(1);
}
