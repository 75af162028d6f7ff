//! Faults on purpose, and what Kubernetes and the map make of them.

use std::collections::BTreeSet;

use harness::{Voter, eventually, map_says, map_tells, totals_of};
use serde_json::Value;

use crate::cluster::{Cluster, RESULT, VOTE};

#[tokio::test(flavor = "multi_thread")]
async fn faults_on_purpose_are_found_restarted_and_shown_and_every_vote_is_counted_once() {
    let cluster = Cluster::with("urna-test-on-purpose", &[]).await;
    let mut voters = Voter::arrive_many(VOTE, 3).await;
    for voter in &mut voters {
        voter.insist(&[VOTE], "a").await;
    }
    cluster.leaves_the_service_while_it_is_unready().await;
    cluster.keeps_votes_waiting_while_the_worker_fails(&mut voters).await;
    cluster.takes_memory_until_it_is_killed().await;
    cluster.is_restarted_when_it_hangs().await;
    for voter in &mut voters {
        voter.insist(&[VOTE], "a").await;
    }
    let all =
        |totals: &Value| totals["options"][0]["votes"] == 3 && totals["total"] == 3 && totals["waiting"] == 0;
    totals_of(RESULT, "every vote once", all).await;
    cluster.verify();
}

impl Cluster {
    async fn leaves_the_service_while_it_is_unready(&self) {
        let pod = self.pods("vote").remove(0);
        assert!(self.behind("vote").contains(&pod));
        self.fault(&pod, "vote", "unready --for 5m");
        eventually("a Service without the pod", async || (!self.behind("vote").contains(&pod)).then_some(()))
            .await;
        map_says(RESULT, "⚡ unready").await;
        Voter::arrive(VOTE).await;
        self.fault(&pod, "vote", "none");
        eventually("a Service with the pod", async || self.behind("vote").contains(&pod).then_some(())).await;
    }

    async fn keeps_votes_waiting_while_the_worker_fails(&self, voters: &mut [Voter]) {
        let worker = self.pods("worker").remove(0);
        self.fault(&worker, "worker", "errors 100% --for 5m");
        for voter in voters.iter_mut() {
            voter.insist(&[VOTE], "b").await;
        }
        totals_of(RESULT, "votes that wait", |totals| totals["waiting"] == voters.len()).await;
        map_says(RESULT, "⚡ errors 100%").await;
        self.fault(&worker, "worker", "none");
        let counted =
            |totals: &Value| totals["waiting"] == 0 && totals["options"][1]["votes"] == voters.len();
        totals_of(RESULT, "the votes that waited", counted).await;
    }

    async fn takes_memory_until_it_is_killed(&self) {
        let pod = self.pods("vote").remove(0);
        let before = self.restarts(&pod);
        self.fault(&pod, "vote", "memory");
        let last = "/status/containerStatuses/0/lastState/terminated/reason";
        eventually("a pod without memory", async || {
            (self.get(&format!("pod/{pod}")).pointer(last)? == "OOMKilled").then_some(())
        })
        .await;
        self.restarts_once(&pod, before).await;
    }

    /// The liveness probe finds it. A service that hangs does not hear that it should stop, so Kubernetes waits for as
    /// long as it lets any pod stop, and then kills it.
    async fn is_restarted_when_it_hangs(&self) {
        // Not the pod that memory has restarted already: the map tells of that one, too.
        let pod = self.pods("vote").pop().unwrap();
        let before = self.restarts(&pod);
        self.fault(&pod, "vote", "hang --for 10m");
        map_tells(RESULT, &format!("{pod} went silent")).await;
        self.says("Container vote failed liveness probe, will be restarted").await;
        self.restarts_once(&pod, before).await;
    }

    /// Waits until Kubernetes has started the pod's container once more, and the map has told so.
    async fn restarts_once(&self, pod: &str, before: u64) {
        eventually("a restart", async || (self.restarts(pod) == before + 1).then_some(())).await;
        map_tells(RESULT, &format!("{pod} restarted")).await;
        self.rolled_out("deployment/vote");
    }

    fn fault(&self, pod: &str, service: &str, order: &str) {
        let program = format!("/{service}");
        let words = ["exec", pod, "--", &program, "fault"].into_iter().chain(order.split(' '));
        self.kubectl(&words.collect::<Vec<_>>());
    }

    /// How often the container of a pod was started again.
    fn restarts(&self, pod: &str) -> u64 {
        self.get(&format!("pod/{pod}"))["status"]["containerStatuses"][0]["restartCount"].as_u64().unwrap()
    }

    /// The pods to which a Service sends requests.
    fn behind(&self, service: &str) -> BTreeSet<String> {
        let selector = format!("--selector=kubernetes.io/service-name={service}");
        let slices = self.kubectl(&["get", "endpointslices", &selector, "--output=json"]);
        let slices: Value = serde_json::from_str(&slices).unwrap();
        let slices = slices["items"].as_array().unwrap().iter();
        let endpoints = slices.flat_map(|slice| slice["endpoints"].as_array().into_iter().flatten());
        let ready = endpoints.filter(|endpoint| endpoint["conditions"]["ready"] == true);
        ready.map(|endpoint| endpoint["targetRef"]["name"].as_str().unwrap().to_owned()).collect()
    }
}
