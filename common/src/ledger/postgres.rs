//! The ledger in PostgreSQL.

use std::fmt::Display;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgListener, PgPoolOptions, PgRow};
use sqlx::query::Query;
use sqlx::{ConnectOptions, Connection, Executor, FromRow, Postgres};
use tokio::sync::{Mutex, watch};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::{OTHER_POLL, OtherPollRow, RECOUNT, RecordError, Recount, TOTALS, Totals};
use crate::ballot::{Ballot, PollId};
use crate::outage::Unavailable;
use crate::setback::{LedgerWord, Mark};
use crate::settings::PostgresSettings;

/// A replica that is older than the schema must work on during a rolling
/// update, so migrations it does not know are none of its business.
static SCHEMA: LazyLock<Migrator> = LazyLock::new(|| {
    let mut schema = sqlx::migrate!("migrations/postgres");
    schema.set_ignore_missing(true);
    schema
});

/// Long enough for a batch on a slow disk, short enough that a cut network
/// is noticed while people still look at the screen.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// A recount reads every ballot: seconds for a million, so minutes are ample.
const RECOUNT_WITHIN: Duration = Duration::from_secs(600);

/// The channel on which every change of the totals is announced.
const CHANNEL: &str = "urna_totals";

/// A cut network can leave a listener deaf without telling it, so one that
/// heard nothing for this long is made anew.
const DEAF_AFTER: Duration = Duration::from_secs(60);

/// The pause before listening is tried again; the slow poll covers it.
const LISTEN_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The whole transaction in one statement, hence in one round trip.
///
/// `recorded` keeps what is newer and remembers the choice it replaced. Both
/// come from the row under its lock, so `moved` is exact whatever other
/// workers commit meanwhile. The rows of `totals` are locked in a fixed order.
const RECORD: &str = "
    WITH recorded AS (
        INSERT INTO ballots AS held (poll, voter, choice, ord, id, via)
        SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::bigint[], $5::uuid[], $6::text[])
        ON CONFLICT (poll, voter) DO UPDATE
        SET choice = excluded.choice, previous = held.choice,
            ord = excluded.ord, id = excluded.id, via = excluded.via
        WHERE (excluded.ord, excluded.id) > (held.ord, held.id)
        RETURNING poll, choice, previous
    ), moved AS (
        SELECT poll, choice, sum(votes) AS votes, count(*) AS changes
        FROM (
            SELECT poll, choice, 1 AS votes FROM recorded
            UNION ALL
            SELECT poll, previous, -1 FROM recorded WHERE previous IS NOT NULL
        ) AS steps
        GROUP BY poll, choice
        ORDER BY poll, choice
    ), counted AS (
        INSERT INTO totals AS held (poll, choice, votes, changes)
        SELECT poll, choice, votes, changes FROM moved
        ON CONFLICT (poll, choice) DO UPDATE
        SET votes = held.votes + excluded.votes, changes = held.changes + excluded.changes
    )
    SELECT count(*), pg_notify($7, '') FROM recorded";

/// What the ledger has counted, in all polls: a voter's first ballot is one
/// change and one vote, and every later one two changes and no vote.
const WORD: &str = "
    SELECT epoch, marked, (SELECT coalesce((sum(changes) + sum(votes)) / 2, 0)::bigint FROM totals)
    FROM ledger";

/// Moves the number of this ledger, unless another worker did.
const MOVE: &str = "
    UPDATE ledger SET marked = $3 WHERE epoch = $1 AND marked IS NOT DISTINCT FROM $2";

/// The ledger in PostgreSQL, over one connection: neither a worker nor a
/// totals reader ever has two questions at a time.
#[derive(Clone, Debug)]
pub struct PostgresLedger {
    options: Arc<PgConnectOptions>,
    connection: Arc<Mutex<Option<PgConnection>>>,
}

impl PostgresLedger {
    /// Reads the settings; connects, and creates the schema, with the first use.
    pub fn open(settings: &PostgresSettings) -> anyhow::Result<Self> {
        let options = settings.connect_options()?.application_name("urna").disable_statement_logging();
        Ok(Self { options: Arc::new(options), connection: Arc::default() })
    }

    /// The same ledger, over a connection of its own: who asks there waits for
    /// nobody, and makes nobody wait.
    pub fn aside(&self) -> Self {
        Self { options: self.options.clone(), connection: Arc::default() }
    }

    /// What the ledger says of itself.
    pub async fn word(&self) -> Result<LedgerWord, Unavailable> {
        let rows: Vec<(Uuid, Option<i64>, i64)> = self.fetch(sqlx::query(WORD), ANSWER_WITHIN).await?;
        let word = rows.first().map(|&(epoch, marked, counted)| LedgerWord { epoch, marked, counted });
        word.ok_or_else(|| Unavailable("the ledger has no epoch".to_owned()))
    }

    /// Makes a move that the queue has noted; once, whoever else does.
    pub async fn make(&self, mark: &Mark) -> Result<(), Unavailable> {
        let query = sqlx::query(MOVE).bind(mark.ledger).bind(mark.from).bind(mark.to);
        self.fetch::<(i32,)>(query, ANSWER_WITHIN).await?;
        Ok(())
    }

    pub(super) async fn prepare(&self) -> Result<(), Unavailable> {
        self.fetch::<(i32,)>(sqlx::query("SELECT 1"), ANSWER_WITHIN).await?;
        Ok(())
    }

    pub(super) async fn record(&self, ballots: &[&Ballot]) -> Result<u64, RecordError> {
        let query = sqlx::query(RECORD)
            .bind(column(ballots, |ballot| ballot.poll.as_str()))
            .bind(column(ballots, |ballot| ballot.voter.0))
            .bind(column(ballots, |ballot| ballot.choice.to_string()))
            .bind(column(ballots, |ballot| ballot.ord))
            .bind(column(ballots, |ballot| ballot.id))
            .bind(column(ballots, |ballot| ballot.via.as_str()))
            .bind(CHANNEL);
        let rows: Vec<(i64,)> = self.fetch(query, ANSWER_WITHIN).await?;
        Ok(rows.first().map_or(0, |(news,)| news.unsigned_abs()))
    }

    pub(super) async fn totals(&self, poll: &PollId) -> Result<Totals, Unavailable> {
        let query = sqlx::query(TOTALS).bind(poll.as_str());
        Totals::from_rows(self.fetch(query, ANSWER_WITHIN).await?)
    }

    pub(super) async fn other_poll(&self, poll: &PollId) -> Result<Option<OtherPollRow>, Unavailable> {
        let query = sqlx::query(OTHER_POLL).bind(poll.as_str());
        Ok(self.fetch(query, ANSWER_WITHIN).await?.pop())
    }

    pub(super) async fn recount(&self) -> Result<Recount, Unavailable> {
        Ok(Recount::from_rows(self.fetch(sqlx::query(RECOUNT), RECOUNT_WITHIN).await?))
    }

    pub(super) fn changes(&self) -> watch::Receiver<()> {
        let (woken, changes) = watch::channel(());
        tokio::spawn(listen(PgConnectOptions::clone(&self.options), woken));
        changes
    }

    /// Asks, on the connection there is or a new one. It is kept only if it
    /// answered: one that failed, or was dropped by the timeout in the middle
    /// of an answer, must not be asked again.
    async fn fetch<T: for<'r> FromRow<'r, PgRow>>(
        &self,
        query: Query<'_, Postgres, PgArguments>,
        within: Duration,
    ) -> Result<Vec<T>, RecordError> {
        let mut slot = self.connection.lock().await;
        let asked = async {
            let mut connection = match slot.take() {
                Some(connection) => connection,
                // No error of connecting is about the ballots, whatever its code.
                None => self.connect().await.map_err(|error| self.away(error))?,
            };
            let answer = query.fetch_all(&mut connection).await;
            if answer.as_ref().map_or_else(is_rejection, |_| true) {
                *slot = Some(connection);
            }
            answer.and_then(|rows| rows.iter().map(T::from_row).collect()).map_err(
                |error| match is_rejection(&error) {
                    true => RecordError::Rejected(error.to_string()),
                    false => self.away(error).into(),
                },
            )
        };
        let late = |_| self.away(format!("no answer within {} s", within.as_secs()));
        timeout(within, asked).await.map_err(late)?
    }

    /// What an error means to whoever waits, with the address that may be wrong.
    fn away(&self, error: impl Display) -> Unavailable {
        let (host, port) = (self.options.get_host(), self.options.get_port());
        Unavailable(format!("PostgreSQL at {host}:{port} (DATABASE_URL): {error}"))
    }

    /// Every new connection looks after the schema, so that a PostgreSQL that
    /// came back empty gets it again. Any number of replicas may do so at once.
    async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        let mut connection = PgConnection::connect_with(&self.options).await?;
        connection.execute("SET synchronous_commit = on").await?;
        SCHEMA.run(&mut connection).await?;
        Ok(connection)
    }
}

fn column<'a, T>(ballots: &[&'a Ballot], field: impl Fn(&'a Ballot) -> T) -> Vec<T> {
    ballots.iter().copied().map(field).collect()
}

/// SQLSTATE classes 22 (data exception) and 23 (integrity constraint) are
/// about the ballots; every other error is about the store and may pass.
fn is_rejection(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
}

/// Wakes the receiver with every notification, until it is dropped.
async fn listen(options: PgConnectOptions, woken: watch::Sender<()>) {
    loop {
        tokio::select! {
            () = woken.closed() => return,
            heard = hear(options.clone(), &woken) => if let Err(error) = heard {
                tracing::debug!("cannot listen for changes of the totals: {error}");
            },
        }
        sleep(LISTEN_AGAIN_AFTER).await;
    }
}

/// Listens until the connection ends or seems deaf. A listener needs a pool,
/// and each gets its own: a deaf one may hold its connection for minutes.
async fn hear(options: PgConnectOptions, woken: &watch::Sender<()>) -> Result<(), sqlx::Error> {
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(ANSWER_WITHIN);
    let mut listener = PgListener::connect_with(&pool.connect_lazy_with(options)).await?;
    listener.listen(CHANNEL).await?;
    loop {
        // Also the first time: what happened while nobody listened is news.
        woken.send_replace(());
        match timeout(DEAF_AFTER, listener.try_recv()).await {
            Ok(Ok(Some(_))) => {}
            Ok(Err(error)) => return Err(error),
            Ok(Ok(None)) | Err(_) => return Ok(()),
        }
    }
}
