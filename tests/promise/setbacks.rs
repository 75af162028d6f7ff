//! A store that was wiped, or restored from an older copy, is reported once: in the log and the
//! metrics of one worker, and in the queue. Then voting and counting go on.

use election::random_uuid;
use harness::{Deployment, Redis, Replica, Voter, eventually, totals_of};
use redis::AsyncCommands;
use service::Store;
use status::{Loss, Move, Setback, SetbackLog};
use store::redis::RedisSettings;

#[tokio::test]
async fn a_flushed_queue_is_told_once_and_votes_are_counted_on() {
    let mut fixture = Fixture::start().await;
    fixture.everybody_votes("a").await;
    let before = fixture.last_move().await;
    let () =
        redis::cmd("FLUSHALL").query_async(&mut fixture.deployment.redis.connection().await).await.unwrap();
    fixture.tells(Store::Queue, Loss::Wiped).await;
    fixture.everybody_votes("b").await;
    assert_eq!(fixture.last_move().await.ledger, before.ledger);
    fixture.was_told_once().await;
}

#[tokio::test]
async fn a_queue_without_its_files_is_told_with_the_votes_that_waited() {
    let mut fixture = Fixture::start().await;
    fixture.everybody_votes("a").await;
    fixture.last_move().await;
    // Without a ledger the votes wait. After two failed comparisons, one of them began after the votes.
    fixture.deployment.postgres.kill().await;
    for voter in &mut fixture.voters {
        voter.insist(&[&fixture.vote.url], "b").await;
    }
    for worker in &mut fixture.workers {
        for _ in 0..2 {
            worker.service.line("could not compare the stores").await;
        }
    }
    let redis = &mut fixture.deployment.redis;
    redis.kill().await;
    redis.wipe();
    redis.resume().await;
    fixture.deployment.postgres.resume().await;
    assert_eq!(fixture.tells(Store::Queue, Loss::Wiped).await.exposed, Some(VOTERS as u64));
    fixture.everybody_votes("a").await;
    fixture.was_told_once().await;
}

#[tokio::test]
async fn a_wiped_ledger_is_told_once_and_votes_are_counted_on() {
    let mut fixture = Fixture::start().await;
    fixture.everybody_votes("a").await;
    let before = fixture.last_move().await;
    sqlx::raw_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        .execute(&fixture.deployment.postgres.pool().await)
        .await
        .unwrap();
    let told = fixture.tells(Store::Ledger, Loss::Wiped).await;
    assert_eq!(told.exposed, Some(before.to.unsigned_abs()));
    fixture.everybody_votes("b").await;
    assert_ne!(fixture.last_move().await.ledger, before.ledger);
    fixture.was_told_once().await;
}

/// More votes waited than were lost, so a count of votes alone would not show the loss.
#[tokio::test]
async fn an_older_ledger_is_told_once_and_what_waited_hides_nothing() {
    let mut fixture = Fixture::start().await;
    fixture.everybody_votes("a").await;
    let before = fixture.last_move().await;
    fixture.deployment.postgres.kill().await;
    let copy = fixture.deployment.postgres.copy();
    fixture.deployment.postgres.resume().await;
    fixture.everybody_votes("b").await;
    let after = fixture.last_move().await;

    fixture.deployment.postgres.quit();
    for key in ["a", "b", "a", "b"] {
        for voter in &mut fixture.voters {
            voter.insist(&[&fixture.vote.url], key).await;
        }
    }
    fixture.deployment.postgres.restore(&copy);
    fixture.deployment.postgres.resume().await;
    let missing = (after.to - before.to).unsigned_abs();
    assert_eq!(fixture.tells(Store::Ledger, Loss::Older).await.exposed, Some(missing));
    fixture.everybody_votes("a").await;
    let restored = fixture.last_move().await.ledger;
    assert_ne!(restored, after.ledger, "viewers ignore a lower version of the same epoch");
    fixture.was_told_once().await;
}

#[tokio::test]
async fn restarts_of_everything_are_no_setback() {
    let mut fixture = Fixture::start().await;
    fixture.everybody_votes("a").await;
    for _ in 0..2 {
        fixture.deployment.redis.kill().await;
        fixture.deployment.redis.resume().await;
        fixture.deployment.postgres.kill().await;
        fixture.deployment.postgres.resume().await;
        fixture.everybody_votes("b").await;
        fixture.last_move().await;
    }
    for worker in &mut fixture.workers {
        *worker = start_worker(&fixture.deployment).await;
    }
    fixture.everybody_votes("a").await;
    fixture.last_move().await;
    assert_eq!(fixture.listed().await, []);
    assert_eq!(fixture.told_by_logs(), Vec::<String>::new());
}

#[tokio::test]
async fn of_many_workers_that_notice_the_same_one_tells_it() {
    let redis = Redis::start().await;
    let log = log(&redis);
    let noted = Move { ledger: random_uuid(), from: None, to: 5, renewed: None };
    let setback = Setback { at_ms: 7, store: Store::Queue, loss: Loss::Wiped, exposed: Some(2) };
    for may_tell in [true, false, false] {
        let written = log.replace(None, &noted, Some(&setback)).await.unwrap();
        assert_eq!(written, may_tell);
    }
    assert_eq!(listed(&log).await, [setback]);
    assert_eq!(log.read().await.unwrap().noted, Some(noted));
}

#[tokio::test]
async fn no_more_than_ten_setbacks_are_kept_and_the_newest_are_first() {
    let redis = Redis::start().await;
    let log = log(&redis);
    for to in 0..12 {
        let setback = Setback { at_ms: to, store: Store::Ledger, loss: Loss::Older, exposed: None };
        let next = Move { ledger: random_uuid(), from: None, to, renewed: None };
        let former = log.read().await.unwrap().noted;
        log.replace(former.as_ref(), &next, Some(&setback)).await.unwrap();
    }
    let kept = listed(&log).await;
    assert_eq!(kept.iter().map(|setback| setback.at_ms).collect::<Vec<_>>(), Vec::from_iter((2..12).rev()));
}

const VOTERS: usize = 3;

/// All services, with two workers that look for setbacks, and some voters.
struct Fixture {
    deployment: Deployment,
    vote: Replica,
    workers: Vec<Replica>,
    result: Replica,
    voters: Vec<Voter>,
}

impl Fixture {
    async fn start() -> Self {
        let deployment = Deployment::start().await;
        let (vote, result) = (deployment.ready("vote").await, deployment.ready("result").await);
        let workers = vec![start_worker(&deployment).await, start_worker(&deployment).await];
        let voters = Voter::arrive_many(&vote.url, VOTERS).await;
        Self { deployment, vote, workers, result, voters }
    }

    /// Every voter votes, and the results show it: `vote`, a worker and `result` work.
    async fn everybody_votes(&mut self, key: &str) {
        for voter in &mut self.voters {
            voter.insist(&[&self.vote.url], key).await;
        }
        let seen = |totals: &serde_json::Value| {
            let options = totals["options"].as_array().into_iter().flatten();
            let mut votes = options.filter(|option| option["key"] == key).map(|option| &option["votes"]);
            votes.next().is_some_and(|votes| *votes == VOTERS) && totals["waiting"] == 0
        };
        totals_of(&self.result.url, &format!("{VOTERS} votes for {key}"), seen).await;
    }

    /// Waits until the last move in both stores includes everything that is counted.
    async fn last_move(&self) -> Move {
        let pool = self.deployment.postgres.pool().await;
        eventually("the last move in both stores", async || {
            let mut redis = self.deployment.redis.connection().await;
            let text: String = redis.get("urna:ledger").await.ok()?;
            let (marked, counted): (Option<i64>, i64) = sqlx::query_as(
                "SELECT marked, (SELECT sum(changes + votes) / 2 FROM totals)::bigint FROM ledger",
            )
            .fetch_one(&pool)
            .await
            .ok()?;
            let last: Move = serde_json::from_str(&text).ok()?;
            (!last.is_open() && last.to == counted && marked == Some(counted)).then_some(last)
        })
        .await
    }

    /// Waits until a setback is in the list, and checks it.
    async fn tells(&self, store: Store, loss: Loss) -> Setback {
        eventually(&format!("a setback of the {store}"), async || {
            let found = self.listed().await.pop();
            found.inspect(|setback| assert_eq!((setback.store, setback.loss), (store, loss)))
        })
        .await
    }

    async fn listed(&self) -> Vec<Setback> {
        listed(&log(&self.deployment.redis)).await
    }

    /// Checks that one setback is in the list, in the logs and in the metrics, once both stores agree.
    async fn was_told_once(&self) {
        self.last_move().await;
        let listed = self.listed().await;
        assert_eq!(listed.len(), 1, "{listed:?}");
        let told = self.told_by_logs();
        assert!(told.len() == 1 && told[0].contains(&listed[0].to_string()), "{told:?}");
        let name = format!(r#"urna_setbacks_total{{store="{}"}}"#, listed[0].store);
        let mut counted = 0.0;
        for worker in &self.workers {
            counted += worker.metric(&name).await.unwrap();
        }
        assert_eq!(counted, 1.0, "{name}");
    }

    fn told_by_logs(&self) -> Vec<String> {
        let output = self.workers.iter().map(|worker| worker.service.output()).collect::<Vec<_>>().join("\n");
        let is_setback = |line: &&str| line.contains("was wiped") || line.contains("is older than it was");
        output.lines().filter(is_setback).map(str::to_owned).collect()
    }
}

fn log(redis: &Redis) -> SetbackLog {
    SetbackLog::new(RedisSettings::at(&redis.url()).connection().unwrap())
}

async fn listed(log: &SetbackLog) -> Vec<Setback> {
    log.latest().await.unwrap().into_iter().map(|(setback, _)| setback).collect()
}

async fn start_worker(deployment: &Deployment) -> Replica {
    let worker = deployment.spawn("worker", &[("RUST_LOG", "debug")]);
    worker.wait_until_ready().await;
    worker
}
