//! How fast a worker counts, and what it costs that many ballots are there already.

use std::time::{Duration, Instant};

use election::{Ballot, Choice, PollId, VoterId, random_uuid};
use futures_util::stream::{self, StreamExt};
use harness::{Deployment, Postgres, Redis};
use ledger::Ledger;
use ledger::PostgresLedger;
use queue::Queue;
use queue::RedisQueue;
use sqlx::{Executor, PgPool};
use store::postgres::PostgresSettings;
use store::redis::RedisSettings;
use tokio::time::sleep;

use crate::plot::{self, Curve};
use crate::table::{Aim, Figure, Table};

const POLL: &str = "nesquik-cola-cao";

/// As many distinct voters as wait for the workers each time.
const WAITING: i64 = 100_000;

/// As large as a worker's.
const BATCH: i64 = 1_000;

const AT_ONCE: usize = 200;

const READS: usize = 200;

const MOST: i64 = 5_000_000;

const WORKERS: [usize; 3] = [1, 2, 4];

const SIZES: [(&str, i64); 4] = [("1 k", 1_000), ("100 k", 100_000), ("1 M", 1_000_000), ("5 M", MOST)];

pub async fn measure(table: &mut Table) {
    // What PostgreSQL takes by itself is 128 MB; the tests make do with less.
    let settings = ["shared_buffers=512MB", "max_wal_size=4GB", "checkpoint_timeout=1h", "autovacuum=off"];
    let urna = Deployment::over(Redis::start().await, Postgres::start_with(&settings).await);
    let ledger = Ledger::Postgres(PostgresLedger::open(&PostgresSettings::at(&urna.postgres.url())).unwrap());
    ledger.check().await.unwrap();
    let pool = urna.postgres.pool().await;

    let mut curves =
        WORKERS.map(|workers| Curve { name: format!("{workers} worker(s)"), points: Vec::new() });
    for (name, size) in SIZES {
        grow(&pool, size).await;
        let plain = Figure::per_second(plain_upserts(&pool).await);
        for (workers, curve) in WORKERS.into_iter().zip(&mut curves) {
            let rate = Figure::per_second(drain(&urna, workers, &pool, size).await);
            let what = format!("votes counted by {workers} worker(s), {name} ballots there");
            if workers == 1 {
                table.add(&what, rate, ("the same rows upserted by plain SQL", plain), Aim::AtLeast(0.6));
            }
            curve.points.push((size as f64, rate.value));
            let first = Figure::per_second(curve.points[0].1);
            let aim = if size == MOST { Aim::AtLeast(0.8) } else { Aim::None };
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
            SELECT $1, gen_random_uuid(), CASE n % 2 WHEN 0 THEN 'a' ELSE 'b' END, 1, gen_random_uuid(), 'bench'
            FROM generate_series(1, $2 - (SELECT count(*) FROM ballots)) AS n
            RETURNING choice
        )
        INSERT INTO totals AS held (poll, choice, votes, changes)
        SELECT $1, choice, count(*), count(*) FROM added GROUP BY choice
        ON CONFLICT (poll, choice) DO UPDATE SET votes = held.votes + excluded.votes, changes = held.changes + excluded.changes";
    sqlx::query(grown).bind(POLL).bind(size).execute(pool).await.unwrap();
    pool.execute("VACUUM ANALYZE").await.unwrap();
    pool.execute("CHECKPOINT").await.unwrap();
}

/// So many ballots are gone again, so that each measurement begins alike.
async fn shrink(pool: &PgPool) {
    let back = "
        WITH gone AS (DELETE FROM ballots WHERE via <> 'bench' RETURNING choice),
             counts AS (SELECT choice, count(*) AS votes FROM gone GROUP BY choice)
        UPDATE totals SET votes = totals.votes - counts.votes FROM counts
        WHERE totals.choice = counts.choice";
    pool.execute(back).await.unwrap();
    pool.execute("VACUUM ballots").await.unwrap();
    pool.execute("CHECKPOINT").await.unwrap();
}

/// Rows a second, in batches as large as a worker's, one statement and one commit each.
async fn plain_upserts(pool: &PgPool) -> f64 {
    let table = "
        CREATE TABLE waiting
        (n bigint PRIMARY KEY, poll text, voter uuid, choice text, ord bigint, id uuid, via text)";
    pool.execute(table).await.unwrap();
    let rows = "
        INSERT INTO waiting SELECT n, $1, gen_random_uuid(), 'a', 2, gen_random_uuid(), 'plain'
        FROM generate_series(0, $2 - 1) AS n";
    sqlx::query(rows).bind(POLL).bind(WAITING).execute(pool).await.unwrap();
    pool.execute("VACUUM ANALYZE waiting").await.unwrap();
    let mut connection = pool.acquire().await.unwrap();
    let upsert = "
        INSERT INTO ballots AS held (poll, voter, choice, ord, id, via)
        SELECT poll, voter, choice, ord, id, via FROM waiting WHERE n >= $1 AND n < $1 + $2
        ON CONFLICT (poll, voter) DO UPDATE SET choice = excluded.choice, ord = excluded.ord, id = excluded.id
        WHERE (excluded.ord, excluded.id) > (held.ord, held.id)";
    let began = Instant::now();
    for start in (0..WAITING).step_by(BATCH as usize) {
        sqlx::query(upsert).bind(start).bind(BATCH).execute(&mut *connection).await.unwrap();
    }
    let rate = WAITING as f64 / began.elapsed().as_secs_f64();
    // They were never in the totals.
    pool.execute("DROP TABLE waiting; DELETE FROM ballots WHERE via = 'plain'").await.unwrap();
    pool.execute("VACUUM ballots").await.unwrap();
    // Whoever writes to a page first after a checkpoint writes all of it to the log: each pays that alike.
    pool.execute("CHECKPOINT").await.unwrap();
    rate
}

/// Votes a second that so many workers count, from the start of the first to an empty queue.
async fn drain(urna: &Deployment, workers: usize, pool: &PgPool, size: i64) -> f64 {
    let queue = Queue::Redis(RedisQueue::new(RedisSettings::at(&urna.redis.url()).connection().unwrap()));
    fill(&queue).await;
    let began = Instant::now();
    let _workers: Vec<_> = (0..workers).map(|_| urna.spawn("worker", &[])).collect();
    while queue.depth().await.unwrap().uncounted() > 0 {
        sleep(Duration::from_millis(5)).await;
    }
    let rate = WAITING as f64 / began.elapsed().as_secs_f64();
    let (counted,): (i64,) =
        sqlx::query_as("SELECT sum(votes)::bigint FROM totals").fetch_one(pool).await.unwrap();
    assert_eq!(counted, size + WAITING, "every vote is counted once");
    shrink(pool).await;
    rate
}

async fn fill(queue: &Queue) {
    queue.probe().await.unwrap();
    let poll: PollId = POLL.parse().unwrap();
    let ballots = (0..WAITING).map(|n| Ballot {
        poll: poll.clone(),
        voter: VoterId::random(),
        choice: Choice::at(n as usize % 2).unwrap(),
        ord: 2,
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
