//! Stores that are slow, locked, set to lose what they acknowledge, or of another encoding.

use std::collections::BTreeSet;

use harness::{Conditions, Deployment, Flow, Postgres, Proxy, Redis, Voter, eventually};
use queue::{Queue, RedisQueue};
use sqlx::migrate::Migrate;
use store::redis::RedisSettings;

use crate::contracts::backends::ballot;

#[tokio::test]
async fn while_somebody_locks_the_totals_no_backend_is_left_behind() {
    let deployment = Deployment::start().await;
    let vote = deployment.ready("vote").await;
    let workers = [deployment.ready("worker").await, deployment.ready("worker").await];
    let pool = deployment.postgres.pool().await;
    let mut lock = pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE totals IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let mut voters = Voter::arrive_many(&vote.url, 1).await;
    voters[0].insist(&[&vote.url], "a").await;
    for tries in [1.0, 2.0] {
        eventually("a worker to give up", async || {
            let mut given_up = 0.0;
            for worker in &workers {
                given_up += worker.metric("urna_worker_retries_total{part=\"ledger\"}").await?;
            }
            (given_up >= tries).then_some(())
        })
        .await;
        if tries == 1.0 {
            assert_eq!(deliveries(&deployment).await, 1, "the worker that waits renews what it holds");
        }
    }
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%recorded%'";
    let waiting: i64 = sqlx::query_scalar(waiting).fetch_one(&pool).await.unwrap();
    assert!(waiting <= 2, "{waiting} backends wait for two workers");
    lock.rollback().await.unwrap();
    deployment.counts_exactly(&voters).await;
}

/// Each ballot takes 20 ms here, so all of them together take longer than PostgreSQL is given.
#[tokio::test]
async fn a_ledger_that_is_too_slow_for_a_batch_gets_smaller_ones() {
    const BALLOTS: u128 = 600;
    let deployment = Deployment::start().await;
    drop(deployment.ready("worker").await);
    let pool = deployment.postgres.pool().await;
    let slow = "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql
                AS 'BEGIN PERFORM pg_sleep(0.02); RETURN new; END';
                CREATE TRIGGER slow BEFORE INSERT ON ballots FOR EACH ROW EXECUTE FUNCTION wait()";
    sqlx::raw_sql(slow).execute(&pool).await.unwrap();
    let redis = RedisSettings::at(&deployment.redis.url()).connection().unwrap();
    let queue = Queue::Redis(RedisQueue::new(redis));
    queue.probe().await.unwrap();
    for voter in 0..BALLOTS {
        queue.append(ballot(voter, 0, 1), u64::MAX).await.unwrap();
    }
    let _worker = deployment.ready("worker").await;
    eventually("every ballot to be counted", async || {
        let counted: i64 = sqlx::query_scalar("SELECT count(*) FROM ballots").fetch_one(&pool).await.ok()?;
        (counted == BALLOTS as i64).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_a_worker_holds_that_cannot_reach_the_ledger_another_counts() {
    let deployment = Deployment::start().await;
    let vote = deployment.ready("vote").await;
    let network = Proxy::to(deployment.postgres.address()).await;
    let url = format!("postgres://postgres@{}/postgres", network.address);
    let cut_off = deployment.spawn("worker", &[("DATABASE_URL", &url)]);
    cut_off.wait_until_ready().await;
    network.set(Conditions { requests: Flow::Stalled, answers: Flow::Stalled, ..Conditions::default() });
    let mut voters = Voter::arrive_many(&vote.url, 3).await;
    for voter in &mut voters {
        voter.insist(&[&vote.url], "a").await;
    }
    eventually("the worker to hold some", async || (deliveries(&deployment).await > 0).then_some(())).await;
    let _other = deployment.ready("worker").await;
    deployment.counts_exactly(&voters).await;
}

#[tokio::test]
async fn a_migration_that_never_ends_keeps_nobody_from_a_complete_schema() {
    let deployment = Deployment::start().await;
    deployment.ready("worker").await;
    let mut migrating = deployment.postgres.pool().await.acquire().await.unwrap();
    migrating.lock().await.unwrap();
    deployment.ready("worker").await;
    deployment.ready("result").await;
}

#[tokio::test]
async fn while_postgresql_might_lose_them_votes_stay_in_the_queue() {
    let postgres = Postgres::start_with(&["fsync=off"]).await;
    let deployment = Deployment::over(Redis::start().await, postgres);
    let vote = deployment.ready("vote").await;
    let mut worker = deployment.spawn("worker", &[]);
    worker.service.line("not durable: PostgreSQL has fsync off").await;
    let mut voters = Voter::arrive_many(&vote.url, 3).await;
    for voter in &mut voters {
        voter.insist(&[&vote.url], "a").await;
    }
    assert!(worker.readyz().await.unwrap().1.contains("fsync off"));
    let length: u64 = redis::cmd("XLEN")
        .arg("urna:votes")
        .query_async(&mut deployment.redis.connection().await)
        .await
        .unwrap();
    assert_eq!(length, 3);
    drop(worker);

    let worker = deployment.spawn("worker", &[("REQUIRE_DURABLE_LEDGER", "false")]);
    worker.wait_until_ready().await;
    assert!(worker.readyz().await.unwrap().1.contains("ledger: warning: PostgreSQL has fsync off"));
    deployment.counts_exactly(&voters).await;
}

#[tokio::test]
async fn a_worker_lets_a_role_read_that_may_do_nothing_else() {
    let deployment = Deployment::start().await;
    let mut stored = BTreeSet::new();
    for password in ["a first password", "it's another"] {
        let worker = deployment.spawn("worker", &[("READER_PASSWORD", password)]);
        worker.wait_until_ready().await;
        let url = format!("postgres://urna_reader@{}/postgres", deployment.postgres.address());
        let result = deployment.spawn("result", &[("DATABASE_URL", &url), ("DATABASE_PASSWORD", password)]);
        result.wait_until_ready().await;
        let hash = "SELECT rolpassword FROM pg_authid WHERE rolname = 'urna_reader'";
        let hash: String =
            sqlx::query_scalar(hash).fetch_one(&deployment.postgres.pool().await).await.unwrap();
        assert!(stored.insert(hash), "the role has its former password");
        let reader = sqlx::PgPool::connect(&url).await.unwrap();
        for forbidden in [
            "UPDATE totals SET votes = 9",
            "INSERT INTO totals VALUES ('p', 'a', 1, 1)",
            "DELETE FROM ballots",
            "CREATE TABLE mine (id int)",
            "DROP TABLE ballots",
        ] {
            let refused = sqlx::query(forbidden).execute(&reader).await.unwrap_err();
            let code = refused.as_database_error().and_then(|error| error.code().map(String::from));
            assert_eq!(code.as_deref(), Some("42501"), "{forbidden}");
        }
    }
}

/// A replica may have any name, and a database may have an encoding that cannot store it.
#[tokio::test]
async fn a_replica_name_that_the_database_cannot_write_costs_no_vote() {
    let deployment = Deployment::start().await;
    let latin = "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'";
    sqlx::raw_sql(latin).execute(&deployment.postgres.pool().await).await.unwrap();
    let url = format!("postgres://postgres@{}/latin", deployment.postgres.address());
    let vote = deployment.spawn("vote", &[("REPLICA", "Урна 🗳")]);
    vote.wait_until_ready().await;
    let worker = deployment.spawn("worker", &[("DATABASE_URL", &url)]);
    worker.wait_until_ready().await;
    let mut voter = Voter::arrive(&vote.url).await;
    voter.insist(&[&vote.url], "a").await;
    let pool = sqlx::PgPool::connect(&url).await.unwrap();
    eventually("the vote to be counted", async || {
        let counted: i64 = sqlx::query_scalar("SELECT count(*) FROM ballots").fetch_one(&pool).await.ok()?;
        (counted == 1).then_some(())
    })
    .await;
}

/// How often the entries of the queue were delivered.
async fn deliveries(deployment: &Deployment) -> u64 {
    let mut command = redis::cmd("XPENDING");
    command.arg("urna:votes").arg("workers").arg("-").arg("+").arg(10);
    let held: Vec<(String, String, u64, u64)> =
        command.query_async(&mut deployment.redis.connection().await).await.unwrap();
    held.iter().map(|(.., times)| times).sum()
}
