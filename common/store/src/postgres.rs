//! PostgreSQL: its settings, and a connection that is opened again after it broke.

mod session;

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args;
use service::{required, warn_if_demo};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgRow};
use sqlx::query::Query;
use sqlx::{ConnectOptions, Connection as _, FromRow, Postgres};
use tokio::sync::Mutex;
use tokio::time::timeout;

pub use self::session::configure;
use crate::tls::ca_file;
use crate::{Unavailable, WriteError};

/// Long enough for a batch on a slow disk, and short enough to notice a cut
/// network while people still look at the screen.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// The SQLSTATE of a statement that PostgreSQL gave up, because it took too long.
const GAVE_UP: &str = "57014";

/// The settings of PostgreSQL.
#[derive(Args, Clone, Debug, Default)]
pub struct PostgresSettings {
    /// PostgreSQL, as postgres://USER@HOST:5432/DATABASE (?sslmode=verify-full for TLS)
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// The password of PostgreSQL, if it is not in the URL
    #[arg(long, env = "DATABASE_PASSWORD", hide_env_values = true)]
    database_password: Option<String>,
}

impl PostgresSettings {
    /// For tests and tools: PostgreSQL at this URL.
    pub fn at(url: &str) -> Self {
        Self { database_url: Some(url.to_owned()), ..Self::default() }
    }

    /// Whether they name a PostgreSQL.
    pub fn are_given(&self) -> bool {
        self.database_url.is_some()
    }

    /// A connection to that PostgreSQL. Its first use opens it.
    pub fn connection(&self, schema: &'static Migrator) -> anyhow::Result<Connection> {
        let options = self.options()?.application_name("urna").disable_statement_logging();
        Ok(Connection { options: Arc::new(options), schema, reader: None, current: Arc::default() })
    }

    /// How to connect to that PostgreSQL.
    pub fn options(&self) -> anyhow::Result<PgConnectOptions> {
        const EXAMPLE: &str = "postgres://postgres@127.0.0.1:5432/postgres";
        let url = required("DATABASE_URL", self.database_url.as_deref(), EXAMPLE)?;
        ensure!(
            ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)),
            "DATABASE_URL must begin with postgres://"
        );
        let mut options = PgConnectOptions::from_str(url)
            .with_context(|| format!("DATABASE_URL is not of the form {EXAMPLE}"))?;
        if let Some(path) = ca_file().filter(|_| !url.contains("sslrootcert=")) {
            options = options.ssl_root_cert(path);
        }
        if let Some(password) = &self.database_password {
            warn_if_demo("DATABASE_PASSWORD", password);
            options = options.password(password);
        }
        Ok(options)
    }
}

/// One connection to PostgreSQL, shared by its clones. One is enough, because a
/// worker sends one query at a time, and so does a reader of the totals.
///
/// A pool would hide why a connection failed. It could also hand out a
/// connection whose last answer was only half read.
#[derive(Clone, Debug)]
pub struct Connection {
    options: Arc<PgConnectOptions>,
    schema: &'static Migrator,
    /// The password of the readers, if this connection lets them in.
    reader: Option<Arc<str>>,
    current: Arc<Mutex<Option<Session>>>,
}

#[derive(Debug)]
struct Session {
    connection: PgConnection,
    /// The time within which PostgreSQL was last told to answer.
    within: Duration,
}

impl Connection {
    /// The same connection, which also creates the role of the services that only read,
    /// with this password. Do not use it for connections of those services.
    pub fn admitting_readers(self, password: &str) -> Self {
        Self { reader: Some(password.into()), ..self }
    }

    /// Another connection to the same PostgreSQL. Its queries and those of this
    /// connection do not wait for each other.
    pub fn side_connection(&self) -> Self {
        Self { options: self.options.clone(), schema: self.schema, reader: None, current: Arc::default() }
    }

    /// The options with which it connects.
    pub fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// Executes a statement and returns its rows. Connects first if necessary.
    ///
    /// The connection is kept only if it answered. It must not be used again
    /// after it failed, or after the timeout interrupted an answer.
    pub async fn fetch<T: for<'r> FromRow<'r, PgRow>>(
        &self,
        query: Query<'_, Postgres, PgArguments>,
        within: Duration,
    ) -> Result<Vec<T>, WriteError> {
        let mut slot = self.current.lock().await;
        let asked = async {
            let mut session = match slot.take() {
                Some(session) => session,
                // An error while connecting is never about the data, whatever its code.
                None => self.connect().await.map_err(|error| self.unavailable(error))?,
            };
            session.answer(within).await.map_err(|error| self.unavailable(error))?;
            let answer = query.fetch_all(&mut session.connection).await;
            if answer.as_ref().map_or_else(is_rejection, |_| true) {
                *slot = Some(session);
            }
            let rows = answer.and_then(|rows| rows.iter().map(T::from_row).collect());
            rows.map_err(|error| match () {
                () if is_rejection(&error) => WriteError::Rejected(error.to_string()),
                () if has_code(&error, GAVE_UP) => WriteError::TooSlow(self.unavailable(error)),
                () => self.unavailable(error).into(),
            })
        };
        // PostgreSQL would have given up before, so it is the network that does not answer.
        let late = |_| self.unavailable(format!("no answer within {} s", within.as_secs()));
        timeout(within, asked).await.map_err(late)?
    }

    /// The error for the caller. It names the address, which may be wrong.
    fn unavailable(&self, error: impl Display) -> Unavailable {
        let (host, port) = (self.options.get_host(), self.options.get_port());
        Unavailable(format!("PostgreSQL at {host}:{port} (DATABASE_URL): {error}"))
    }

    /// Connects, and creates the schema if it is missing, so that a wiped
    /// PostgreSQL gets it again.
    async fn connect(&self) -> Result<Session, sqlx::Error> {
        let mut connection = PgConnection::connect_with(&self.options).await?;
        session::configure(&mut connection).await?;
        session::migrate(&mut connection, self.schema).await?;
        if let Some(password) = &self.reader {
            session::admit_reader(&mut connection, password).await?;
        }
        Ok(Session { connection, within: Duration::ZERO })
    }
}

impl Session {
    /// Tells PostgreSQL to answer within this time, unless it was told so last.
    async fn answer(&mut self, within: Duration) -> Result<(), sqlx::Error> {
        if self.within != within {
            session::limit(&mut self.connection, within).await?;
            self.within = within;
        }
        Ok(())
    }
}

/// Whether an error is about the data: SQLSTATE classes 22 (data exception) and
/// 23 (integrity constraint). Every other error is about the store and may pass.
fn is_rejection(error: &sqlx::Error) -> bool {
    has_code(error, "22") || has_code(error, "23")
}

fn has_code(error: &sqlx::Error, code_or_class: &str) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code.starts_with(code_or_class))
}
