//! Appends to the table: one transaction for many ballots, with an answer for each.

use election::Ballot;
use sqlx::QueryBuilder;
use sqlx::sqlite::SqliteConnection;
use store::sqlite::DataFile;
use tokio::sync::watch;
use uuid::Uuid;

use crate::append::{Appended, Backend};
use crate::{AppendError, EntryId, FULL, Receipt};

/// How many entries there are, at most: the distance from the oldest to the newest. They are counted only if that could
/// be too many, because SQLite would read the whole table.
const HELD: &str = "
    SELECT iif(span <= ?, span, (SELECT count(*) FROM waiting)), (SELECT epoch FROM ledger) FROM (
        SELECT coalesce((SELECT max(entry) FROM waiting) - (SELECT min(entry) FROM waiting) + 1, 0) AS span
    )";

/// The table, for those who append.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) data: DataFile,
    /// Wakes the consumers.
    pub(super) arrival: watch::Sender<()>,
}

impl Backend for Table {
    async fn append(&self, ballots: &[Ballot], capacity: u64) -> Appended {
        let inserted = async {
            let mut transaction = self.data.write().await?;
            let receipts = insert(&mut transaction, ballots, capacity).await?;
            Ok::<_, sqlx::Error>((transaction, receipts))
        };
        match inserted.await {
            Err(error) => (Vec::new(), AppendError::Refused(error.to_string())),
            Ok((transaction, receipts)) => match transaction.commit().await {
                Err(error) => (Vec::new(), AppendError::Unconfirmed(error.to_string())),
                Ok(()) => {
                    self.arrival.send_replace(());
                    (receipts, AppendError::Refused(FULL.to_owned()))
                }
            },
        }
    }
}

/// Inserts as many of the ballots as there is room for. Returns their receipts.
async fn insert(
    connection: &mut SqliteConnection,
    ballots: &[Ballot],
    capacity: u64,
) -> Result<Vec<Receipt>, sqlx::Error> {
    let enough_for_all = i64::try_from(capacity).unwrap_or(i64::MAX).saturating_sub(ballots.len() as i64);
    let (held, epoch): (i64, Uuid) =
        sqlx::query_as(HELD).bind(enough_for_all).fetch_one(&mut *connection).await?;
    let room = usize::try_from(capacity.saturating_sub(held.unsigned_abs())).unwrap_or(usize::MAX);
    let ballots = &ballots[..room.min(ballots.len())];
    if ballots.is_empty() {
        return Ok(Vec::new());
    }
    let mut insert = QueryBuilder::new("INSERT INTO waiting (poll, voter, choice, ord, id, via) ");
    insert.push_values(ballots, |mut row, ballot| {
        row.push_bind(ballot.poll.as_str()).push_bind(ballot.voter.0).push_bind(ballot.choice.to_string());
        row.push_bind(ballot.ord).push_bind(ballot.id).push_bind(&ballot.via);
    });
    let last = insert.build().execute(connection).await?.last_insert_rowid().unsigned_abs();
    // Entries are numbered in the order of their appends, and no number is given twice.
    let places = last + 1 - ballots.len() as u64..=last;
    Ok(places.map(|place| Receipt { entry: EntryId(place.to_string()), epoch, place }).collect())
}
