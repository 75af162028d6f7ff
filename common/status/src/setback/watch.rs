//! Notices setbacks by comparing the two stores again and again.

use std::sync::LazyLock;
use std::time::Duration;

use election::random_uuid;
use ledger::PostgresLedger;
use service::Store;
use service::metrics::{Counter, Metric};
use store::Unavailable;
use store::postgres::{ANSWER_WITHIN, Connection};
use tokio::time::sleep;
use uuid::Uuid;

use super::{Loss, Move, Setback, SetbackLog, setback};

/// Short, because votes that were counted after the last look may be lost
/// unnoticed. Not shorter, because each look after a vote costs both stores a write.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Reads the move that is due: the ledger's epoch, its number, and how many votes it
/// has counted in all polls. As in [`ledger::Totals::ballots`], that is half the sum
/// of changes and votes.
const DUE: &str = "
    SELECT epoch, marked, (SELECT coalesce((sum(changes) + sum(votes)) / 2, 0)::bigint FROM totals)
    FROM ledger";

/// Moves the ledger's number, unless another worker has moved it. A worker of a former
/// release moves it without the new epoch, which the ledger then still gets.
const MOVE: &str = "
    UPDATE ledger SET marked = $3, epoch = coalesce($4, epoch)
    WHERE epoch = $1 AND (marked IS NOT DISTINCT FROM $2 OR ($4 IS NOT NULL AND marked = $3))";

/// A counter for each store, registered when the watch starts, so that it is shown from then on.
static NOTICED: LazyLock<[Counter; Store::ALL.len()]> = LazyLock::new(|| {
    let help = "Setbacks: stores that were wiped, or restored from an older copy. One worker reports each.";
    Store::ALL.map(|store| Counter::registered("urna_setbacks_total", help, &[("store", store.name())]))
});

/// Compares the queue with the ledger that it feeds.
#[derive(Debug)]
pub struct SetbackWatch {
    log: SetbackLog,
    ledger: Connection,
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
        // Read the queue first, so that what it noted is never newer than what the ledger says.
        let queue = self.log.read().await?;
        let waited = self.waited;
        if queue.noted.is_some() {
            self.waited = Some(queue.waiting);
        }
        let mut due = self.due().await?;
        let setback = setback(&queue, &due, waited);
        let is_restored = |it: &Setback| (it.store, it.loss) == (Store::Ledger, Loss::Older);
        due.renewed = setback.as_ref().filter(|it| is_restored(it)).map(|_| random_uuid());
        let open = match queue.noted {
            // Another worker is about to finish this move, or died before it could.
            Some(noted) if setback.is_none() && noted.is_open() => noted,
            Some(noted) if noted == due => return Ok(()),
            noted => {
                if !self.log.replace(noted.as_ref(), &due, setback.as_ref()).await? {
                    return Ok(());
                }
                setback.iter().for_each(tell);
                due
            }
        };
        self.make(&open).await?;
        self.log.replace(Some(&open), &open.closed(), None).await.map(drop)
    }

    async fn due(&self) -> Result<Move, Unavailable> {
        let rows: Vec<(Uuid, Option<i64>, i64)> = self.ledger.fetch(sqlx::query(DUE), ANSWER_WITHIN).await?;
        let due = rows.first().map(|&(ledger, from, to)| Move { ledger, from, to, renewed: None });
        due.ok_or_else(|| Unavailable("the ledger has no epoch".to_owned()))
    }

    /// Makes a move that is noted in the queue. Any number of workers may do so, but
    /// the number moves only once.
    async fn make(&self, noted: &Move) -> Result<(), Unavailable> {
        let query = sqlx::query(MOVE).bind(noted.ledger).bind(noted.from).bind(noted.to).bind(noted.renewed);
        self.ledger.fetch::<(i32,)>(query, ANSWER_WITHIN).await?;
        Ok(())
    }
}

fn tell(setback: &Setback) {
    tracing::warn!("{setback}");
    NOTICED[setback.store as usize].increment(1);
}
