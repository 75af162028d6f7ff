//! `load-test`: it votes as a crowd, and tells the truth about what was counted.

use harness::{Deployment, Embedded, Service, Voter, eventually, totals_of};
use serde_json::Value;
use tempfile::TempDir;

#[tokio::test]
async fn a_crowd_votes_and_every_vote_is_counted_once() {
    let (data, pictures) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let urna = Embedded::start(data.path()).await;
    let plot = pictures.path().join("load.svg");
    let plot = plot.to_str().unwrap();
    let (well, said) = load(&urna.vote, &urna.result, &["--votes=500", "--json", "--plot", plot]).await;
    // Progress may come before it.
    let summary = &said[said.find('{').unwrap_or(0)..];
    let summary: Value = serde_json::from_str(summary).unwrap_or_else(|error| panic!("{error}: {said}"));
    assert!(well && summary["truth"]["counted_once"] == true, "{said}");
    assert_eq!(summary["truth"]["compared"], "totals only, because no --database-url", "{said}");
    assert_eq!(
        [&summary["recorded"], &summary["voters"]],
        [500, 400],
        "a fifth of the votes are changes: {said}"
    );
    assert!(summary["vote_to_screen"]["p50"].as_f64() > summary["vote"]["p50"].as_f64(), "{said}");
    totals_of(&urna.result, "as many votes as voters", |totals| totals["total"] == 400).await;
    assert!(std::fs::read_to_string(plot).unwrap().contains("Recorded votes per second"));
}

#[tokio::test]
async fn a_rate_a_time_and_weights_are_kept() {
    let data = TempDir::new().unwrap();
    let urna = Embedded::start(data.path()).await;
    let arguments =
        ["--rate=100", "--duration=3s", "--ramp=2s", "--weights=1,0", "--changes=0", "--voters=300"];
    let (well, said) = load(&urna.vote, &urna.result, &arguments).await;
    // A hundred in the two seconds of the ramp, and a hundred in the one after it.
    assert!(well && said.contains("recorded              200"), "{said}");
    totals_of(&urna.result, "votes for the first option", |totals| totals["options"][0]["votes"] == 200)
        .await;
}

#[tokio::test]
async fn votes_that_are_recorded_and_not_counted_are_missed() {
    let data = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let (recorder, counter) = (Embedded::start(data[0].path()).await, Embedded::start(data[1].path()).await);
    let (well, said) =
        load(&recorder.vote, &counter.result, &["--votes=20", "--changes=0", "--weights=1,0"]).await;
    let end = "Compared: totals only, because no --database-url\nEvery recorded vote counted once: no";
    assert!(!well && said.trim_end().ends_with(end), "{said}");
    assert!(said.contains("20          20           0   wrong"), "{said}");
}

#[tokio::test]
async fn votes_of_others_are_noticed() {
    let data = TempDir::new().unwrap();
    let urna = Embedded::start(data.path()).await;
    let mut stranger = Voter::arrive(&urna.vote).await;
    let mut load = begin(&urna.vote, &urna.result, &["--rate=100", "--votes=200", "--changes=0"]);
    totals_of(&urna.result, "the load", |totals| totals["total"].as_i64() > Some(0)).await;
    stranger.insist(&[&urna.vote], "a").await;
    assert!(!load.exit().await.success());
    assert!(load.output().contains("more than these voters can have: 1 "), "{}", load.output());
}

#[tokio::test]
async fn a_vote_of_a_moment_ago_that_is_not_counted_yet_is_not_taken_for_one_of_the_load() {
    let urna = Deployment::start().await;
    let (vote, worker, result) = urna.one_of_each().await;
    let mut earlier = Voter::arrive(&vote.url).await;
    worker.service.pause();
    let seen = totals_of(&result.url, "totals", |totals| totals["as_of"].is_string()).await;
    totals_of(&result.url, "a new reading", |totals| totals["as_of"] != seen["as_of"]).await;
    // Until the next reading, `result` knows nothing of this vote.
    earlier.insist(&[&vote.url], "a").await;
    let mut load = begin(&vote.url, &result.url, &["--votes=20"]);
    totals_of(&result.url, "the vote to wait", |totals| totals["waiting"].as_i64() > Some(0)).await;
    worker.service.unpause();
    assert!(load.exit().await.success(), "{}", load.output());
}

#[tokio::test]
async fn ctrl_c_ends_the_load_and_not_the_check() {
    let data = TempDir::new().unwrap();
    let urna = Embedded::start(data.path()).await;
    let mut load = begin(&urna.vote, &urna.result, &["--duration=10m"]);
    totals_of(&urna.result, "the load", |totals| totals["total"].as_i64() > Some(0)).await;
    load.interrupt();
    assert!(load.exit().await.success(), "{}", load.output());
    assert!(load.output().contains("counted once: yes"), "{}", load.output());
}

#[tokio::test]
async fn ctrl_c_while_vote_is_away_ends_in_the_truth_too() {
    let urna = Deployment::start().await;
    let (mut vote, _worker, result) = urna.one_of_each().await;
    let mut load = begin(&vote.url, &result.url, &["--duration=10m"]);
    totals_of(&result.url, "the load", |totals| totals["total"].as_i64() > Some(100)).await;
    vote.service.kill().await;
    load.interrupt();
    assert!(load.exit().await.success(), "{}", load.output());
    assert!(load.output().contains("counted once: yes"), "{}", load.output());
}

#[tokio::test]
async fn killed_workers_and_votes_cost_no_recorded_vote() {
    let urna = Deployment::start().await;
    let (mut vote, mut worker, result) = urna.one_of_each().await;
    let database = urna.postgres.url();
    let arguments = ["--rate=200", "--votes=1000", "--database-url", &database];
    let mut load = begin(&vote.url, &result.url, &arguments);
    let at_least = async |votes| {
        totals_of(&result.url, "the load", |totals| totals["total"].as_i64() > Some(votes)).await;
    };
    at_least(0).await;
    worker.service.kill().await;
    let _worker = urna.ready("worker").await;
    at_least(100).await;
    vote.service.kill().await;
    eventually("the load to end", async || load.output().contains("counted once").then_some(())).await;
    assert!(load.exit().await.success(), "{}", load.output());
    assert!(load.output().contains("no connection"), "{}", load.output());
    let end = "Compared: every ballot\nEvery recorded vote counted once: yes";
    assert!(load.output().trim_end().ends_with(end), "{}", load.output());
}

#[tokio::test]
async fn two_voters_who_are_exchanged_are_found_although_the_totals_are_right() {
    let exchange = "
        WITH two AS (SELECT DISTINCT ON (choice) voter FROM ballots)
        UPDATE ballots SET choice = CASE choice WHEN 'a' THEN 'b' ELSE 'a' END
        WHERE voter IN (SELECT voter FROM two) AND (SELECT count(*) FROM two) = 2";
    let said = load_while(exchange, 2).await;
    assert!(said.contains("holds another vote than their last: 2") && !said.contains("wrong"), "{said}");
}

#[tokio::test]
async fn a_ballot_of_another_order_is_found_although_the_choice_is_right() {
    let older = "UPDATE ballots SET ord = 1 WHERE voter = (SELECT voter FROM ballots LIMIT 1)";
    let said = load_while(older, 1).await;
    assert!(said.contains("holds another vote than their last: 1") && !said.contains("wrong"), "{said}");
}

/// Lets everybody vote once while this statement changes so many ballots. What load-test says, which must fail.
async fn load_while(statement: &'static str, ballots: u64) -> String {
    let urna = Deployment::start().await;
    let (vote, _worker, result) = urna.one_of_each().await;
    let database = urna.postgres.url();
    let arguments = ["--rate=100", "--votes=300", "--changes=0", "--database-url", &database];
    let mut load = begin(&vote.url, &result.url, &arguments);
    let pool = urna.postgres.pool().await;
    eventually("ballots to change", async || {
        let done = sqlx::query(statement).execute(&pool).await.ok()?;
        (done.rows_affected() == ballots).then_some(())
    })
    .await;
    assert!(!load.exit().await.success(), "{}", load.output());
    load.output()
}

#[tokio::test]
async fn what_cannot_be_tested_is_told_in_one_line() {
    let data = TempDir::new().unwrap();
    let urna = Embedded::start(data.path()).await;
    let nowhere = "http://127.0.0.1:1";
    for (vote, result, arguments, expected) in [
        (
            urna.vote.as_str(),
            nowhere,
            &[][..],
            "load-test: cannot reach http://127.0.0.1:1/: Connection refused",
        ),
        (nowhere, &urna.result, &[], "load-test: cannot reach http://127.0.0.1:1/: Connection refused"),
        (&urna.vote, &urna.vote, &[], "load-test: --result-url answers 404 Not Found to /api/totals"),
        (&urna.result, &urna.result, &[], "load-test: --vote-url leads to a page that gives no cookie"),
        (&urna.vote, &urna.result, &["--weights=1,2,3"], "--weights has 3 numbers, but the poll"),
        (&urna.vote, &urna.result, &["--weights=0,0"], "--weights cannot be used"),
        (&urna.vote, &urna.result, &["--database-url=postgres://127.0.0.1:1/x"], "(--database-url)"),
    ] {
        let (well, said) = load(vote, result, arguments).await;
        assert!(!well && said.contains(expected) && said.lines().count() == 1, "{said}");
    }
}

async fn load(vote: &str, result: &str, arguments: &[&str]) -> (bool, String) {
    let mut load = begin(vote, result, arguments);
    let well = load.exit().await.success();
    (well, load.output())
}

fn begin(vote: &str, result: &str, arguments: &[&str]) -> Service {
    Service::spawn_with("load-test", arguments, &[("VOTE_URL", vote), ("RESULT_URL", result)])
}
