//! The ledger as tables of the data file.

use std::collections::BTreeMap;

use election::{Ballot, Labels, PollId};
use sqlx::QueryBuilder;
use sqlx::sqlite::SqliteConnection;
use store::sqlite::DataFile;
use store::{Unavailable, WriteError};
use tokio::sync::watch;

use super::{LABELS, LabelRow, OTHER_POLL, OtherPollRow, RECOUNT, Recount, TOTALS, Totals};

/// The end of the statement that records a batch, after its ballots. A statement for each ballot would cost much more,
/// because each goes to the data file's thread and back.
const IF_NEWER: &str = "
    ON CONFLICT (poll, voter) DO UPDATE
    SET choice = excluded.choice, previous = ballots.choice,
        ord = excluded.ord, id = excluded.id, via = excluded.via
    WHERE (excluded.ord, excluded.id) > (ballots.ord, ballots.id)
    RETURNING poll, choice, previous";

const MOVE: &str = "
    INSERT INTO totals (poll, choice, votes, changes) VALUES (?, ?, ?, ?)
    ON CONFLICT (poll, choice) DO UPDATE
    SET votes = votes + excluded.votes, changes = changes + excluded.changes";

const KEEP_LABEL: &str = "INSERT INTO labels (poll, choice, label) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";

/// The ledger in the data file.
#[derive(Clone, Debug)]
pub struct SqliteLedger {
    data: DataFile,
    recorded: watch::Sender<()>,
}

impl SqliteLedger {
    /// The ledger in this file. When one clone records ballots, the receivers of all clones wake.
    pub fn new(data: DataFile) -> Self {
        Self { data, recorded: watch::Sender::new(()) }
    }

    pub(super) async fn record(&self, ballots: &[&Ballot]) -> Result<u64, WriteError> {
        match self.try_record(ballots).await {
            Ok(news) => {
                self.recorded.send_replace(());
                Ok(news)
            }
            Err(error) if is_rejection(&error) => Err(WriteError::Rejected(error.to_string())),
            Err(error) => Err(Unavailable::from(error).into()),
        }
    }

    async fn try_record(&self, ballots: &[&Ballot]) -> Result<u64, sqlx::Error> {
        if ballots.is_empty() {
            return Ok(0);
        }
        let mut transaction = self.data.write().await?;
        let news = keep_newer(&mut transaction, ballots).await?;
        Moves::of(&news).apply(&mut transaction).await?;
        transaction.commit().await?;
        Ok(news.len() as u64)
    }

    pub(super) async fn totals(&self, poll: &PollId) -> Result<Totals, Unavailable> {
        let rows = sqlx::query_as(TOTALS).bind(poll.as_str());
        Totals::from_rows(rows.fetch_all(self.data.readers()).await?)
    }

    pub(super) async fn other_poll(&self, poll: &PollId) -> Result<Option<OtherPollRow>, Unavailable> {
        let row = sqlx::query_as(OTHER_POLL).bind(poll.as_str());
        Ok(row.fetch_optional(self.data.readers()).await?)
    }

    /// The queue in the same file keeps its labels in the same table.
    pub(super) async fn keep_labels(&self, poll: &PollId, labels: &Labels) -> Result<(), WriteError> {
        self.try_keep_labels(poll, labels).await.map_err(|error| Unavailable::from(error).into())
    }

    async fn try_keep_labels(&self, poll: &PollId, labels: &Labels) -> Result<(), sqlx::Error> {
        let mut transaction = self.data.write().await?;
        for (choice, label) in labels {
            let query = sqlx::query(KEEP_LABEL).bind(poll.as_str()).bind(choice.to_string()).bind(label);
            query.execute(&mut *transaction).await?;
        }
        transaction.commit().await
    }

    pub(super) async fn labels(&self, poll: &PollId) -> Result<Vec<LabelRow>, Unavailable> {
        let rows = sqlx::query_as(LABELS).bind(poll.as_str());
        Ok(rows.fetch_all(self.data.readers()).await?)
    }

    pub(super) async fn recount(&self) -> Result<Recount, Unavailable> {
        let rows = sqlx::query_as(RECOUNT).fetch_all(self.data.readers());
        Ok(Recount::from_rows(rows.await?))
    }

    pub(super) fn notifications(&self) -> watch::Receiver<()> {
        self.recorded.subscribe()
    }
}

/// A ballot that was kept: its poll, its choice, and the choice that it replaced.
type Kept = (String, String, Option<String>);

/// Keeps those ballots that are newer than what their voters chose before.
async fn keep_newer(
    connection: &mut SqliteConnection,
    ballots: &[&Ballot],
) -> Result<Vec<Kept>, sqlx::Error> {
    let mut record = QueryBuilder::new("INSERT INTO ballots (poll, voter, choice, ord, id, via) ");
    record.push_values(ballots, |mut row, ballot| {
        row.push_bind(ballot.poll.as_str()).push_bind(ballot.voter.0).push_bind(ballot.choice.to_string());
        row.push_bind(ballot.ord).push_bind(ballot.id).push_bind(&ballot.via);
    });
    record.push(IF_NEWER).build_query_as().fetch_all(connection).await
}

/// By how much the totals change: votes and changes, by poll and option.
#[derive(Default)]
struct Moves<'a>(BTreeMap<(&'a str, &'a str), (i64, i64)>);

impl<'a> Moves<'a> {
    fn of(news: &'a [Kept]) -> Self {
        let mut moves = Self::default();
        for (poll, choice, previous) in news {
            moves.step(poll, choice, 1);
            if let Some(previous) = previous {
                moves.step(poll, previous, -1);
            }
        }
        moves
    }

    fn step(&mut self, poll: &'a str, choice: &'a str, votes: i64) {
        let (moved, changes) = self.0.entry((poll, choice)).or_default();
        *moved += votes;
        *changes += 1;
    }

    async fn apply(self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        for ((poll, choice), (votes, changes)) in self.0 {
            let query = sqlx::query(MOVE).bind(poll).bind(choice).bind(votes).bind(changes);
            query.execute(&mut *connection).await?;
        }
        Ok(())
    }
}

/// Whether an error is about the ballots: result code 19 (constraint). Every other
/// error is about the store and may pass. The low byte is the code without details.
fn is_rejection(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| code & 0xff == 19)
}
