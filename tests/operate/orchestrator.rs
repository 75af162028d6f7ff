//! What Compose, Swarm and Kubernetes count on: settings, probes, the stop, and advice in their own words.

use harness::Deployment;

use super::status::{hop, status_of};

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
