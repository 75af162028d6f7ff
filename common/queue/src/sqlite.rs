//! The queue as a table of the data file.

mod append;
mod labels;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use election::{Ballot, VoterId};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Row, Sqlite};
use store::Unavailable;
use store::sqlite::DataFile;
use tokio::sync::{Mutex, watch};
use tokio::time::timeout;
use uuid::Uuid;

use self::append::Table;
use super::append::Appender;
use super::progress::{DEAD_LETTERS_MAX, DeadLetter};
use super::{Delivery, Depth, EntryId, FIRST_ENTRY_WITHIN, Probe, Progress, elapsed};

/// The oldest entries that no worker holds.
const NOT_HELD: &str =
    "SELECT * FROM waiting WHERE entry NOT IN (SELECT value FROM json_each(?)) ORDER BY entry LIMIT ?";

/// The queue in the data file.
#[derive(Clone, Debug)]
pub struct SqliteQueue {
    data: DataFile,
    appender: Appender,
    arrived: watch::Receiver<()>,
    /// The entries that were taken and not settled, and when each was taken. They
    /// are in memory only: one process owns the file, so when that process dies,
    /// its worker dies with it and holds nothing.
    taken: Arc<Mutex<HashMap<EntryId, Instant>>>,
}

impl SqliteQueue {
    /// The queue in this file. Make only one per process and clone it, because
    /// only clones share the list of taken entries.
    pub fn new(data: DataFile) -> Self {
        let (arrival, arrived) = watch::channel(());
        let appender = Appender::to(Table { data: data.clone(), arrival });
        Self { data, appender, arrived, taken: Arc::default() }
    }

    pub(super) fn appender(&self) -> &Appender {
        &self.appender
    }

    pub(super) async fn probe(&self) -> Result<Probe, Unavailable> {
        // Only the start of a write transaction shows that the file can be written.
        drop(self.data.write().await?);
        let depth = self.depth().await?;
        Ok(Probe { now_ms: now_ms(), took: Duration::ZERO, depth, risks: Vec::new() })
    }

    /// The data file holds queue and ledger, so they have one epoch.
    pub(super) async fn progress(&self) -> Result<Progress, Unavailable> {
        let look = "SELECT (SELECT epoch FROM ledger),
            (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'waiting'),
            (SELECT count(*) FROM waiting), (SELECT min(entry) FROM waiting)";
        let (epoch, appended, length, oldest): (Uuid, i64, i64, Option<i64>) =
            sqlx::query_as(look).fetch_one(self.data.readers()).await?;
        // The dead letters are read last: otherwise, an entry that is buried meanwhile would seem counted.
        let dead: Vec<i64> = sqlx::query_scalar("SELECT entry FROM dead ORDER BY entry DESC LIMIT ?")
            .bind(DEAD_LETTERS_MAX as i64)
            .fetch_all(self.data.readers())
            .await?;
        let id = |entry: i64| EntryId(entry.to_string());
        Ok(Progress {
            epoch: Some(epoch),
            appended: appended.unsigned_abs(),
            length: length.unsigned_abs(),
            // Nobody deletes dead letters from a data file.
            buried: None,
            oldest: oldest.map(id),
            dead: dead.into_iter().map(|entry| DeadLetter { buried: id(entry), entry: id(entry) }).collect(),
        })
    }

    pub(super) async fn depth(&self) -> Result<Depth, Unavailable> {
        // `ord` is the time of the vote, on this machine's clock.
        let counts = "SELECT (SELECT count(*) FROM waiting), (SELECT count(*) FROM dead),
            (SELECT ord FROM waiting ORDER BY entry LIMIT 1)";
        let (all, dead, oldest): (i64, i64, Option<i64>) =
            sqlx::query_as(counts).fetch_one(self.data.readers()).await?;
        let (all, dead) = (all.unsigned_abs(), dead.unsigned_abs());
        let oldest = oldest.map(|cast_ms| elapsed(cast_ms, now_ms()));
        let pending = (self.taken.lock().await.len() as u64).min(all);
        Ok(Depth { untaken: all - pending, pending, dead, oldest })
    }

    pub(super) fn consumer(&self, claim_after: Duration) -> SqliteConsumer {
        SqliteConsumer { queue: self.clone(), arrived: self.arrived.clone(), claim_after }
    }

    pub(super) async fn settle(&self, entries: &[EntryId]) -> Result<(), Unavailable> {
        let mut transaction = self.data.write().await?;
        remove(&mut transaction, entries).await?;
        transaction.commit().await?;
        let mut taken = self.taken.lock().await;
        for entry in entries {
            taken.remove(entry);
        }
        Ok(())
    }

    pub(super) async fn bury(&self, entry: &EntryId, reason: &str) -> Result<(), Unavailable> {
        let mut transaction = self.data.write().await?;
        sqlx::query("INSERT INTO dead SELECT *, ? FROM waiting WHERE entry = CAST(? AS INTEGER)")
            .bind(reason)
            .bind(&entry.0)
            .execute(&mut *transaction)
            .await?;
        remove(&mut transaction, std::slice::from_ref(entry)).await?;
        transaction.commit().await?;
        self.taken.lock().await.remove(entry);
        Ok(())
    }
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64
}

async fn remove(connection: &mut SqliteConnection, entries: &[EntryId]) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM waiting WHERE entry IN (SELECT value FROM json_each(?))")
        .bind(json(entries))
        .execute(connection)
        .await?;
    Ok(())
}

/// The numbers of these entries, as a list that SQLite reads.
fn json<'a>(entries: impl IntoIterator<Item = &'a EntryId>) -> String {
    let numbers: Vec<&str> = entries.into_iter().map(|entry| entry.0.as_str()).collect();
    format!("[{}]", numbers.join(","))
}

/// A consumer of the queue.
#[derive(Debug)]
pub struct SqliteConsumer {
    queue: SqliteQueue,
    arrived: watch::Receiver<()>,
    claim_after: Duration,
}

impl SqliteConsumer {
    pub(super) async fn take(&mut self, max: usize) -> Result<Vec<Delivery>, Unavailable> {
        self.arrived.mark_unchanged();
        let found = self.take_waiting(max).await?;
        if !found.is_empty() {
            return Ok(found);
        }
        // Something has arrived or the time is up. In both cases, take what is there.
        let _ = timeout(FIRST_ENTRY_WITHIN, self.arrived.changed()).await;
        self.take_waiting(max).await
    }

    async fn take_waiting(&self, max: usize) -> Result<Vec<Delivery>, Unavailable> {
        let mut taken = self.queue.taken.lock().await;
        let held = taken.iter().filter(|(_, since)| since.elapsed() < self.claim_after);
        let found = sqlx::query(NOT_HELD)
            .bind(json(held.map(|(entry, _)| entry)))
            .bind(max as i64)
            .fetch_all(self.queue.data.readers())
            .await?;
        let delivery = |row: &SqliteRow| {
            let entry = EntryId(row.try_get::<i64, _>("entry")?.to_string());
            Ok::<_, Unavailable>(Delivery { entry, ballot: ballot(row) })
        };
        let found = found.iter().map(delivery).collect::<Result<Vec<_>, _>>()?;
        taken.extend(found.iter().map(|delivery| (delivery.entry.clone(), Instant::now())));
        Ok(found)
    }
}

fn ballot(row: &SqliteRow) -> Result<Ballot, String> {
    Ok(Ballot {
        poll: column::<String>(row, "poll")?.parse()?,
        voter: VoterId(column(row, "voter")?),
        choice: column::<String>(row, "choice")?.parse()?,
        ord: column(row, "ord")?,
        id: column(row, "id")?,
        via: column(row, "via")?,
    })
}

fn column<'r, T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>>(
    row: &'r SqliteRow,
    name: &str,
) -> Result<T, String> {
    row.try_get(name).map_err(|error| error.to_string())
}
