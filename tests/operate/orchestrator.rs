//! What Compose, Swarm and Kubernetes count on: settings, probes, the stop, and advice in their own words.

use harness::Deployment;

use super::status::{broken_at, hop, status_in_a_terminal, status_of};

const ALERTS: &str = include_str!("../../compose/prometheus/alerts.yml");

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
