//! The promise: every recorded vote is counted exactly once, and a voter's last recorded vote is the
//! one that counts, whatever is killed meanwhile. All programs and both stores are real.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use harness::{Deployment, Voter, eventually, totals_of};
use redis::AsyncCommands;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// Enough for several batches while something is being killed.
const VOTERS: usize = 40;

#[tokio::test]
async fn many_replicas_of_everything_count_every_voter_once() {
    let deployment = Deployment::start().await;
    let votes = [deployment.ready("vote").await, deployment.ready("vote").await];
    let _workers = [
        deployment.ready("worker").await,
        deployment.ready("worker").await,
        deployment.ready("worker").await,
    ];
    let results = [deployment.ready("result").await, deployment.ready("result").await];
    let urls = [votes[0].url.as_str(), &votes[1].url];

    let mut voters = Voter::arrive_many(urls[0], VOTERS).await;
    for (number, voter) in voters.iter_mut().enumerate() {
        voter.insist(&urls, "a").await;
        if number % 2 == 0 {
            voter.insist(&[urls[1]], "b").await;
        }
    }

    deployment.counts_exactly(&voters).await;
    for result in &results {
        let half = VOTERS / 2;
        let agrees = |totals: &serde_json::Value| {
            totals["options"][0]["votes"] == half && totals["options"][1]["votes"] == half
        };
        totals_of(&result.url, "the same totals on every replica", agrees).await;
    }
}

/// The classic app loses a vote that it takes from its queue while the database is down.
#[tokio::test]
async fn a_vote_taken_from_the_queue_while_the_database_is_down_does_not_vanish() {
    let mut deployment = Deployment::start().await;
    let (vote, mut worker) = (deployment.ready("vote").await, deployment.ready("worker").await);
    let mut voters = Voter::arrive_many(&vote.url, 2).await;
    deployment.postgres.kill().await;
    voters[0].insist(&[&vote.url], "a").await;
    worker.service.line("the ledger is away").await;
    voters[1].insist(&[&vote.url], "b").await;
    // The worker that holds the vote is killed too, so that only the queue still has the vote.
    worker.service.kill().await;
    deployment.postgres.resume().await;
    let _other = deployment.ready("worker").await;
    deployment.counts_exactly(&voters).await;
}

#[tokio::test]
async fn killing_the_worker_in_mid_batch_loses_nothing() {
    let deployment = Deployment::start().await;
    let vote = deployment.ready("vote").await;
    let worker = deployment.ready("worker").await;
    // The ledger hangs, so the worker is certainly in the middle of a batch.
    deployment.postgres.pause();
    let mut voters = Voter::arrive_many(&vote.url, VOTERS).await;
    everybody_votes(&mut voters, &[&vote.url]).await;
    is_held(&deployment).await;
    drop(worker);
    deployment.postgres.unpause();
    let _others = [deployment.ready("worker").await, deployment.ready("worker").await];
    deployment.counts_exactly(&voters).await;
}

#[tokio::test]
async fn killing_workers_again_and_again_loses_nothing() {
    let deployment = Deployment::start().await;
    let vote = deployment.ready("vote").await;
    let mut voters = Voter::arrive_many(&vote.url, VOTERS).await;
    let urls = [vote.url.as_str()];
    let done = Cell::new(false);
    let killing = async {
        for _ in 0..5 {
            drop(deployment.ready("worker").await);
        }
        done.set(true);
    };
    let voting = async {
        while !done.get() {
            everybody_votes(&mut voters, &urls).await;
        }
    };
    tokio::join!(killing, voting);
    let _last = deployment.ready("worker").await;
    deployment.counts_exactly(&voters).await;
}

#[tokio::test]
async fn killing_vote_loses_no_recorded_vote() {
    let deployment = Deployment::start().await;
    let (stays, dies) = (deployment.ready("vote").await, deployment.ready("vote").await);
    let _worker = deployment.ready("worker").await;
    let mut voters = Voter::arrive_many(&stays.url, VOTERS).await;
    let dies_url = dies.url.clone();
    let urls = [dies_url.as_str(), &stays.url];
    let killing = async {
        some_are_recorded(&deployment).await;
        drop(dies);
    };
    tokio::join!(killing, everybody_votes(&mut voters, &urls));
    deployment.counts_exactly(&voters).await;
}

#[tokio::test]
async fn a_vote_whose_voter_gave_up_and_voted_elsewhere_does_not_come_later() {
    let deployment = Deployment::start().await;
    let (hung, other) = (deployment.ready("vote").await, deployment.ready("vote").await);
    let mut voters = Voter::arrive_many(&other.url, 20).await;
    hung.service.pause();
    for voter in &mut voters {
        give_up(&hung.url, voter).await;
        voter.insist(&[&other.url], "b").await;
    }
    hung.service.unpause();
    // This vote is recorded after those, so they have all been handled.
    let mut last = Voter::arrive(&hung.url).await;
    last.insist(&[&hung.url], "a").await;
    voters.push(last);
    let _worker = deployment.ready("worker").await;
    deployment.counts_exactly(&voters).await;
}

#[tokio::test]
async fn killing_redis_loses_no_recorded_vote() {
    let mut deployment = Deployment::start().await;
    let (vote, _worker) = (deployment.ready("vote").await, deployment.ready("worker").await);
    let mut voters = Voter::arrive_many(&vote.url, VOTERS).await;
    let redis = &mut deployment.redis;
    let urls = [vote.url.as_str()];
    let killing = async {
        for _ in 0..3 {
            redis.kill().await;
            redis.resume().await;
            vote.wait_until_ready().await;
        }
    };
    tokio::join!(killing, everybody_votes(&mut voters, &urls));
    deployment.counts_exactly(&voters).await;
}

#[tokio::test]
async fn killing_postgres_loses_nothing() {
    let mut deployment = Deployment::start().await;
    let (vote, worker) = (deployment.ready("vote").await, deployment.ready("worker").await);
    let mut voters = Voter::arrive_many(&vote.url, VOTERS).await;
    let postgres = &mut deployment.postgres;
    let urls = [vote.url.as_str()];
    let killing = async {
        for _ in 0..3 {
            postgres.kill().await;
            postgres.resume().await;
            worker.wait_until_ready().await;
        }
    };
    tokio::join!(killing, everybody_votes(&mut voters, &urls));
    deployment.counts_exactly(&voters).await;
}

#[tokio::test]
async fn votes_that_come_after_redis_was_wiped_are_counted() {
    let deployment = Deployment::start().await;
    let (vote, _worker) = (deployment.ready("vote").await, deployment.ready("worker").await);
    let () = redis::cmd("FLUSHALL").query_async(&mut deployment.redis.connection().await).await.unwrap();
    let mut voters = Voter::arrive_many(&vote.url, 3).await;
    everybody_votes(&mut voters, &[&vote.url]).await;
    deployment.counts_exactly(&voters).await;
}

#[tokio::test]
async fn what_can_never_be_counted_is_a_dead_letter_and_holds_up_nobody() {
    let deployment = Deployment::start().await;
    let (vote, worker) = (deployment.ready("vote").await, deployment.ready("worker").await);
    sqlx::raw_sql("ALTER TABLE ballots ADD CHECK (via <> 'poison')")
        .execute(&deployment.postgres.pool().await)
        .await
        .unwrap();
    // While the ledger hangs, good and bad entries gather in one batch.
    deployment.postgres.pause();
    let mut voters = Voter::arrive_many(&vote.url, 10).await;
    everybody_votes(&mut voters, &[&vote.url]).await;
    let mut redis = deployment.redis.connection().await;
    let no_ballot = [("choice", "z")];
    let impossible = [
        ("poll", "p"),
        ("voter", "00000000000000000000000000000001"),
        ("choice", "a"),
        ("ord", "1"),
        ("id", "00000000000000000000000000000002"),
        ("via", "poison"),
    ];
    let _: String = redis.xadd("urna:votes", "*", &no_ballot).await.unwrap();
    let _: String = redis.xadd("urna:votes", "*", &impossible).await.unwrap();
    everybody_votes(&mut voters, &[&vote.url]).await;
    deployment.postgres.unpause();

    eventually("both bad entries to be dead letters", async || {
        let dead: u64 = redis.xlen("urna:dead").await.ok()?;
        (dead == 2).then_some(())
    })
    .await;
    let said = worker.service.output();
    assert!(said.contains("can never be counted: the field poll is missing"), "{said}");
    let (well, said) = deployment.verify().await;
    assert!(!well && said.contains("2 entries are dead letters"), "{said}");
    let () = redis.del("urna:dead").await.unwrap();
    deployment.counts_exactly(&voters).await;
}

#[tokio::test]
async fn two_voters_who_are_exchanged_are_not_counted_exactly() {
    let deployment = Deployment::start().await;
    let (vote, _worker) = (deployment.ready("vote").await, deployment.ready("worker").await);
    let mut voters = Voter::arrive_many(&vote.url, 2).await;
    voters[0].insist(&[&vote.url], "a").await;
    voters[1].insist(&[&vote.url], "b").await;
    deployment.counts_exactly(&voters).await;
    let exchange = "UPDATE ballots SET choice = CASE choice WHEN 'a' THEN 'b' ELSE 'a' END";
    sqlx::query(exchange).execute(&deployment.postgres.pool().await).await.unwrap();
    let checked = AssertUnwindSafe(deployment.counts_exactly(&voters)).catch_unwind().await;
    let said = checked.unwrap_err().downcast::<String>().unwrap();
    assert_eq!(said.matches("and what is counted is").count(), 2, "{said}");
}

#[tokio::test]
async fn verify_fails_when_the_totals_differ_from_the_ballots() {
    let deployment = Deployment::start().await;
    let (vote, _worker) = (deployment.ready("vote").await, deployment.ready("worker").await);
    let mut voters = Voter::arrive_many(&vote.url, 2).await;
    everybody_votes(&mut voters, &[&vote.url]).await;
    deployment.counts_exactly(&voters).await;
    sqlx::raw_sql("UPDATE totals SET votes = votes + 1")
        .execute(&deployment.postgres.pool().await)
        .await
        .unwrap();
    let (well, said) = deployment.verify().await;
    assert!(!well && said.contains("the totals differ from the ballots"), "{said}");
}

/// Every voter votes, and every third one changes the vote.
async fn everybody_votes(voters: &mut [Voter], urls: &[&str]) {
    for (number, voter) in voters.iter_mut().enumerate() {
        voter.insist(urls, "a").await;
        if number % 3 == 0 {
            voter.insist(urls, "b").await;
        }
    }
}

/// Sends a vote and closes the connection without waiting for the answer.
async fn give_up(url: &str, voter: &Voter) {
    let host = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).await.unwrap();
    let vote = format!(
        "POST / HTTP/1.1\r\nhost: {host}\r\ncookie: {}\r\ncontent-length: 6\r\n\
         content-type: application/x-www-form-urlencoded\r\n\r\nvote=a",
        voter.cookie
    );
    stream.write_all(vote.as_bytes()).await.unwrap();
}

/// Waits until a worker has taken votes from the queue.
async fn is_held(deployment: &Deployment) {
    let mut redis = deployment.redis.connection().await;
    eventually("the worker to hold votes", async || {
        let (held, ..): (u64, redis::Value, redis::Value, redis::Value) =
            redis::cmd("XPENDING").arg("urna:votes").arg("workers").query_async(&mut redis).await.ok()?;
        (held > 0).then_some(())
    })
    .await;
}

async fn some_are_recorded(deployment: &Deployment) {
    let pool = deployment.postgres.pool().await;
    eventually("some votes to be counted", async || {
        let (count,): (i64,) = sqlx::query_as("SELECT count(*) FROM ballots").fetch_one(&pool).await.ok()?;
        (count > 5).then_some(())
    })
    .await;
}
