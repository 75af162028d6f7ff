//! How fast a worker counts, and what it costs that many ballots are there already.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use election::{Ballot, Choice, PollId, VoterId, random_uuid};
use futures_util::stream::{self, StreamExt};
use harness::{Deployment, Postgres, Redis};
use ledger::Ledger;
use ledger::PostgresLedger;
use queue::Queue;
use queue::RedisQueue;
use sqlx::{AssertSqlSafe, Executor, PgPool};
use store::postgres::PostgresSettings;
use store::redis::RedisSettings;
use tokio::time::sleep;
use uuid::Uuid;

use crate::plot::{self, Curve};
use crate::table::{Aim, Figure, Table};

const POLL: &str = "nesquik-cola-cao";

/// So many ballots wait for the workers each time, each of another voter: most are new, and the others change their minds.
const WAITING: i64 = 100_000;
const NEW: i64 = WAITING / 10 * 7;

/// As large as a worker's.
const BATCH: i64 = 1_000;

const AT_ONCE: usize = 200;

const READS: usize = 200;

const MOST: i64 = 5_000_000;

const WORKERS: [usize; 3] = [1, 2, 4];

const SIZES: [(&str, i64); 4] = [("1 k", 1_000), ("100 k", 100_000), ("1 M", 1_000_000), ("5 M", MOST)];

/// The voters whose ballots were counted before, by their number. Like ours, their ids begin with the time at which they
/// came: ten in each millisecond, some years ago.
const VOTER: &str = "
    CREATE FUNCTION voter(number bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
    $$ SELECT (lpad(to_hex(1500000000000 + number / 10), 12, '0') || '7' || substr(md5(number::text), 14))::uuid $$";

/// Voters who came after them.
const LATER: &str = "voter > '016fffff-0000-7000-8000-000000000000'";

pub async fn measure(table: &mut Table) {
    // What PostgreSQL takes by itself is 128 MB; the tests make do with less.
    let settings = ["shared_buffers=512MB", "max_wal_size=4GB", "checkpoint_timeout=1h", "autovacuum=off"];
    let urna = Deployment::over(Redis::start().await, Postgres::start_with(&settings).await);
    let ledger = Ledger::Postgres(PostgresLedger::open(&PostgresSettings::at(&urna.postgres.url())).unwrap());
    ledger.check().await.unwrap();
    let pool = urna.postgres.pool().await;
    pool.execute(VOTER).await.unwrap();

    let mut curves =
        WORKERS.map(|workers| Curve { name: format!("{workers} worker(s)"), points: Vec::new() });
    for (name, size) in SIZES {
        grow(&pool, size).await;
        let plain = Figure::per_second(plain_upserts(&pool, size).await);
        for (workers, curve) in WORKERS.into_iter().zip(&mut curves) {
            let rate = Figure::per_second(drain(&urna, workers, &pool, size).await);
            let what = format!("votes counted by {workers} worker(s), {name} ballots there");
            if workers == 1 {
                table.add(&what, rate, ("the same rows upserted by plain SQL", plain), Aim::AtLeast(0.7));
            }
            curve.points.push((size as f64, rate.value));
            let first = Figure::per_second(curve.points[0].1);
            let aim = if size == MOST { Aim::AtLeast(0.9) } else { Aim::None };
            table.add(&what, rate, ("the same with 1 k ballots there", first), aim);
        }
        read_totals(table, name, &ledger, &pool).await;
    }
    let caption = "Votes counted per second, by how many ballots are there";
    plot::draw("growth.svg", caption, "ballots", &curves);
    let (well, said) = urna.verify().await;
    assert!(well, "{said}");
}

/// Adds ballots until there are so many, and lets PostgreSQL tidy up.
async fn grow(pool: &PgPool, size: i64) {
    let grown = "
        WITH added AS (
            INSERT INTO ballots (poll, voter, choice, ord, id, via)
            SELECT $1, voter(n), CASE n % 2 WHEN 0 THEN 'a' ELSE 'b' END, 1, gen_random_uuid(), 'bench'
            FROM generate_series((SELECT count(*) FROM ballots), $2 - 1) AS n
            RETURNING choice
        )
        INSERT INTO totals AS held (poll, choice, votes, changes)
        SELECT $1, choice, count(*), count(*) FROM added GROUP BY choice
        ON CONFLICT (poll, choice) DO UPDATE SET votes = held.votes + excluded.votes, changes = held.changes + excluded.changes";
    sqlx::query(grown).bind(POLL).bind(size).execute(pool).await.unwrap();
    pool.execute("VACUUM ANALYZE").await.unwrap();
    pool.execute("CHECKPOINT").await.unwrap();
}

/// Those who came later are gone again, so that each measurement begins alike.
async fn shrink(pool: &PgPool) {
    let back = format!(
        "WITH gone AS (DELETE FROM ballots WHERE {LATER} RETURNING choice),
             counts AS (SELECT choice, count(*) AS votes FROM gone GROUP BY choice)
         UPDATE totals SET votes = totals.votes - counts.votes FROM counts
         WHERE totals.choice = counts.choice"
    );
    pool.execute(AssertSqlSafe(back)).await.unwrap();
    tidy_up(pool).await;
}

/// Whoever writes to a page first after a checkpoint writes all of it to the log: each pays that alike.
async fn tidy_up(pool: &PgPool) {
    pool.execute("VACUUM ballots").await.unwrap();
    pool.execute("CHECKPOINT").await.unwrap();
}

/// Who votes next: new voters, and among them voters who were counted before, each once.
async fn voters(pool: &PgPool, size: i64) -> Vec<Uuid> {
    // With twice as many draws as needed, enough are different, or all are drawn.
    let known = "
        SELECT voter(n) FROM (
            SELECT DISTINCT floor(random() * $1)::bigint AS n FROM generate_series(1, 2 * $2)
        ) AS drawn ORDER BY random() LIMIT $2";
    let known = sqlx::query_scalar(known).bind(size).bind(WAITING - NEW).fetch_all(pool).await.unwrap();
    let mut known: VecDeque<Uuid> = known.into();
    let new = (0..WAITING - known.len() as i64).map(|_| VoterId::draw().0);
    // Seven new ones, three known ones, and so on.
    let mut voters = Vec::with_capacity(WAITING as usize);
    for (number, voter) in new.enumerate() {
        voters.push(voter);
        if number % 7 == 6 {
            voters.extend((0..3).filter_map(|_| known.pop_front()));
        }
    }
    voters.extend(known);
    voters
}

/// Later than all before, so that every ballot counts.
fn next_ord() -> i64 {
    static ORD: AtomicI64 = AtomicI64::new(2);
    ORD.fetch_add(1, Ordering::Relaxed)
}

/// Rows a second, in batches as large as a worker's, one statement and one commit each.
async fn plain_upserts(pool: &PgPool, size: i64) -> f64 {
    let table = "
        CREATE TABLE waiting
        (n bigint PRIMARY KEY, poll text, voter uuid, choice text, ord bigint, id uuid, via text)";
    pool.execute(table).await.unwrap();
    let rows = "
        INSERT INTO waiting SELECT n - 1, $1, voter, 'a', $3, gen_random_uuid(), 'plain'
        FROM unnest($2::uuid[]) WITH ORDINALITY AS voters (voter, n)";
    let rows = sqlx::query(rows).bind(POLL).bind(voters(pool, size).await).bind(next_ord());
    rows.execute(pool).await.unwrap();
    pool.execute("VACUUM ANALYZE waiting").await.unwrap();
    let mut connection = pool.acquire().await.unwrap();
    let upsert = "
        INSERT INTO ballots AS held (poll, voter, choice, ord, id, via)
        SELECT poll, voter, choice, ord, id, via FROM waiting WHERE n >= $1 AND n < $1 + $2
        ON CONFLICT (poll, voter) DO UPDATE SET ord = excluded.ord, id = excluded.id, via = excluded.via
        WHERE (excluded.ord, excluded.id) > (held.ord, held.id)";
    let began = Instant::now();
    for start in (0..WAITING).step_by(BATCH as usize) {
        sqlx::query(upsert).bind(start).bind(BATCH).execute(&mut *connection).await.unwrap();
    }
    let rate = WAITING as f64 / began.elapsed().as_secs_f64();
    // They were never in the totals.
    let gone = format!("DROP TABLE waiting; DELETE FROM ballots WHERE {LATER}");
    pool.execute(AssertSqlSafe(gone)).await.unwrap();
    tidy_up(pool).await;
    rate
}

/// Votes a second that so many workers count, from the start of the first to an empty queue.
async fn drain(urna: &Deployment, workers: usize, pool: &PgPool, size: i64) -> f64 {
    let queue = Queue::Redis(RedisQueue::new(RedisSettings::at(&urna.redis.url()).connection().unwrap()));
    let voters = voters(pool, size).await;
    let new = WAITING - size.min(WAITING - NEW);
    fill(&queue, voters).await;
    let began = Instant::now();
    let _workers: Vec<_> = (0..workers).map(|_| urna.spawn("worker", &[])).collect();
    while queue.depth().await.unwrap().uncounted() > 0 {
        sleep(Duration::from_millis(5)).await;
    }
    let rate = WAITING as f64 / began.elapsed().as_secs_f64();
    let (counted,): (i64,) =
        sqlx::query_as("SELECT sum(votes)::bigint FROM totals").fetch_one(pool).await.unwrap();
    assert_eq!(counted, size + new, "every voter is counted once");
    shrink(pool).await;
    rate
}

async fn fill(queue: &Queue, voters: Vec<Uuid>) {
    queue.probe().await.unwrap();
    let (poll, ord): (PollId, _) = (POLL.parse().unwrap(), next_ord());
    let ballots = voters.into_iter().enumerate().map(|(n, voter)| Ballot {
        poll: poll.clone(),
        voter: VoterId(voter),
        choice: Choice::at(n % 2).unwrap(),
        ord,
        id: random_uuid(),
        via: "filled".to_owned(),
    });
    let appends = stream::iter(ballots).map(|ballot| async move { queue.append(ballot, u64::MAX).await });
    let mut appends = appends.buffer_unordered(AT_ONCE);
    while let Some(appended) = appends.next().await {
        appended.unwrap();
    }
}

async fn read_totals(table: &mut Table, name: &str, ledger: &Ledger, pool: &PgPool) {
    let poll: PollId = POLL.parse().unwrap();
    let began = Instant::now();
    for _ in 0..READS {
        ledger.totals(&poll).await.unwrap();
    }
    let ours = began.elapsed().as_secs_f64() * 1000.0 / READS as f64;
    let began = Instant::now();
    let classic = "SELECT choice, COUNT(voter) AS count FROM ballots GROUP BY choice";
    let _: Vec<(String, i64)> = sqlx::query_as(classic).fetch_all(pool).await.unwrap();
    let counted = began.elapsed().as_secs_f64() * 1000.0;
    let what = format!("reading the totals, {name} ballots there");
    table.add(&what, Figure::ms(ours), ("the classic app's COUNT", Figure::ms(counted)), Aim::None);
}
