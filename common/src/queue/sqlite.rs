//! The queue as a table of the data file.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::time::timeout;

use super::{AppendError, Delivery, Depth, EntryId, PATIENCE, Probe};
use crate::ballot::{Ballot, VoterId};
use crate::outage::Unavailable;
use crate::sqlite::DataFile;

/// One commit makes at most this many appends durable. More would make the
/// first voter of the group wait for the last, and save nothing: the cost of
/// a commit is its fsync.
const GROUP_MAX: usize = 512;

/// Appends that may wait for the next commit; further voters wait their turn.
const GROUP_BACKLOG: usize = 2 * GROUP_MAX;

/// The queue in the data file.
#[derive(Clone, Debug)]
pub struct SqliteQueue {
    data: DataFile,
    appends: mpsc::Sender<Append>,
    arrived: watch::Receiver<()>,
    /// What was taken and not settled, and when. It is in memory because one
    /// process owns the file: when that dies, nobody holds anything any more,
    /// which is just what a crashed worker needs.
    taken: Arc<Mutex<HashMap<i64, Instant>>>,
}

impl SqliteQueue {
    pub(crate) fn new(data: DataFile) -> Self {
        let (appends, waiting) = mpsc::channel(GROUP_BACKLOG);
        let (arrival, arrived) = watch::channel(());
        tokio::spawn(commit_appends(data.clone(), waiting, arrival));
        Self { data, appends, arrived, taken: Arc::default() }
    }

    pub(super) async fn append(&self, ballot: &Ballot, capacity: u64) -> Result<(), AppendError> {
        let (answer, answered) = oneshot::channel();
        let append = Append { ballot: ballot.clone(), capacity, answer };
        if self.appends.send(append).await.is_err() {
            return Err(AppendError::Refused("the queue has stopped".to_owned()));
        }
        answered.await.unwrap_or_else(|_| Err(AppendError::Unconfirmed("the queue stopped".to_owned())))
    }

    pub(super) async fn probe(&self) -> Result<Probe, Unavailable> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let Depth { waiting, pending, .. } = self.depth().await?;
        Ok(Probe {
            now_ms: now.as_millis() as i64,
            took: Duration::ZERO,
            waiting: waiting + pending,
            warnings: Vec::new(),
        })
    }

    pub(super) async fn depth(&self) -> Result<Depth, Unavailable> {
        let counts = "SELECT (SELECT count(*) FROM waiting), (SELECT count(*) FROM dead)";
        let (all, dead): (i64, i64) = sqlx::query_as(counts).fetch_one(self.data.readers()).await?;
        let (all, dead) = (all.unsigned_abs(), dead.unsigned_abs());
        let pending = (self.taken.lock().await.len() as u64).min(all);
        Ok(Depth { waiting: all - pending, pending, dead })
    }

    pub(super) fn consumer(&self, claim_after: Duration) -> SqliteConsumer {
        SqliteConsumer { queue: self.clone(), arrived: self.arrived.clone(), claim_after }
    }

    pub(super) async fn settle(&self, entries: &[EntryId]) -> Result<(), Unavailable> {
        let mut transaction = self.data.write().await?;
        remove(&mut transaction, entries).await?;
        transaction.commit().await?;
        self.let_go(entries).await;
        Ok(())
    }

    pub(super) async fn bury(&self, delivery: &Delivery, reason: &str) -> Result<(), Unavailable> {
        let fields: Vec<String> =
            delivery.fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let entry = std::slice::from_ref(&delivery.entry);
        let mut transaction = self.data.write().await?;
        sqlx::query("INSERT INTO dead (fields, reason) VALUES (?, ?)")
            .bind(fields.join(" "))
            .bind(reason)
            .execute(&mut *transaction)
            .await?;
        remove(&mut transaction, entry).await?;
        transaction.commit().await?;
        self.let_go(entry).await;
        Ok(())
    }

    async fn let_go(&self, entries: &[EntryId]) {
        let mut taken = self.taken.lock().await;
        for entry in entries {
            entry.0.parse().ok().and_then(|entry: i64| taken.remove(&entry));
        }
    }
}

async fn remove(connection: &mut SqliteConnection, entries: &[EntryId]) -> Result<(), sqlx::Error> {
    let list: Vec<&str> = entries.iter().map(|entry| entry.0.as_str()).collect();
    sqlx::query("DELETE FROM waiting WHERE entry IN (SELECT value FROM json_each(?))")
        .bind(format!("[{}]", list.join(",")))
        .execute(connection)
        .await?;
    Ok(())
}

/// A ballot on its way to the disk, and who waits for the answer.
#[derive(Debug)]
struct Append {
    ballot: Ballot,
    capacity: u64,
    answer: oneshot::Sender<Result<(), AppendError>>,
}

/// Group commit: what arrives while one commit waits for the disk shares the
/// next one. A lone ballot waits for nobody.
async fn commit_appends(data: DataFile, mut appends: mpsc::Receiver<Append>, arrival: watch::Sender<()>) {
    let mut group = Vec::new();
    while appends.recv_many(&mut group, GROUP_MAX).await > 0 {
        let answers = commit(&data, &group).await;
        arrival.send_replace(());
        for (append, answer) in group.drain(..).zip(answers) {
            // A voter who hung up needs no answer.
            let _ = append.answer.send(answer);
        }
    }
}

async fn commit(data: &DataFile, group: &[Append]) -> Vec<Result<(), AppendError>> {
    let all = |error: AppendError| group.iter().map(|_| Err(error.clone())).collect();
    let inserted = async {
        let mut transaction = data.write().await?;
        let answers = insert(&mut transaction, group).await?;
        Ok::<_, sqlx::Error>((transaction, answers))
    };
    match inserted.await {
        Err(error) => all(AppendError::Refused(error.to_string())),
        Ok((transaction, answers)) => match transaction.commit().await {
            Ok(()) => answers,
            Err(error) => all(AppendError::Unconfirmed(error.to_string())),
        },
    }
}

async fn insert(
    connection: &mut SqliteConnection,
    group: &[Append],
) -> Result<Vec<Result<(), AppendError>>, sqlx::Error> {
    let held: i64 = sqlx::query_scalar("SELECT count(*) FROM waiting").fetch_one(&mut *connection).await?;
    let mut held = held.unsigned_abs();
    let mut answers = Vec::with_capacity(group.len());
    for Append { ballot, capacity, .. } in group {
        if held >= *capacity {
            let full = "the queue holds as many votes as QUEUE_MAX allows";
            answers.push(Err(AppendError::Refused(full.to_owned())));
            continue;
        }
        sqlx::query("INSERT INTO waiting (poll, voter, choice, ord, id, via) VALUES (?, ?, ?, ?, ?, ?)")
            .bind(ballot.poll.as_str())
            .bind(ballot.voter.0)
            .bind(ballot.choice.to_string())
            .bind(ballot.ord)
            .bind(ballot.id)
            .bind(&ballot.via)
            .execute(&mut *connection)
            .await?;
        held += 1;
        answers.push(Ok(()));
    }
    Ok(answers)
}

/// A reader of the queue.
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
        // Whether woken or out of patience, what is there is what counts.
        let _ = timeout(PATIENCE, self.arrived.changed()).await;
        self.take_waiting(max).await
    }

    pub(super) fn receipts(&self) -> SqliteQueue {
        self.queue.clone()
    }

    async fn take_waiting(&self, max: usize) -> Result<Vec<Delivery>, Unavailable> {
        let mut taken = self.queue.taken.lock().await;
        // Enough rows to find `max` behind everything that is held already.
        let rows = sqlx::query("SELECT * FROM waiting ORDER BY entry LIMIT ?")
            .bind((max + taken.len()) as i64)
            .fetch_all(self.queue.data.readers())
            .await?;
        let mut found = Vec::new();
        for row in rows {
            let entry: i64 = row.try_get("entry")?;
            let held = taken.get(&entry).is_some_and(|since| since.elapsed() < self.claim_after);
            if !held && found.len() < max {
                taken.insert(entry, Instant::now());
                found.push(delivery(entry, &row)?);
            }
        }
        Ok(found)
    }
}

fn delivery(entry: i64, row: &SqliteRow) -> Result<Delivery, sqlx::Error> {
    let (poll, choice, via): (String, String, String) =
        (row.try_get("poll")?, row.try_get("choice")?, row.try_get("via")?);
    let fields = vec![
        ("poll".to_owned(), poll.clone()),
        ("choice".to_owned(), choice.clone()),
        ("via".to_owned(), via.clone()),
    ];
    let ballot = || {
        Ok(Ballot {
            poll: poll.parse()?,
            voter: VoterId(row.try_get("voter").map_err(|error| error.to_string())?),
            choice: choice.parse()?,
            ord: row.try_get("ord").map_err(|error| error.to_string())?,
            id: row.try_get("id").map_err(|error| error.to_string())?,
            via,
        })
    };
    Ok(Delivery { entry: EntryId(entry.to_string()), ballot: ballot(), fields })
}
