//! The stores that must keep a contract, and ballots to test them with.

use std::time::Duration;

use election::{Ballot, Choice, PollId, VoterId, random_uuid};
use harness::{Postgres, Redis, eventually};
use ledger::Ledger;
use ledger::PostgresLedger;
use ledger::SqliteLedger;
use queue::EntryId;
use queue::Queue;
use queue::RedisQueue;
use queue::SqliteQueue;
use sqlx::{Row, SqlitePool};
use store::postgres::PostgresSettings;
use store::redis::RedisSettings;
use store::sqlite::DataFile;
use tempfile::TempDir;
use uuid::Uuid;

/// A store for one test of a contract.
pub enum Backend {
    Redis(Redis),
    Postgres(Postgres),
    Sqlite(TempDir, SqliteQueue, SqliteLedger),
}

impl Backend {
    pub async fn redis() -> Self {
        Self::Redis(Redis::start().await)
    }

    pub async fn postgres() -> Self {
        Self::Postgres(Postgres::start().await)
    }

    pub async fn sqlite() -> Self {
        Self::sqlite_in(TempDir::with_prefix("data-").unwrap()).await
    }

    async fn sqlite_in(folder: TempDir) -> Self {
        let open = async || DataFile::open(folder.path()).await.ok();
        let data = eventually("the data file, which another may still hold", open).await;
        Self::Sqlite(folder, SqliteQueue::new(data.clone()), SqliteLedger::new(data))
    }

    pub fn queue(&self) -> Queue {
        match self {
            Self::Redis(redis) => {
                Queue::Redis(RedisQueue::new(RedisSettings::at(&redis.url()).connection().unwrap()))
            }
            Self::Sqlite(_, queue, _) => Queue::Sqlite(queue.clone()),
            Self::Postgres(_) => panic!("PostgreSQL is no queue"),
        }
    }

    /// Opens the ledger, as another process would.
    pub fn ledger(&self) -> Ledger {
        match self {
            Self::Postgres(postgres) => {
                let settings = PostgresSettings::at(&postgres.url());
                Ledger::Postgres(PostgresLedger::open(&settings).unwrap())
            }
            Self::Sqlite(_, _, ledger) => Ledger::Sqlite(ledger.clone()),
            Self::Redis(_) => panic!("Redis is no ledger"),
        }
    }

    /// Kills the store and starts it again on its data.
    pub async fn restart(self) -> Self {
        match self {
            Self::Redis(mut redis) => {
                redis.kill().await;
                redis.resume().await;
                Self::Redis(redis)
            }
            Self::Postgres(mut postgres) => {
                postgres.kill().await;
                postgres.resume().await;
                Self::Postgres(postgres)
            }
            Self::Sqlite(folder, queue, ledger) => {
                drop((queue, ledger));
                Self::sqlite_in(folder).await
            }
        }
    }

    /// Runs SQL on a connection of its own, not through the ledger.
    pub async fn sql(&self, statement: &'static str) {
        let statement = sqlx::raw_sql(statement);
        match self {
            Self::Postgres(postgres) => {
                statement.execute(&postgres.pool().await).await.unwrap();
            }
            Self::Sqlite(folder, ..) => {
                statement.execute(&sqlite_pool(folder).await).await.unwrap();
            }
            Self::Redis(_) => panic!("Redis speaks no SQL"),
        }
    }

    /// Adds an entry that is no ballot to the queue.
    pub async fn poison(&self) {
        match self {
            Self::Redis(redis) => {
                let mut command = redis::cmd("XADD");
                command.arg("urna:votes").arg("*").arg(b"\xff").arg(b"\xfe").arg("choice").arg("z");
                command.exec_async(&mut redis.connection().await).await.unwrap();
            }
            _ => {
                self.sql(
                    "INSERT INTO waiting (poll, voter, choice, ord, id, via)
                     VALUES ('p', x'00', 'z', 1, x'00', 'test')",
                )
                .await;
            }
        }
    }

    /// Pretends that a consumer of the queue has held these entries for this long.
    pub async fn holds_for(&self, consumer: &str, entries: &[EntryId], time: Duration) {
        if let Self::Redis(redis) = self {
            let mut command = redis::cmd("XCLAIM");
            command.arg("urna:votes").arg("workers").arg(consumer).arg(0);
            for entry in entries {
                command.arg(&entry.0);
            }
            command.arg("IDLE").arg(time.as_millis() as u64);
            command.exec_async(&mut redis.connection().await).await.unwrap();
        }
    }

    /// The ballots in the ledger: the voter, the order and the choice of each.
    pub async fn ballots(&self) -> Vec<(Uuid, i64, String)> {
        const BALLOTS: &str = "SELECT voter, ord, choice FROM ballots ORDER BY voter";
        macro_rules! fetch {
            ($pool:expr) => {
                sqlx::query(BALLOTS)
                    .fetch_all(&$pool)
                    .await
                    .unwrap()
                    .iter()
                    .map(|row| (row.get(0), row.get(1), row.get(2)))
                    .collect()
            };
        }
        match self {
            Self::Postgres(postgres) => fetch!(postgres.pool().await),
            Self::Sqlite(folder, ..) => fetch!(sqlite_pool(folder).await),
            Self::Redis(_) => panic!("Redis is no ledger"),
        }
    }
}

async fn sqlite_pool(folder: &TempDir) -> SqlitePool {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join("urna.db"));
    SqlitePool::connect_with(options.busy_timeout(std::time::Duration::from_secs(10))).await.unwrap()
}

pub fn poll() -> PollId {
    "contract".parse().unwrap()
}

/// A ballot. The voter is a number, and the choice is the position of its option.
pub fn ballot(voter: u128, choice: usize, ord: i64) -> Ballot {
    Ballot {
        poll: poll(),
        voter: VoterId(Uuid::from_u128(voter)),
        choice: Choice::at(choice).unwrap(),
        ord,
        id: random_uuid(),
        via: "test".to_owned(),
    }
}

/// Makes one test for each promise and backend.
macro_rules! contract {
    ([$($backend:ident),*] $promises:tt) => {
        $($crate::contracts::backends::contract!(@ $backend $promises);)*
    };
    (@ $backend:ident { $($promise:ident,)* }) => {
        mod $backend {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $promise() {
                    super::$promise($crate::contracts::backends::Backend::$backend().await).await;
                }
            )*
        }
    };
}
pub(crate) use contract;
