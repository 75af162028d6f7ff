//! Components that only a cluster can prove: each is accepted, Prometheus finds every replica, and Urna runs with the
//! stores of somebody else.

use harness::{Voter, eventually, totals_of};

use crate::cluster::{Afterwards, Cluster, RESULT, VOTE};
use crate::manifests::largest;

/// The stores of somebody else are in another namespace, like those of an operator.
const ELSEWHERE: &str = "urna-test-elsewhere";

#[tokio::test(flavor = "multi_thread")]
async fn the_cluster_accepts_every_component_without_a_warning() {
    let cluster = Cluster::empty("urna-test-accepted").await;
    for components in largest() {
        let overlay = cluster.overlay(&components, "");
        let folder = overlay.folder.to_str().unwrap();
        cluster.kubectl(&["apply", "--dry-run=server", "--warnings-as-errors", "--kustomize", folder]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_finds_every_replica_and_misses_a_worker() {
    let cluster = Cluster::with("urna-test-monitor", &["monitor"]).await;
    cluster.rolled_out("deployment/prometheus");
    for (job, replicas) in [("vote", 2), ("worker", 1), ("result", 2)] {
        cluster.measures(&format!("count(up{{job=\"{job}\"}} == 1) == {replicas}")).await;
    }
    cluster.kubectl(&["scale", "deployment", "worker", "--replicas=0"]);
    cluster.measures("ALERTS{alertname=\"NoWorker\"}").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_of_somebody_else_serve_as_well() {
    let cluster = Cluster::empty("urna-test-own-stores").await;
    let _stores = cluster.stores_elsewhere();
    let host = |store: &str| format!("{store}.{ELSEWHERE}");
    cluster.kubectl(&[
        "create",
        "secret",
        "generic",
        "stores",
        &format!("--from-literal=REDIS_URL=redis://:secret@{}:6379/", host("redis")),
        &format!("--from-literal=DATABASE_URL=postgres://postgres:secret@{}/postgres", host("db")),
        &format!("--from-literal=READER_DATABASE_URL=postgres://urna_reader@{}/postgres", host("db")),
    ]);
    cluster.apply(&["own-stores"], "");
    for service in ["vote", "worker", "result"] {
        cluster.rolled_out(&format!("deployment/{service}"));
    }
    Voter::arrive(VOTE).await.insist(&[VOTE], "a").await;
    totals_of(RESULT, "the vote", |totals| totals["total"] == 1 && totals["waiting"] == 0).await;
    cluster.verify();
}

impl Cluster {
    /// Waits until Prometheus answers a question with at least one value.
    async fn measures(&self, question: &str) {
        eventually(question, async || {
            let ask = ["promtool", "query", "instant", "http://localhost:9090", question];
            let (answered, values) =
                self.attempt(&[&["exec", "deployment/prometheus", "--"], &ask[..]].concat());
            (answered && values.contains("=>")).then_some(())
        })
        .await;
    }

    /// A Redis and a PostgreSQL as their images start them, in a namespace without policies.
    fn stores_elsewhere(&self) -> impl Drop + use<'_> {
        let gone = || {
            self.attempt(&["delete", "namespace", ELSEWHERE, "--ignore-not-found", "--timeout=120s"]);
        };
        gone();
        self.kubectl(&["create", "namespace", ELSEWHERE]);
        let durable = ["--requirepass", "secret", "--appendonly", "yes", "--appendfsync", "always"];
        self.runs_elsewhere(&["redis", "--image=redis:8-alpine", "--port=6379"], &durable);
        let password = "--env=POSTGRES_PASSWORD=secret";
        self.runs_elsewhere(&["db", "--image=postgres:18-alpine", "--port=5432", password], &[]);
        Afterwards(gone)
    }

    /// Runs a pod with a Service of its name.
    fn runs_elsewhere(&self, pod: &[&str], arguments: &[&str]) {
        let there = format!("--namespace={ELSEWHERE}");
        let run = [&["run"], pod, &["--expose", "--image-pull-policy=IfNotPresent", &there, "--"], arguments];
        self.kubectl(&run.concat());
        self.kubectl(&["wait", "pod", pod[0], "--for=condition=Ready", "--timeout=120s", &there]);
    }
}
