//! Pods that are killed and releases that are replaced while a crowd votes.

use std::time::Instant;

use harness::{Voter, at_work, map_shows, map_tells};

use crate::cluster::{Cluster, RESULT, VOTE};
use crate::crowd::Impatient;

/// A replica tells the release that its pod has as a label.
const RELEASE_2: &str =
    r#"{ "spec": { "template": { "metadata": { "labels": { "app.kubernetes.io/version": "2" } } } } }"#;

#[tokio::test(flavor = "multi_thread")]
async fn in_a_round_of_lost_pods_and_bad_releases_every_vote_is_counted_once() {
    let cluster = Cluster::empty("urna-test-round").await;
    let start = Instant::now();
    cluster.apply(&[], "");
    cluster.ready();
    tell("from apply to all ready", start.elapsed().as_secs_f64());
    let mut voter = Voter::arrive(VOTE).await;
    voter.insist(&[VOTE], "b").await;
    let impatient = Impatient::begin().await;
    cluster.crowd(150).await;
    let lost = ["vote", "worker", "result", "redis", "db"].map(|pod| cluster.loses_a_pod_of(pod, &impatient));
    cluster.map_shows_the_successors_of(&lost).await;
    cluster.replaces_a_release(&impatient).await;
    cluster.refuses_a_bad_release(&impatient);
    println!("{}", cluster.crowd_is_counted());
    cluster.verify();
}

impl Cluster {
    fn loses_a_pod_of(&self, service: &str, impatient: &Impatient) -> String {
        let start = Instant::now();
        let lost = self.kills_a_pod_of(service);
        self.ready();
        tell(
            &format!("without a recorded vote after the loss of a pod of {service}"),
            impatient.waited_since(start),
        );
        lost
    }

    /// Deletes a pod, and gives it no time to end. Returns its name.
    pub fn kills_a_pod_of(&self, service: &str) -> String {
        let pod = self.pods(service).pop().unwrap();
        self.kubectl(&["delete", "pod", &pod, "--grace-period=0", "--force"]);
        pod
    }

    async fn map_shows_the_successors_of(&self, lost: &[String]) {
        let here: Vec<String> =
            ["vote", "worker", "result"].iter().flat_map(|name| self.pods(name)).collect();
        map_shows(RESULT, "who took the place of the lost pods", |picture| {
            let working = at_work(picture);
            here.iter().all(|pod| working.contains(pod)) && !lost.iter().any(|pod| working.contains(pod))
        })
        .await;
    }

    async fn replaces_a_release(&self, impatient: &Impatient) {
        let start = Instant::now();
        self.kubectl(&["rollout", "restart", "deployment/result"]);
        self.kubectl(&["patch", "deployment", "vote", "--patch", RELEASE_2]);
        self.ready();
        map_tells(RESULT, "rollout of vote: release 2 on 2 of 2").await;
        self.kubectl(&["rollout", "undo", "deployment/vote"]);
        self.ready();
        let waited = impatient.waited_since(start);
        tell("without a recorded vote during two rollouts", waited);
    }

    /// An image that does not exist, and then a wrong password: the old replicas serve on.
    fn refuses_a_bad_release(&self, impatient: &Impatient) {
        let start = Instant::now();
        for bad in [
            ["set", "image", "deployment/vote", "vote=urna-vote:no-such-release"],
            ["set", "env", "deployment/vote", "REDIS_PASSWORD_FILE=/run/secrets/cookie_key"],
        ] {
            let old = self.pods("vote");
            self.kubectl(&bad);
            let (rolled_out, output) =
                self.attempt(&["rollout", "status", "deployment/vote", "--timeout=15s"]);
            assert!(!rolled_out, "{bad:?}: {output}");
            assert!(
                old.iter().all(|pod| self.pods("vote").contains(pod)),
                "{bad:?}: {:?}",
                self.pods("vote")
            );
            self.kubectl(&["rollout", "undo", "deployment/vote"]);
            self.rolled_out("deployment/vote");
        }
        tell("without a recorded vote during two bad releases", impatient.waited_since(start));
    }
}

/// Prints a measured time. docs/kubernetes.md quotes some of these times.
pub fn tell(what: &str, seconds: f64) {
    println!("measured: {seconds:.1} s {what}");
}
