//! The beginning of every session with PostgreSQL: its settings, the schema, and the
//! role of the services that only read.

use std::time::Duration;

use sqlx::migrate::{Migration, Migrator};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};

use super::has_code;

/// PostgreSQL gives up a statement this long before we do. Otherwise its backend
/// would go on without us, and each further try would add one more.
const GIVES_UP_EARLIER: Duration = Duration::from_secs(1);

/// The settings of a session, whatever the database's own are.
///
/// A backend does not wait for a lock longer than we wait for the answer, which is
/// 10 s. If our machine dies, its backend ends after 25 s, so that it holds no lock for
/// hours.
const SETTINGS: &str = "
    SET synchronous_commit = on;
    SET lock_timeout = '8s';
    SET tcp_keepalives_idle = 10;
    SET tcp_keepalives_interval = 5;
    SET tcp_keepalives_count = 3;
    SET tcp_user_timeout = '25s'";

/// The SQLSTATE of a table that does not exist.
const NO_TABLE: &str = "42P01";

/// Creates the role of the readers, or gives it this password. The role may read all
/// tables. The lock makes other workers wait, because PostgreSQL would refuse two changes
/// of one role at a time.
const ADMIT_READER: &str = "
    DO $$ BEGIN
        PERFORM pg_advisory_xact_lock(hashtext('urna_reader'));
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'urna_reader') THEN
            CREATE ROLE urna_reader;
        END IF;
        EXECUTE format('ALTER ROLE urna_reader LOGIN PASSWORD %L', current_setting('urna.reader_password'));
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO urna_reader', current_schema());
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO urna_reader', current_schema());
    END $$";

/// Applies the settings of a session.
pub async fn configure(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    connection.execute(SETTINGS).await.map(drop)
}

/// Makes PostgreSQL give up every further statement shortly before this time is over.
pub(super) async fn limit(connection: &mut PgConnection, within: Duration) -> Result<(), sqlx::Error> {
    let timeout = within.saturating_sub(GIVES_UP_EARLIER).as_millis();
    connection.execute(AssertSqlSafe(format!("SET statement_timeout = {timeout}"))).await.map(drop)
}

/// Creates what is missing of the schema. Any number of replicas may do so at once.
///
/// sqlx locks the database before it looks, and whoever holds that lock may have died
/// with its machine. So look first, because the schema is nearly always complete.
pub(super) async fn migrate(connection: &mut PgConnection, schema: &Migrator) -> Result<(), sqlx::Error> {
    if !is_complete(connection, schema).await? {
        schema.run(connection).await?;
    }
    Ok(())
}

/// Lets the readers log in with this password.
pub(super) async fn admit_reader(connection: &mut PgConnection, password: &str) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let pass_on = sqlx::query("SELECT set_config('urna.reader_password', $1, true)").bind(password);
    pass_on.execute(&mut *transaction).await?;
    transaction.execute(ADMIT_READER).await?;
    transaction.commit().await
}

async fn is_complete(connection: &mut PgConnection, schema: &Migrator) -> Result<bool, sqlx::Error> {
    let applied = sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations WHERE success");
    let applied: Vec<(i64, Vec<u8>)> = match applied.fetch_all(connection).await {
        Err(error) if has_code(&error, NO_TABLE) => return Ok(false),
        applied => applied?,
    };
    let is_applied = |needed: &Migration| {
        applied
            .iter()
            .any(|(version, checksum)| *version == needed.version && checksum[..] == needed.checksum[..])
    };
    Ok(schema.iter().all(is_applied))
}
