//! The status page names every reason why the results do not move, at the right hop.

use std::process::ExitStatus;
use std::time::{Duration, SystemTime};

use harness::{Browser, Deployment, Embedded, Proxy, Screen, Service, Voter, eventually};
use redis::AsyncCommands;
use serde_json::Value;
use tempfile::TempDir;

#[tokio::test]
async fn while_all_is_well_every_hop_says_so_and_what_it_did() {
    let urna = Deployment::start().await;
    let (vote, _worker, result) = urna.one_of_each().await;
    let second = urna.ready("vote").await;
    Voter::arrive(&vote.url).await.insist(&[&vote.url], "a").await;
    Voter::arrive(&vote.url).await.insist(&[&second.url], "b").await;
    let status = status_of(&result.url, "two counted votes", |status| {
        let figures = |name| &hop(status, name)["figures"];
        figures("vote")["lately"] == 2 && figures("worker")["lately"] == 2 && figures("db")["counted"] == 2
    })
    .await;
    assert_eq!(status["state"], "well", "{status:#}");
    assert_eq!(status["summary"], "All is well: votes are recorded, counted and shown.");
    assert_eq!(hop(&status, "redis")["figures"]["waiting"], 0);
    let replicas = hop(&status, "vote")["replicas"].as_array().unwrap();
    let facts: Vec<String> = replicas.iter().map(|replica| replica["facts"].to_string()).collect();
    assert!(
        facts.len() == 2 && facts.iter().all(|facts| facts.contains("50.0% of the recent votes")),
        "{facts:?}"
    );
}

#[tokio::test]
async fn a_report_is_no_newer_than_what_it_says() {
    let deployment = Deployment::start().await;
    let result = deployment.ready("result").await;
    deployment.redis.pause();
    let age = Duration::from_secs(2);
    status_of(&result.url, "a report from before Redis was paused", |status| {
        status["as_of"].as_str() <= Some(&*web::Moment::at(SystemTime::now() - age).to_string())
    })
    .await;
}

#[tokio::test]
async fn without_a_worker_it_says_so_at_once_and_for_how_long_votes_have_waited() {
    let urna = Deployment::start().await;
    let (vote, mut worker, result) = urna.one_of_each().await;
    status_of(&result.url, "all well", |status| status["state"] == "well").await;
    worker.service.terminate();
    worker.service.exit().await;
    Voter::arrive(&vote.url).await.insist(&[&vote.url], "a").await;
    let status = broken_at(&result.url, "worker", "No worker is running").await;
    assert_eq!(status["summary"], "Something is broken at worker.");
    status_of(&result.url, "the waiting vote's age", |status| {
        hop(status, "redis")["figures"]["oldest_seconds"].as_u64() >= Some(1)
    })
    .await;
    let _worker = urna.ready("worker").await;
    status_of(&result.url, "all well again", |status| status["state"] == "well").await;
}

#[tokio::test]
async fn a_killed_replica_is_missed_and_one_that_was_stopped_is_not() {
    let urna = Deployment::start().await;
    let (_vote, mut worker, result) = urna.one_of_each().await;
    let mut stopped = urna.ready("worker").await;
    let name = |status: &Value| hop(status, "worker")["replicas"].as_array().unwrap().len();
    status_of(&result.url, "two workers", |status| name(status) == 2).await;
    stopped.service.terminate();
    stopped.service.exit().await;
    status_of(&result.url, "one worker", |status| name(status) == 1 && status["state"] == "well").await;
    worker.service.kill().await;
    let status = broken_at(&result.url, "worker", "Not heard of lately: worker-1").await;
    assert!(hop(&status, "worker")["lasts_seconds"].as_u64() >= Some(7), "{status:#}");
    let _other = urna.ready("worker").await;
    status_of(&result.url, "one of two", |status| hop(status, "worker")["state"] == "doubtful").await;
}

#[tokio::test]
async fn a_replica_that_crashed_and_is_back_under_its_name_is_not_missed() {
    let urna = Deployment::start().await;
    let (_vote, _worker, result) = urna.one_of_each().await;
    let name = [("REPLICA", "a-container")];
    let mut crashed = urna.spawn("worker", &name);
    crashed.wait_until_ready().await;
    let there = |status: &Value| {
        let replicas = hop(status, "worker")["replicas"].as_array().unwrap();
        replicas.iter().filter(|replica| replica["name"] == "a-container").count()
    };
    status_of(&result.url, "the replica", |status| there(status) == 1).await;
    crashed.service.kill().await;
    let _back = urna.spawn("worker", &name);
    status_of(&result.url, "both", |status| there(status) == 2).await;
    status_of(&result.url, "the restarted one alone", |status| {
        there(status) == 1 && status["state"] == "well"
    })
    .await;
}

#[tokio::test]
async fn a_redis_that_takes_no_writes_is_blamed_and_nobody_else() {
    let urna = Deployment::start().await;
    let (_vote, _worker, result) = urna.one_of_each().await;
    status_of(&result.url, "all well", |status| status["state"] == "well").await;
    let mut redis = urna.redis.connection().await;
    let mut full = redis::cmd("CONFIG");
    let (): () = full.arg("SET").arg("maxmemory").arg("1").query_async(&mut redis).await.unwrap();
    let status = broken_at(&result.url, "redis", "Redis answers, but takes no writes").await;
    assert_eq!(hop(&status, "worker")["state"], "unknown", "{status:#}");
}

#[tokio::test]
async fn without_redis_it_says_so_and_what_is_not_known() {
    let mut urna = Deployment::start().await;
    let (_vote, _worker, result) = urna.one_of_each().await;
    status_of(&result.url, "all well", |status| status["state"] == "well").await;
    urna.redis.kill().await;
    let status = broken_at(&result.url, "redis", "Redis does not answer").await;
    assert_eq!(hop(&status, "vote")["state"], "unknown", "{status:#}");
    assert_eq!(hop(&status, "db")["state"], "well", "{status:#}");
    urna.redis.resume().await;
    status_of(&result.url, "all well again", |status| status["state"] == "well").await;
}

#[tokio::test]
async fn without_postgres_it_says_so_and_who_cannot_count() {
    let mut urna = Deployment::start().await;
    let (vote, _worker, result) = urna.one_of_each().await;
    status_of(&result.url, "all well", |status| status["state"] == "well").await;
    urna.postgres.kill().await;
    Voter::arrive(&vote.url).await.insist(&[&vote.url], "a").await;
    broken_at(&result.url, "db", "PostgreSQL does not answer").await;
    let status = status_of(&result.url, "the worker to notice", |status| {
        hop(status, "worker")["trouble"].to_string().contains("Nothing is counted by worker-1")
    })
    .await;
    assert_eq!(status["summary"], "Something is broken at db.", "the worker is only its victim");
    urna.postgres.resume().await;
    status_of(&result.url, "all well again", |status| status["state"] == "well").await;
}

#[tokio::test]
async fn a_store_that_was_wiped_is_named_with_what_it_cost() {
    let urna = Deployment::start().await;
    let (vote, _worker, result) = urna.one_of_each().await;
    Voter::arrive(&vote.url).await.insist(&[&vote.url], "a").await;
    status_of(&result.url, "the vote", |status| hop(status, "db")["figures"]["counted"] == 1).await;
    let mut redis = urna.redis.connection().await;
    eventually("the move in both stores", async || {
        let mark: Option<String> = redis.get("urna:ledger").await.unwrap();
        mark.filter(|mark| mark.contains(r#""from":1,"to":1"#))
    })
    .await;
    let (): () = redis::cmd("FLUSHALL").query_async(&mut redis).await.unwrap();
    status_of(&result.url, "Redis was wiped", |status| {
        let hop = hop(status, "redis");
        let says =
            "Redis was wiped, or is another one. Recorded votes that were not counted by then are lost";
        hop["state"] == "doubtful" && hop["trouble"].as_str().is_some_and(|trouble| trouble.starts_with(says))
    })
    .await;
    Voter::arrive(&vote.url).await.insist(&[&vote.url], "a").await;
    status_of(&result.url, "the next vote", |status| hop(status, "db")["figures"]["counted"] == 2).await;
}

#[tokio::test]
async fn another_poll_on_either_side_is_named() {
    let urna = Deployment::start().await;
    let (vote, _worker, result) = urna.one_of_each().await;
    Voter::arrive(&vote.url).await.insist(&[&vote.url], "a").await;
    status_of(&result.url, "the vote", |status| hop(status, "db")["figures"]["counted"] == 1).await;
    let changed = [("OPTION_A", "Tea"), ("OPTION_B", "Coffee")];
    let other_result = urna.spawn("result", &changed);
    other_result.wait_until_ready().await;
    let said = broken_at(&other_result.url, "vote", "Another poll (nesquik-cola-cao)").await;
    assert!(hop(&said, "vote")["advice"].to_string().contains("the same POLL"), "{said:#}");
    drop(vote);
    let _other_vote = urna.spawn("vote", &changed);
    let status = status_of(&other_result.url, "where the votes are", |status| {
        hop(status, "db")["trouble"].to_string().contains("another one (nesquik-cola-cao) has: 1")
    })
    .await;
    assert!(hop(&status, "db")["advice"].to_string().contains("go back to the former POLL"), "{status:#}");
}

#[tokio::test]
async fn a_vote_that_is_cut_off_from_redis_is_missed() {
    let urna = Deployment::start().await;
    let result = urna.ready("result").await;
    let _worker = urna.ready("worker").await;
    let link = Proxy::to(urna.redis.address()).await;
    let vote = urna.spawn("vote", &[("REDIS_URL", &format!("redis://{}/", link.address))]);
    vote.wait_until_ready().await;
    status_of(&result.url, "all well", |status| status["state"] == "well").await;
    drop(link);
    let status = broken_at(&result.url, "vote", "Not heard of lately: vote-2").await;
    let advice = hop(&status, "vote")["advice"].to_string();
    assert!(advice.contains("If it says “Not recorded”, vote cannot reach Redis"), "{advice}");
}

#[tokio::test]
async fn a_result_that_alone_is_cut_off_from_postgres_points_to_its_log() {
    let urna = Deployment::start().await;
    let well = urna.ready("result").await;
    let link = Proxy::to(urna.postgres.address()).await;
    let url = urna.postgres.url().replace(&urna.postgres.address().to_string(), &link.address.to_string());
    let cut_off = urna.spawn("result", &[("DATABASE_URL", &url)]);
    cut_off.wait_until_ready().await;
    drop(link);
    status_of(&well.url, "a doubtful replica that says why", |status| {
        let replica = &hop(status, "result")["replicas"][1];
        replica["state"] == "doubtful"
            && replica["facts"].to_string().contains("a warning, which its log explains")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_follows_without_being_loaded_anew_and_says_when_it_has_lost_its_server() {
    let urna = Deployment::start().await;
    let (_vote, mut worker, mut result) = urna.one_of_each().await;
    let long = "long-name-".repeat(12);
    let _other = urna.spawn("vote", &[("REPLICA", &*long), ("NODE", &*long)]);
    status_of(&result.url, "all well", |status| status["state"] == "well").await;
    let browser = Browser::start().await;
    browser.open(&format!("{}/status?lang=es", result.url)).await;
    browser.shows("Todo va bien").await;
    worker.service.terminate();
    worker.service.exit().await;
    browser.shows("No hay ningún worker en marcha").await;
    browser.look_at(Screen::NARROW).await;
    let overflow = "return document.documentElement.scrollWidth - innerWidth";
    assert!(browser.run(overflow).await.as_i64().unwrap() <= 0, "it fits the narrowest screen");
    result.service.kill().await;
    browser.shows("result no responde").await;
    browser.close().await;
}

#[tokio::test]
async fn the_terminal_says_the_same_of_real_stores() {
    let mut urna = Deployment::start().await;
    let (_vote, _worker, result) = urna.one_of_each().await;
    status_of(&result.url, "all well", |status| status["state"] == "well").await;
    let (exit, said) = status_in_a_terminal(&["--result-url", &result.url]).await;
    assert!(exit.success() && said.contains("✓ worker  counts votes"), "{said}");
    assert!(!said.contains('\x1b'), "a pipe is no terminal: {said:?}");
    urna.redis.kill().await;
    broken_at(&result.url, "redis", "Redis does not answer").await;
    let (exit, said) = status_in_a_terminal(&["--result-url", &result.url]).await;
    assert!(exit.code() == Some(1) && said.contains("✗ redis") && said.contains("? vote"), "{said}");
}

#[tokio::test]
async fn the_terminal_says_it_of_the_embedded_mode_and_that_nobody_answers() {
    let data = TempDir::new().unwrap();
    let urna = Embedded::start(data.path()).await;
    Voter::arrive(&urna.vote).await.insist(&[&urna.vote], "a").await;
    status_of(&urna.result, "the vote", |status| hop(status, "ledger")["figures"]["counted"] == 1).await;
    let address = urna.result.trim_start_matches("http://").to_owned();
    let (exit, said) = status_in_a_terminal(&["--result-listen", &address]).await;
    assert!(exit.success() && said.contains("Counted in this poll: 1."), "{said}");
    drop(urna);
    let (exit, said) = status_in_a_terminal(&["--result-listen", &address]).await;
    assert!(!exit.success() && said.contains("result does not answer (RESULT_URL): cannot reach"), "{said}");
}

pub(super) async fn status_of(url: &str, what: &str, condition: impl Fn(&Value) -> bool) -> Value {
    eventually(what, async || {
        let answer = reqwest::get(format!("{url}/api/status")).await.ok()?;
        serde_json::from_str(&answer.text().await.ok()?).ok().filter(&condition)
    })
    .await
}

/// Waits until a hop is broken with a message that begins like this.
pub(super) async fn broken_at(url: &str, name: &str, says: &str) -> Value {
    status_of(url, says, |status| {
        let hop = hop(status, name);
        hop["state"] == "broken" && hop["trouble"].as_str().is_some_and(|trouble| trouble.starts_with(says))
    })
    .await
}

pub(super) fn hop<'a>(status: &'a Value, name: &str) -> &'a Value {
    let hops = status["hops"].as_array().map(Vec::as_slice).unwrap_or_default();
    hops.iter().find(|hop| hop["name"] == name).unwrap_or(&Value::Null)
}

pub(super) async fn status_in_a_terminal(arguments: &[&str]) -> (ExitStatus, String) {
    let mut status = Service::spawn_with("urna", &[arguments, &["status"]].concat(), &[]);
    (status.exit().await, status.output())
}
