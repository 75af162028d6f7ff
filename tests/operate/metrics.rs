//! The metrics of the three services. The documentation must list all of them.

use std::collections::{BTreeMap, BTreeSet};

use harness::{Deployment, Replica, Voter, eventually};
use tokio_tungstenite::connect_async;

const DOCUMENTED: &str = include_str!("../../docs/metrics.md");

/// No vote has been cast, so every metric that is shown was registered at the start.
#[tokio::test]
async fn the_documentation_lists_what_is_shown_from_the_start_and_nothing_else() {
    let deployment = Deployment::start().await;
    let (vote, worker, result) = deployment.one_of_each().await;
    let mut shown: BTreeMap<Metric, Vec<&str>> = BTreeMap::new();
    for (service, replica) in [("vote", &vote), ("worker", &worker), ("result", &result)] {
        for metric in metrics_in(&replica.metrics().await) {
            shown.entry(metric).or_default().push(service);
        }
    }
    let row = |(metric, services): (&Metric, &Vec<&str>)| {
        let Metric { name, kind, labels, help } = metric;
        format!("| `{name}` | {kind} | {labels} | {} | {help} |", services.join(", "))
    };
    let shown: BTreeSet<String> = shown.iter().map(row).collect();
    let documented = DOCUMENTED.lines().filter(|line| line.starts_with("| `urna_")).map(str::to_owned);
    let documented: BTreeSet<String> = documented.collect();
    let only = |one: &BTreeSet<String>, other| one.difference(other).cloned().collect::<Vec<_>>().join("\n");
    let (missing, outdated) = (only(&shown, &documented), only(&documented, &shown));
    assert!(
        shown == documented,
        "docs/metrics.md lacks:\n{missing}\nand lists what is not shown:\n{outdated}"
    );
}

#[tokio::test]
async fn votes_are_counted_and_measured_on_their_way() {
    let deployment = Deployment::start().await;
    let (vote, worker, result) = deployment.one_of_each().await;
    let viewer = connect_async(format!("{}/ws", result.url.replace("http", "ws"))).await.unwrap();
    let mut voter = Voter::arrive(&vote.url).await;
    voter.insist(&[&vote.url], "a").await;
    voter.vote(&vote.url, "nothing on the ballot").await.unwrap();

    shows(&vote, r#"urna_votes_total{outcome="recorded"}"#, 1.0).await;
    shows(&vote, r#"urna_votes_total{outcome="invalid"}"#, 1.0).await;
    shows(&vote, "urna_vote_append_duration_seconds_count", 1.0).await;
    shows(&vote, r#"urna_vote_answer_duration_seconds_bucket{le="+Inf"}"#, 1.0).await;
    shows(&worker, "urna_worker_ballots_counted_total", 1.0).await;
    shows(&worker, r#"urna_worker_batch_ballots_bucket{le="1"}"#, 1.0).await;
    shows(&worker, "urna_worker_commit_duration_seconds_count", 1.0).await;
    shows(&worker, r#"urna_ready{part="ledger"}"#, 1.0).await;
    shows(&result, "urna_result_viewers", 1.0).await;
    shows(&result, "urna_result_connections_total", 1.0).await;
    drop(viewer);
    shows(&result, "urna_result_viewers", 0.0).await;
}

/// An alert on waiting votes must work while every worker and the ledger are down.
#[tokio::test]
async fn vote_tells_what_waits_and_since_when_whoever_is_away() {
    let mut deployment = Deployment::start().await;
    deployment.postgres.quit();
    let vote = deployment.ready("vote").await;
    let mut voter = Voter::arrive(&vote.url).await;
    voter.insist(&[&vote.url], "a").await;
    shows(&vote, r#"urna_queue_ballots{state="waiting"}"#, 1.0).await;
    let first = vote.metric("urna_queue_oldest_seconds").await.unwrap();
    eventually("the oldest vote to grow older", async || {
        vote.metric("urna_queue_oldest_seconds").await.filter(|seconds| *seconds > first)
    })
    .await;
    shows(&vote, r#"urna_ready{part="queue"}"#, 1.0).await;
    deployment.redis.kill().await;
    shows(&vote, r#"urna_ready{part="queue"}"#, 0.0).await;
    let waiting = vote.metric(r#"urna_queue_ballots{state="waiting"}"#).await.unwrap();
    assert!(waiting.is_nan(), "the number of waiting votes is unknown, but it is given as {waiting}");
}

/// A metric of a service, without its value.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Metric {
    name: String,
    kind: String,
    labels: String,
    help: String,
}

/// Reads the metrics from `/metrics`. Every metric must have a help text.
fn metrics_in(text: &str) -> Vec<Metric> {
    let helps: BTreeMap<&str, &str> =
        text.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split_once(' ')).collect();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let metric = |(name, kind): (&str, &str)| Metric {
        name: name.to_owned(),
        kind: kind.to_owned(),
        labels: labels(text, name),
        help: helps[name].to_owned(),
    };
    types.map(metric).collect()
}

/// The label of a metric and the label's values, or the labels of the build, whose values change.
fn labels(text: &str, name: &str) -> String {
    let labelled = |line: &'_ str| {
        let (label, rest) = line.strip_prefix(name)?.strip_prefix('{')?.split_once("=\"")?;
        Some((label.to_owned(), rest.split_once('"')?.0.to_owned()))
    };
    let found: BTreeSet<(String, String)> = text.lines().filter_map(labelled).collect();
    let values: Vec<&str> = found.iter().map(|(_, value)| value.as_str()).collect();
    match found.first() {
        None => String::new(),
        Some((label, _)) if label == "version" => "`version`, `node`".to_owned(),
        Some((label, _)) => format!("`{label}`: {}", values.join(", ")),
    }
}

async fn shows(replica: &Replica, name: &str, value: f64) {
    eventually(&format!("{name} {value}"), async || {
        replica.metric(name).await.filter(|shown| *shown == value)
    })
    .await;
}
