//! The ledger in PostgreSQL.

use std::sync::LazyLock;
use std::time::Duration;

use election::{Ballot, Labels, PollId};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use store::postgres::{ANSWER_WITHIN, Connection, PostgresSettings, configure};
use store::{Unavailable, WriteError};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::{LABELS, LabelRow, OTHER_POLL, OtherPollRow, RECOUNT, Recount, TOTALS, Totals};

/// The schema. During a rolling update, a replica may be older than the schema and
/// must still work, so it ignores migrations that it does not know.
///
/// Never edit a migration, not even a comment in it: sqlx compares its checksum
/// with that of the schema in use.
static SCHEMA: LazyLock<Migrator> = LazyLock::new(|| {
    let mut schema = sqlx::migrate!("migrations/postgres");
    schema.set_ignore_missing(true);
    schema
});

/// Labels are short, and the votes of a worker wait meanwhile. They must not wait for long.
const LABELS_WITHIN: Duration = Duration::from_secs(2);

/// A recount reads every ballot. A million take seconds, so ten minutes are enough.
const RECOUNT_WITHIN: Duration = Duration::from_secs(600);

/// The channel on which every change of the totals is announced.
const CHANNEL: &str = "urna_totals";

/// A cut network may end a listener's connection silently. So a listener that got
/// no notification for this long is replaced.
const DEAF_AFTER: Duration = Duration::from_secs(60);

/// The pause before the next try to listen. Meanwhile, `result` still reads the
/// totals from time to time.
const LISTEN_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Records ballots. The whole transaction is one statement, and so one round trip.
///
/// `recorded` keeps the newer ballots and the choice that each of them replaced.
/// That choice comes from the locked row, so `moved` is exact whatever other
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

/// Keeps labels. Where one is kept already, nothing is written.
const KEEP_LABELS: &str = "
    INSERT INTO labels (poll, choice, label)
    SELECT $1, * FROM unnest($2::text[], $3::text[])
    ON CONFLICT DO NOTHING";

/// Finds the settings with which a crash may lose what was committed.
const RISKS: &str = "
    SELECT setting FROM unnest(ARRAY['fsync', 'full_page_writes']) AS setting
    WHERE current_setting(setting) = 'off'";

/// The ledger in PostgreSQL.
#[derive(Clone, Debug)]
pub struct PostgresLedger(Connection);

impl PostgresLedger {
    /// Reads the settings. The first use connects and creates the schema.
    pub fn open(settings: &PostgresSettings) -> anyhow::Result<Self> {
        settings.connection(&SCHEMA).map(Self)
    }

    /// The same ledger, which also creates the role of the services that only read.
    pub fn admitting_readers(self, password: &str) -> Self {
        Self(self.0.admitting_readers(password))
    }

    /// Another connection to the same database.
    pub fn side_connection(&self) -> Connection {
        self.0.side_connection()
    }

    pub(super) fn on_side_connection(&self) -> Self {
        Self(self.side_connection())
    }

    pub(super) async fn check(&self) -> Result<Vec<String>, Unavailable> {
        let bad: Vec<(String,)> = self.0.fetch(sqlx::query(RISKS), ANSWER_WITHIN).await?;
        let sentence = |(setting,)| {
            format!("PostgreSQL has {setting} off, so a crash loses votes that were counted: set it to on")
        };
        Ok(bad.into_iter().map(sentence).collect())
    }

    pub(super) async fn record(&self, ballots: &[&Ballot]) -> Result<u64, WriteError> {
        let query = sqlx::query(RECORD)
            .bind(column(ballots, |ballot| ballot.poll.as_str()))
            .bind(column(ballots, |ballot| ballot.voter.0))
            .bind(column(ballots, |ballot| ballot.choice.to_string()))
            .bind(column(ballots, |ballot| ballot.ord))
            .bind(column(ballots, |ballot| ballot.id))
            .bind(column(ballots, |ballot| in_any_encoding(&ballot.via)))
            .bind(CHANNEL);
        let rows: Vec<(i64,)> = self.0.fetch(query, ANSWER_WITHIN).await?;
        Ok(rows.first().map_or(0, |(news,)| news.unsigned_abs()))
    }

    pub(super) async fn totals(&self, poll: &PollId) -> Result<Totals, Unavailable> {
        let query = sqlx::query(TOTALS).bind(poll.as_str());
        Totals::from_rows(self.0.fetch(query, ANSWER_WITHIN).await?)
    }

    pub(super) async fn other_poll(&self, poll: &PollId) -> Result<Option<OtherPollRow>, Unavailable> {
        let query = sqlx::query(OTHER_POLL).bind(poll.as_str());
        Ok(self.0.fetch(query, ANSWER_WITHIN).await?.pop())
    }

    pub(super) async fn keep_labels(&self, poll: &PollId, labels: &Labels) -> Result<(), WriteError> {
        let (choices, labels): (Vec<String>, Vec<&str>) =
            labels.iter().map(|(choice, label)| (choice.to_string(), label.as_str())).unzip();
        let query = sqlx::query(KEEP_LABELS).bind(poll.as_str()).bind(choices).bind(labels);
        self.0.fetch::<(i32,)>(query, LABELS_WITHIN).await.map(drop)
    }

    pub(super) async fn labels(&self, poll: &PollId) -> Result<Vec<LabelRow>, Unavailable> {
        let query = sqlx::query(LABELS).bind(poll.as_str());
        Ok(self.0.fetch(query, LABELS_WITHIN).await?)
    }

    pub(super) async fn recount(&self) -> Result<Recount, Unavailable> {
        Ok(Recount::from_rows(self.0.fetch(sqlx::query(RECOUNT), RECOUNT_WITHIN).await?))
    }

    pub(super) fn notifications(&self) -> watch::Receiver<()> {
        let (woken, notifications) = watch::channel(());
        tokio::spawn(listen(self.0.options().clone(), woken));
        notifications
    }
}

fn column<'a, T>(ballots: &[&'a Ballot], field: impl Fn(&'a Ballot) -> T) -> Vec<T> {
    ballots.iter().copied().map(field).collect()
}

/// The name with `?` for every letter that is not ASCII. Not every database can store
/// such letters, and no vote may be rejected for the name of a replica.
fn in_any_encoding(name: &str) -> String {
    name.replace(|letter: char| !letter.is_ascii(), "?")
}

/// Wakes the receiver at every notification, until the receiver is dropped.
async fn listen(options: PgConnectOptions, woken: watch::Sender<()>) {
    loop {
        tokio::select! {
            () = woken.closed() => return,
            ended = listen_once(options.clone(), &woken) => if let Err(error) = ended {
                tracing::debug!("cannot listen for changes of the totals: {error}");
            },
        }
        sleep(LISTEN_AGAIN_AFTER).await;
    }
}

/// Listens until the connection ends, or brings no notification for too long.
/// sqlx makes a listener from a pool. Each listener gets its own pool, because one
/// whose network was cut may hold its connection for minutes.
async fn listen_once(options: PgConnectOptions, woken: &watch::Sender<()>) -> Result<(), sqlx::Error> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ANSWER_WITHIN)
        .after_connect(|connection, _| Box::pin(configure(connection)));
    let mut listener = PgListener::connect_with(&pool.connect_lazy_with(options)).await?;
    listener.listen(CHANNEL).await?;
    loop {
        // Wake the receiver even before the first notification: the totals may have changed while
        // nobody listened.
        woken.send_replace(());
        match timeout(DEAF_AFTER, listener.try_recv()).await {
            Ok(Ok(Some(_))) => {}
            Ok(Err(error)) => return Err(error),
            Ok(Ok(None)) | Err(_) => return Ok(()),
        }
    }
}
