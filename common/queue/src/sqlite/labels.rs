//! The labels for which votes were recorded. The ledger in the same file keeps them in the same
//! table, because both are wiped or restored together.

use election::{Labels, PollId};
use store::Unavailable;

use super::SqliteQueue;

impl SqliteQueue {
    pub(crate) async fn keep_labels(&self, poll: &PollId, labels: &Labels) -> Result<(), Unavailable> {
        let insert = "INSERT INTO labels (poll, choice, label) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
        let mut transaction = self.data.write().await?;
        for (choice, label) in labels {
            let query = sqlx::query(insert).bind(poll.as_str()).bind(choice.to_string()).bind(label);
            query.execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }

    pub(crate) async fn labels(&self, poll: &PollId) -> Result<Labels, Unavailable> {
        let rows: Vec<(String, String)> = sqlx::query_as("SELECT choice, label FROM labels WHERE poll = ?")
            .bind(poll.as_str())
            .fetch_all(self.data.readers())
            .await?;
        Ok(rows.into_iter().filter_map(|(choice, label)| Some((choice.parse().ok()?, label))).collect())
    }
}
