//! Nodes that are drained, stopped and started again, and a cluster without its control plane.

use std::time::{Duration, Instant};

use harness::{is_empty, map_shows, totals_of};
use tokio::time::sleep;

use crate::cluster::{Afterwards, Cluster, RESULT, docker};
use crate::crowd::{Impatient, during};
use crate::faults::tell;

/// How long the control plane is away.
const WITHOUT_CONTROL: Duration = Duration::from_secs(60);

/// The programs of the control plane that decide. While they are paused, nodes and pods go on as they are.
const CONTROL: &str = "kube-apiserver|kube-scheduler|kube-controller-manager";

#[tokio::test(flavor = "multi_thread")]
async fn nodes_leave_and_come_back_and_every_vote_is_counted_once() {
    let cluster = Cluster::with("urna-test-nodes", &[]).await;
    let impatient = Impatient::begin().await;
    cluster.crowd(300).await;
    for node in cluster.workers() {
        cluster.drains(&node, &impatient).await;
    }
    let stopped = cluster.workers().pop().unwrap();
    cluster.loses_for_a_while(&stopped, &impatient);
    println!("{}", cluster.crowd_is_counted());
    cluster.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_control_plane_votes_are_taken_counted_and_shown() {
    let cluster = Cluster::with("urna-test-control", &[]).await;
    let elsewhere = cluster.workers().remove(0);
    let impatient = Impatient::begin().await;
    cluster.crowd_on(&elsewhere, &during(150)).await;

    let start = Instant::now();
    let control = paused(&cluster.control_plane());
    let before = totals_of(RESULT, "totals", |_| true).await["total"].as_u64();
    totals_of(RESULT, "more totals", |totals| totals["total"].as_u64() > before).await;
    // This is the fault itself, not a wait for something.
    sleep(WITHOUT_CONTROL.saturating_sub(start.elapsed())).await;
    assert_eq!(impatient.failures_since(start), 0, "votes that were not recorded without a control plane");
    drop(control);

    let start = Instant::now();
    docker(&["restart", &cluster.control_plane()]);
    cluster.answers_again();
    cluster.ready();
    tell("until all is ready after a restart of the control plane's node", start.elapsed().as_secs_f64());
    println!("{}", cluster.crowd_is_counted());
    cluster.verify();
}

impl Cluster {
    /// The nodes without the control plane.
    pub fn workers(&self) -> Vec<String> {
        let names = "--output=jsonpath={.items[*].metadata.name}";
        let selector = "--selector=!node-role.kubernetes.io/control-plane";
        let names = self.kubectl(&["get", "nodes", selector, names]);
        names.split_whitespace().map(str::to_owned).collect()
    }

    async fn drains(&self, node: &str, impatient: &Impatient) {
        let start = Instant::now();
        let stores = self.stores_on(node);
        self.kubectl(&[
            "drain",
            node,
            "--ignore-daemonsets",
            "--delete-emptydir-data",
            "--timeout=120s",
            "--pod-selector=app.kubernetes.io/part-of=urna",
        ]);
        // With Redis on that node, the map keeps the last picture.
        if stores.is_empty() {
            map_shows(RESULT, "an empty node", |picture| is_empty(picture, node)).await;
        }
        // The volumes of the stores are on this node, so the stores wait for the node, and new replicas wait for the stores.
        self.kubectl(&["uncordon", node]);
        self.ready();
        tell(
            &format!("without a recorded vote while {node} with {stores:?} was drained"),
            impatient.waited_since(start),
        );
    }

    /// Stops a node. Starts it again once Kubernetes has noticed and the pages have all their replicas elsewhere: this
    /// node was drained last, so the pages are on other nodes already.
    fn loses_for_a_while(&self, node: &str, impatient: &Impatient) {
        let start = Instant::now();
        let stores = self.stores_on(node);
        docker(&["stop", "--time=0", node]);
        self.kubectl(&["wait", "node", node, "--for=condition=Ready=Unknown", "--timeout=120s"]);
        tell(&format!("until Kubernetes noticed that {node} was gone"), start.elapsed().as_secs_f64());
        for page in ["deployment/vote", "deployment/result"] {
            self.kubectl(&["rollout", "status", page, "--timeout=180s"]);
        }
        tell("until the pages had all their replicas on other nodes", start.elapsed().as_secs_f64());
        docker(&["start", node]);
        self.kubectl(&["wait", "node", node, "--for=condition=Ready", "--timeout=120s"]);
        self.ready();
        tell(
            &format!("without a recorded vote while {node} with {stores:?} was gone"),
            impatient.waited_since(start),
        );
    }

    fn stores_on(&self, node: &str) -> Vec<&'static str> {
        ["redis-0", "db-0"]
            .into_iter()
            .filter(|store| self.get(&format!("pod/{store}"))["spec"]["nodeName"] == node)
            .collect()
    }

    fn answers_again(&self) {
        let deadline = Instant::now() + Duration::from_secs(120);
        while !self.attempt(&["get", "--raw=/readyz"]).0 {
            assert!(Instant::now() < deadline, "the API does not answer again");
        }
    }
}

/// Pauses the programs of a control plane until the value is dropped.
#[must_use]
pub fn paused(node: &str) -> impl Drop + use<> {
    let tell = |signal: &'static str| {
        let node = node.to_owned();
        move || docker(&["exec", &node, "pkill", signal, "-f", CONTROL])
    };
    tell("-STOP")();
    Afterwards(tell("-CONT"))
}
