//! What Compose, Swarm and Kubernetes count on: settings, probes, the stop, and advice in their own words.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use harness::{Deployment, Replica, Service, Voter, eventually, free_port, totals_of};

use super::status::{broken_at, hop, status_in_a_terminal, status_of};

/// A pod has 30 s to stop, and may serve on for 10 s of them.
const STOPS_WITHIN: Duration = Duration::from_secs(20);

const ALERTS: &str = include_str!("../../compose/prometheus/alerts.yml");

/// Kubernetes describes each of its Services to every pod in such variables.
const SERVICE_LINKS: [(&str, &str); 8] = [
    ("VOTE_SERVICE_HOST", "10.96.0.1"),
    ("VOTE_SERVICE_PORT", "80"),
    ("VOTE_PORT", "tcp://10.96.0.1:80"),
    ("RESULT_PORT", "tcp://10.96.0.2:80"),
    ("REDIS_PORT", "tcp://10.96.0.3:6379"),
    ("REDIS_PORT_6379_TCP_PORT", "6379"),
    ("DB_SERVICE_HOST", "10.96.0.4"),
    ("DB_PORT", "tcp://10.96.0.4:5432"),
];

#[tokio::test]
async fn advice_is_in_the_commands_of_the_platform() {
    let urna = Deployment::start().await;
    let _vote = urna.ready("vote").await;
    let cases = [
        ("compose", "docker compose start worker"),
        ("swarm", "docker service scale urna_worker=2"),
        ("kubernetes", "kubectl scale deploy/worker --replicas=2"),
    ];
    for (platform, command) in cases {
        let result = urna.spawn("result", &[("PLATFORM", platform)]);
        result.wait_until_ready().await;
        let status = broken_at(&result.url, "worker", "No worker is running").await;
        assert_eq!(hop(&status, "worker")["commands"][0], command, "{status:#}");
        assert_eq!(hop(&status, "worker")["advice"], "Start it, and read its log.");
        let page =
            reqwest::get(format!("{}/status?lang=es", result.url)).await.unwrap().text().await.unwrap();
        assert!(page.contains(&format!("<pre tabindex=\"0\">{command}\n")), "{page}");
        let (_, said) = status_in_a_terminal(&["--result-url", &result.url]).await;
        assert!(said.contains(&format!("\n      {command}\n")), "{said}");
    }
    let result = urna.ready("result").await;
    let status = broken_at(&result.url, "worker", "No worker is running").await;
    assert_eq!(hop(&status, "worker")["commands"], serde_json::json!([]), "{status:#}");
}

#[test]
fn no_alert_names_a_command_because_every_platform_has_these_alerts() {
    for command in ["docker ", "kubectl "] {
        assert!(!ALERTS.contains(command), "{command}");
    }
}

#[tokio::test]
async fn status_and_metrics_say_on_which_node_a_replica_of_which_release_runs() {
    let urna = Deployment::start().await;
    let places = [("RELEASE", "canary"), ("NODE", "worker2")];
    let replicas = ["vote", "worker", "result"].map(|program| urna.spawn(program, &places));
    for replica in &replicas {
        replica.wait_until_ready().await;
        assert_eq!(replica.metric(r#"urna_build_info{version="canary",node="worker2"}"#).await, Some(1.0));
    }
    let elsewhere = urna.ready("vote").await;
    let told = r#"urna_build_info{version="0.1.0",node=""}"#.replace("0.1.0", env!("CARGO_PKG_VERSION"));
    assert_eq!(elsewhere.metric(&told).await, Some(1.0));
    let url = &replicas[2].url;
    let status = status_of(url, "two ballot pages", |status| {
        hop(status, "vote")["replicas"].as_array().is_some_and(|replicas| replicas.len() == 2)
    })
    .await;
    for name in ["vote", "worker", "result"] {
        let replica = &hop(&status, name)["replicas"][0];
        assert_eq!((&replica["node"], &replica["version"]), (&"worker2".into(), &"canary".into()), "{name}");
    }
    assert!(hop(&status, "vote")["replicas"][1]["node"].is_null(), "{status:#}");
    let page = reqwest::get(format!("{url}/status?lang=ru")).await.unwrap().text().await.unwrap();
    assert!(page.contains("версия canary, на worker2, работает"), "{page}");
}

#[tokio::test]
async fn what_kubernetes_sets_by_itself_changes_nothing() {
    let urna = Deployment::start().await;
    let [vote, worker, result] =
        ["vote", "worker", "result"].map(|program| urna.spawn(program, &SERVICE_LINKS));
    for replica in [&vote, &worker, &result] {
        replica.wait_until_ready().await;
    }
    Voter::arrive(&vote.url).await.insist(&[&vote.url], "a").await;
    totals_of(&result.url, "the vote", |totals| totals["total"] == 1).await;
}

/// Whatever the Services of a cluster are called, their variables must not be taken for settings.
#[tokio::test]
async fn no_setting_has_a_name_that_kubernetes_gives_to_services() {
    let mut settings = BTreeSet::new();
    for program in ["vote", "worker", "result", "load-test", "urna"] {
        let mut help = Service::spawn_with(program, &["--help"], &[]);
        assert!(help.exit().await.success());
        let said = help.output();
        let flags = said.split_whitespace().filter_map(|word| word.strip_prefix("--"));
        settings.extend(flags.map(|flag| flag.replace('-', "_").to_uppercase()));
    }
    assert!(settings.contains("PLATFORM") && settings.contains("COOKIE_KEY"), "{settings:?}");
    let is_a_services = |name: &&String| name.ends_with("_HOST") || name.contains("_PORT");
    assert_eq!(settings.iter().find(is_a_services), None);
}

#[tokio::test]
async fn probes_and_monitors_ask_every_replica_at_its_own_address() {
    let urna = Deployment::start().await;
    for program in ["vote", "worker", "result"] {
        let (page, management) = (free_port(), free_port());
        let at = |port| format!("0.0.0.0:{port}");
        let (listen, management_listen) = (at(page), at(management));
        let listens = [("LISTEN", listen.as_str()), ("MANAGEMENT_LISTEN", &management_listen)];
        let replica = urna.spawn(program, &listens);
        let here = Replica { management: format!("http://127.0.0.2:{management}"), ..replica };
        here.wait_until_ready().await;
        for path in ["livez", "servez", "metrics"] {
            assert_eq!(reqwest::get(format!("{}/{path}", here.management)).await.unwrap().status(), 200);
        }
        if program != "worker" {
            assert_eq!(reqwest::get(format!("http://127.0.0.2:{page}")).await.unwrap().status(), 200);
        }
    }
}

#[tokio::test]
async fn a_service_stops_in_time_even_if_its_stores_hang() {
    let urna = Deployment::start().await;
    let (vote, worker, result) = urna.one_of_each().await;
    let mut voter = Voter::arrive(&vote.url).await;
    urna.postgres.pause();
    voter.insist(&[&vote.url], "a").await;
    vote_is_taken(&vote).await;
    urna.redis.pause();
    let stop = async |mut replica: Replica| {
        replica.service.terminate();
        replica.service.exit_within(STOPS_WITHIN).await.success()
    };
    assert_eq!(join_all([vote, worker, result].map(stop)).await, [true; 3]);
}

/// Waits until a worker holds the vote, which it cannot record.
async fn vote_is_taken(vote: &Replica) {
    eventually("a worker with a vote", async || {
        vote.metric(r#"urna_queue_ballots{state="pending"}"#).await.filter(|held| *held == 1.0)
    })
    .await;
}
