//! How many votes the embedded mode records in a second.

use std::time::Instant;

use harness::Embedded;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use tempfile::TempDir;

use crate::load::load;
use crate::table::{Aim, Figure, Table};
use crate::votes::{ROUNDS, arguments};

/// So many voters at once.
const CROWD: usize = 256;

/// SQLite inserts so many groups, each with the ballots of such a crowd.
const GROUPS: usize = 200;

pub async fn measure(table: &mut Table) {
    let (mut ours, mut sqlite) = (0.0_f64, 0.0_f64);
    for _ in 0..ROUNDS {
        let data = TempDir::new().unwrap();
        let urna = Embedded::start(data.path()).await;
        let measures = load(&urna.vote, &urna.result, &arguments(CROWD)).await.measures;
        ours = ours.max(measures.recorded_per_second);
        sqlite = sqlite.max(group_inserts().await);
    }
    let what = format!("recorded votes, embedded, {CROWD} connections");
    let sqlite = ("SQLite inserts groups with the same sync", Figure::per_second(sqlite));
    table.add(&what, Figure::per_second(ours), sqlite, Aim::AtLeast(0.6));
}

/// Rows a second, one transaction with one statement for each group.
async fn group_inserts() -> f64 {
    let folder = TempDir::new().unwrap();
    let options = SqliteConnectOptions::new().filename(folder.path().join("bare.db")).create_if_missing(true);
    let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    let mut connection: SqliteConnection = options.connect().await.unwrap();
    let table = "
        CREATE TABLE waiting (entry INTEGER PRIMARY KEY AUTOINCREMENT, poll TEXT NOT NULL, voter BLOB NOT NULL,
            choice TEXT NOT NULL, ord INTEGER NOT NULL, id BLOB NOT NULL, via TEXT NOT NULL)";
    connection.execute(table).await.unwrap();
    let insert = format!(
        "INSERT INTO waiting (poll, voter, choice, ord, id, via)
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {CROWD})
         SELECT 'nesquik-cola-cao', randomblob(16), 'a', 1700000000000, randomblob(16), 'vote-1' FROM n"
    );
    let began = Instant::now();
    for _ in 0..GROUPS {
        connection.execute(sqlx::raw_sql(AssertSqlSafe(insert.clone()))).await.unwrap();
    }
    let rate = (GROUPS * CROWD) as f64 / began.elapsed().as_secs_f64();
    connection.close().await.unwrap();
    rate
}
