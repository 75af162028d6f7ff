//! Replicas that come and go, by hand and by themselves.

use std::time::Instant;

use harness::{Voter, eventually, totals_of};

use crate::cluster::{Cluster, RESULT, VOTE};
use crate::crowd::Impatient;
use crate::faults::tell;

#[tokio::test(flavor = "multi_thread")]
async fn by_hand_from_one_to_five_and_back_no_vote_is_refused() {
    let cluster = Cluster::with("urna-test-scale", &[]).await;
    let impatient = Impatient::begin().await;
    cluster.crowd(60).await;
    let start = Instant::now();
    for replicas in ["1", "5", "1"] {
        for service in ["vote", "worker", "result"] {
            cluster.kubectl(&["scale", "deployment", service, &format!("--replicas={replicas}")]);
        }
        cluster.ready();
    }
    assert_eq!(impatient.failures_since(start), 0);
    println!("{}", cluster.crowd_is_counted());
    cluster.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_makes_vote_grow_and_votes_that_wait_make_workers_grow() {
    let cluster = Cluster::empty("urna-test-autoscale").await;
    cluster.apply(&["autoscale"], &impatience(cluster.namespace));
    cluster.ready();
    cluster.grows_under_a_crowd().await;
    cluster.grows_while_votes_wait().await;
    cluster.verify();
}

/// In a test, a small crowd and few waiting votes must be enough for more replicas, and a short quiet time for fewer. A
/// busy machine gives a page so little processor time that it would never use what the component waits for.
fn impatience(namespace: &str) -> String {
    format!(
        "  - target: {{ kind: ScaledObject, name: worker }}
    patch: |
      - {{ op: replace, path: /spec/triggers/0/metadata/url, value: 'http://result.{namespace}/api/totals' }}
      - {{ op: replace, path: /spec/triggers/0/metadata/targetValue, value: '20' }}
      - {{ op: replace, path: /spec/advanced/horizontalPodAutoscalerConfig/behavior/scaleDown/stabilizationWindowSeconds, value: 10 }}
  - target: {{ kind: HorizontalPodAutoscaler }}
    patch: |
      - {{ op: replace, path: /spec/behavior/scaleDown/stabilizationWindowSeconds, value: 10 }}
      - {{ op: replace, path: /spec/metrics/0/resource/target/averageUtilization, value: 60 }}
"
    )
}

impl Cluster {
    async fn grows_under_a_crowd(&self) {
        let start = Instant::now();
        let all_at_once = ["--duration=90s", "--concurrency=100", "--viewers=0"].map(str::to_owned);
        self.crowd_on(&self.control_plane(), &all_at_once).await;
        self.replicas("vote", |replicas| replicas > 2).await;
        tell("until a crowd had made vote grow", start.elapsed().as_secs_f64());
        println!("{}", self.crowd_is_counted());
        self.replicas("vote", |replicas| replicas == 2).await;
        self.replicas("worker", |replicas| replicas == 1).await;
    }

    async fn grows_while_votes_wait(&self) {
        self.kubectl(&["scale", "statefulset", "db", "--replicas=0"]);
        let start = Instant::now();
        for mut voter in Voter::arrive_many(VOTE, 100).await {
            voter.insist(&[VOTE], "a").await;
        }
        self.replicas("worker", |replicas| replicas > 1).await;
        tell("until votes that wait had made workers grow", start.elapsed().as_secs_f64());
        self.kubectl(&["scale", "statefulset", "db", "--replicas=1"]);
        totals_of(RESULT, "every vote", |totals| totals["waiting"] == 0).await;
        self.replicas("worker", |replicas| replicas == 1).await;
    }

    /// Waits until the number of replicas that a Deployment wants is enough.
    async fn replicas(&self, deployment: &str, are_enough: impl Fn(u64) -> bool) {
        // The autoscalers look every few seconds, and need two samples. So this may take twice as long as other waits.
        for _ in 0..2 {
            let wanted = async || {
                let replicas = self.get(&format!("deployment/{deployment}"))["spec"]["replicas"].as_u64()?;
                are_enough(replicas).then_some(())
            };
            if tokio::time::timeout(std::time::Duration::from_secs(55), eventually("replicas", wanted))
                .await
                .is_ok()
            {
                return;
            }
        }
        panic!("{deployment} has the wrong number of replicas:\n{}", self.kubectl(&["describe", "hpa"]));
    }
}
