//! The data file of the embedded mode: one SQLite file with queue, ledger and
//! cookie key. One process owns it. Queue and ledger share one schema, because
//! they are in one file.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, Sqlite, Transaction};

static SCHEMA: Migrator = sqlx::migrate!("migrations/sqlite");

/// "Urna" in ASCII. SQLite keeps this number in the file, so that programs recognise their own.
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"Urna");

/// How long a writer waits for another process. Only `verify` can make it wait,
/// and for no longer than a checkpoint takes.
const BUSY_WITHIN: Duration = Duration::from_secs(5);

/// The number of connections that read. More would only wait for the same disk.
const READERS: u32 = 4;

/// An open data file.
#[derive(Clone, Debug)]
pub struct DataFile {
    path: PathBuf,
    /// One connection only, so that writers wait here in order. With several,
    /// SQLite would refuse some of them with its busy error.
    writer: SqlitePool,
    readers: SqlitePool,
    /// The lock, held while the file is open. The system releases it when the process ends.
    _lock: Option<Arc<File>>,
}

impl DataFile {
    /// Opens the data file in `folder` for serving, and creates what is missing.
    pub async fn open(folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot create the data folder {} (DATA)", folder.display()))?;
        let path = path_in(folder);
        let lock = lock(&path)?;
        check_owner(&path).await?;
        create_private(&path)?;
        let options = writing(&path);
        let data = Self::connect(path, options, Some(Arc::new(lock)));
        SCHEMA.run(&data.writer).await.map_err(|error| match error {
            MigrateError::VersionMissing(_) | MigrateError::VersionMismatch(_) => anyhow::anyhow!(
                "{} was written by another version of urna: run that one, or choose another folder with --data",
                data.path.display()
            ),
            other => anyhow::anyhow!("cannot prepare {}: {other}", data.path.display()),
        })?;
        Ok(data)
    }

    /// Opens the data file in `folder` for reading, even while a server uses it.
    pub async fn inspect(folder: &Path) -> anyhow::Result<Self> {
        let path = path_in(folder);
        ensure!(path.exists(), "there is no data file {}: name its folder with --data", path.display());
        check_owner(&path).await?;
        let options = SqliteConnectOptions::new().filename(&path).read_only(true).busy_timeout(BUSY_WITHIN);
        Ok(Self::connect(path, options, None))
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The key that signs the voters' cookies. It was made together with the file.
    pub async fn cookie_key(&self) -> anyhow::Result<Vec<u8>> {
        let key = sqlx::query_scalar("SELECT cookie_key FROM ledger").fetch_one(&self.readers);
        key.await.with_context(|| format!("cannot read {}", self.path.display()))
    }

    /// Begins a transaction that writes, and takes the write lock at once. A
    /// transaction that reads first and writes later may fail without waiting
    /// for the busy timeout.
    pub async fn write(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.writer.begin_with("BEGIN IMMEDIATE").await
    }

    /// The connections that only read. They never wait for a writer.
    pub fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    fn connect(path: PathBuf, options: SqliteConnectOptions, lock: Option<Arc<File>>) -> Self {
        let options = options.disable_statement_logging();
        Self {
            path,
            writer: SqlitePoolOptions::new()
                .max_connections(1)
                // After a failed commit SQLite has rolled back, but sqlx does not know that. Discard
                // such a connection.
                .before_acquire(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }))
                .connect_lazy_with(options.clone()),
            readers: SqlitePoolOptions::new().max_connections(READERS).connect_lazy_with(options),
            _lock: lock,
        }
    }
}

fn path_in(folder: &Path) -> PathBuf {
    folder.join("urna.db")
}

/// The options of a writer. With a write-ahead log and full synchronisation, a
/// commit survives a kill and a power cut.
fn writing(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_WITHIN)
}

/// Locks the data file, so that only one server uses it. Each of two servers
/// would know only the entries that it took from the queue itself.
///
/// The lock is on a separate file: if we opened and closed the data file
/// ourselves, SQLite would lose its locks on it.
fn lock(path: &Path) -> anyhow::Result<File> {
    let lock_path = path.with_extension("lock");
    let file = File::create(&lock_path)
        .with_context(|| format!("cannot write to {} (DATA)", lock_path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("another urna serves {}: stop it, or choose another folder with --data", path.display())
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", lock_path.display()))
        }
    }
}

/// Creates the file so that other users cannot read it, because it holds the key
/// that signs the cookies. SQLite gives its log the same permissions.
fn create_private(path: &Path) -> anyhow::Result<()> {
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    file.map(drop).with_context(|| format!("cannot write to {} (DATA)", path.display()))
}

/// Checks that the file is a data file of Urna, before anything is written to it.
async fn check_owner(path: &Path) -> anyhow::Result<()> {
    let is_new = std::fs::metadata(path).map_or(true, |file| file.len() == 0);
    if is_new {
        return Ok(());
    }
    let ours = match is_ours(path).await {
        Err(error) if is_no_database(&error) => false,
        ours => ours.with_context(|| format!("cannot read {}", path.display()))?,
    };
    ensure!(
        ours,
        "{} is not a data file of urna: move it away, or choose another folder with --data",
        path.display()
    );
    Ok(())
}

/// Whether the file is a data file of Urna. A file without tables is one, too:
/// its first start was interrupted.
async fn is_ours(path: &Path) -> Result<bool, sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let id: i32 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut connection).await?;
    let tables: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '%migrations'",
    )
    .fetch_one(&mut connection)
    .await?;
    connection.close().await?;
    Ok(id == APPLICATION_ID || tables == 0)
}

/// Whether the file is no SQLite file at all: result code 26 (SQLITE_NOTADB).
fn is_no_database(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "26")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_transaction_that_sqlite_rolled_back_by_itself_does_not_jam_the_writer() {
        let folder = tempfile::TempDir::new().unwrap();
        let data = DataFile::open(folder.path()).await.unwrap();
        let mut transaction = data.write().await.unwrap();
        // SQLite does this when the disk is full, and sqlx does not know it.
        sqlx::query("ROLLBACK").execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap_err();
        data.write().await.unwrap();
    }
}
