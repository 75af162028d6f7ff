//! Faults on purpose, and the map, in the containers of `docker compose`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use harness::{Voter, client, eventually, map_says, map_shows, map_tells, totals_of};
use serde_json::Value;
use tempfile::TempDir;

use crate::compose::Compose;
use crate::{COMPOSE, ROOT, turn, vote_and_count};

/// A new release of `vote`, which is the same program under another name.
const RELEASE_2: &str = "services: { vote: { environment: { RELEASE: \"2\" } } }";

/// The exit code of a program that was killed, as the kernel does when memory runs out. A crash has another one.
const KILLED: &str = "137";

#[tokio::test]
async fn faults_on_purpose_do_what_they_say_and_every_recorded_vote_is_counted_once() {
    let (_turn, urna) = (turn(&COMPOSE).await, Compose::of("compose.yaml", Path::new(ROOT)));
    urna.up(&[]);
    let mut voters = Voter::arrive_many(&urna.vote, 3).await;
    vote_and_count(&urna.vote, &urna.result, &mut voters, "a").await;
    urna.refuses_too_long_a_delay();
    urna.is_slow_and_says_so().await;
    urna.fails_votes_and_then_records_them(&mut voters).await;
    urna.keeps_votes_waiting_while_the_worker_fails(&mut voters).await;
    urna.is_unready_and_still_answers(&mut voters).await;
    urna.hangs_until_its_time_is_over().await;
    vote_and_count(&urna.vote, &urna.result, &mut voters, "b").await;
    urna.takes_memory_until_it_is_killed().await;
    vote_and_count(&urna.vote, &urna.result, &mut voters, "a").await;
    urna.compose(&["exec", "-T", "worker", "/worker", "verify"]);
}

#[tokio::test]
async fn the_map_tells_of_an_update_a_kill_and_a_stop() {
    let (_turn, urna) = (turn(&COMPOSE).await, Compose::of("compose.yaml", Path::new(ROOT)));
    urna.up(&[]);
    let mut voters = Voter::arrive_many(&urna.vote, 3).await;
    vote_and_count(&urna.vote, &urna.result, &mut voters, "a").await;
    let old = urna.replica("vote");
    urna.updates_vote();
    map_tells(&urna.result, &format!("{old} stopped")).await;
    map_tells(&urna.result, &format!("{} appeared (release 2)", urna.replica("vote"))).await;
    map_says(&urna.result, ">2</span>").await;
    vote_and_count(&urna.vote, &urna.result, &mut voters, "b").await;

    let worker = urna.replica("worker");
    urna.compose(&["kill", "worker"]);
    urna.is_shown(&worker, "silent").await;
    map_tells(&urna.result, &format!("{worker} went silent")).await;
    urna.compose(&["start", "worker"]);
    map_tells(&urna.result, &format!("{worker} restarted")).await;
    urna.is_shown(&worker, "well").await;

    // Compose has no nodes that could be drained. To stop the only worker empties its place as well.
    urna.compose(&["stop", "worker"]);
    map_tells(&urna.result, &format!("{worker} stopped")).await;
    map_shows(&urna.result, "no worker", |picture| picture.values().all(|here| !here.contains_key(&worker)))
        .await;
    urna.compose(&["start", "worker"]);
    vote_and_count(&urna.vote, &urna.result, &mut voters, "a").await;
}

impl Compose {
    fn refuses_too_long_a_delay(&self) {
        let (taken, said) = self.orders("vote", "slow 99s");
        assert!(!taken && said.contains("'99s'") && said.contains("at most 30s"), "{said}");
    }

    async fn is_slow_and_says_so(&self) {
        self.fault("vote", "slow 1s");
        map_says(&self.result, "⚡ slow 1s").await;
        self.is_shown(&self.replica("vote"), "doubtful").await;
        eventually("the fault in the status", async || {
            let status = client().get(format!("{}/api/status", self.result)).send().await.ok()?;
            let status: Value = serde_json::from_str(&status.text().await.ok()?).ok()?;
            (status["hops"][0]["replicas"][0]["fault"] == "slow 1s").then_some(())
        })
        .await;
        self.fault("vote", "none");
        self.is_shown(&self.replica("vote"), "well").await;
    }

    /// A vote that was refused counts only after its voter has pressed again.
    async fn fails_votes_and_then_records_them(&self, voters: &mut [Voter]) {
        self.fault("vote", "errors 100%");
        for voter in voters.iter_mut() {
            let answer = voter.vote(&self.vote, "b").await.unwrap();
            assert_eq!(answer.status(), 503);
            let text = answer.text().await.unwrap();
            assert!(text.contains("Not recorded"), "{text}");
        }
        self.fault("vote", "none");
        let former = |totals: &Value| totals["waiting"] == 0 && totals["options"][0]["votes"] == voters.len();
        totals_of(&self.result, "no vote of those that were refused", former).await;
        vote_and_count(&self.vote, &self.result, voters, "b").await;
    }

    async fn keeps_votes_waiting_while_the_worker_fails(&self, voters: &mut [Voter]) {
        self.fault("worker", "errors 100%");
        for voter in voters.iter_mut() {
            voter.insist(&[&self.vote], "a").await;
        }
        totals_of(&self.result, "votes that wait", |totals| totals["waiting"] == voters.len()).await;
        self.fault("worker", "none");
        let counted =
            |totals: &Value| totals["waiting"] == 0 && totals["options"][0]["votes"] == voters.len();
        totals_of(&self.result, "every vote", counted).await;
    }

    async fn is_unready_and_still_answers(&self, voters: &mut [Voter]) {
        self.fault("vote", "unready --for 5m");
        let ask = ["compose", "exec", "-T", "vote", "/vote", "healthcheck", "--ready"];
        let (ready, said) = self.attempt("docker", &ask);
        assert!(!ready && said.contains("unready on purpose"), "{said}");
        self.becomes("vote", "unhealthy").await;
        vote_and_count(&self.vote, &self.result, voters, "b").await;
        self.fault("vote", "none");
        self.becomes("vote", "healthy").await;
    }

    /// Docker tells that the service hangs, and leaves it alone: it is the same container that comes back.
    async fn hangs_until_its_time_is_over(&self) {
        let (replica, start) = (self.replica("vote"), self.inspect("vote", "{{.State.StartedAt}}"));
        self.fault("vote", "hang --for 1m");
        self.is_shown(&replica, "silent").await;
        self.becomes("vote", "unhealthy").await;
        self.becomes("vote", "healthy").await;
        self.is_shown(&replica, "well").await;
        assert_eq!(self.inspect("vote", "{{.State.StartedAt}}"), start);
    }

    async fn takes_memory_until_it_is_killed(&self) {
        let start = self.inspect("vote", "{{.State.StartedAt}}");
        let restarts = || self.inspect("vote", "{{.RestartCount}}").parse::<u32>().unwrap();
        let before = restarts();
        self.fault("vote", "memory");
        self.restarted("vote", &start).await;
        assert_eq!(restarts(), before + 1);
        assert_eq!(self.last_exit_code("vote"), KILLED);
        map_tells(&self.result, &format!("{} restarted", self.replica("vote"))).await;
    }

    /// Recreates the container of `vote`, with a new release.
    fn updates_vote(&self) {
        let folder = TempDir::new().unwrap();
        let overlay = folder.path().join("release.yaml");
        fs::write(&overlay, RELEASE_2).unwrap();
        let files = ["-f", "compose.yaml", "-f", overlay.to_str().unwrap()];
        self.compose(&[&files[..], &["up", "--detach", "--wait", "--wait-timeout", "60", "vote"]].concat());
    }

    /// Orders a fault that is possible.
    fn fault(&self, service: &str, order: &str) {
        let (taken, said) = self.orders(service, order);
        assert!(taken, "fault {order}: {said}");
    }

    /// Orders a fault. Returns whether the order was taken, and what was printed.
    fn orders(&self, service: &str, order: &str) -> (bool, String) {
        let program = format!("/{service}");
        let order: Vec<&str> = ["compose", "exec", "-T", service, &program, "fault"]
            .into_iter()
            .chain(order.split(' '))
            .collect();
        self.attempt("docker", &order)
    }

    /// Waits until Docker has found this out about the service's health.
    async fn becomes(&self, service: &str, health: &str) {
        eventually(&format!("{service} to be {health}"), async || {
            (self.inspect(service, "{{.State.Health.Status}}") == health).then_some(())
        })
        .await;
    }

    /// Waits until the map shows the replica in this state.
    async fn is_shown(&self, replica: &str, state: &str) {
        let is_so = |here: &BTreeMap<String, String>| here.get(replica).is_some_and(|now| now == state);
        map_shows(&self.result, &format!("{replica} as {state}"), |picture| picture.values().any(is_so))
            .await;
    }

    /// The name of the service's only replica, which is that of its container.
    fn replica(&self, service: &str) -> String {
        self.inspect(service, "{{.Config.Hostname}}")
    }

    /// The exit code with which the service's container ended last. Docker forgets it when it starts the container again.
    fn last_exit_code(&self, service: &str) -> String {
        let container = format!("container={}", self.container(service));
        let code = "{{index .Actor.Attributes \"exitCode\"}}";
        let ends = [
            "events",
            "--since=10m",
            "--until=0s",
            "--filter=event=die",
            "--filter",
            &container,
            "--format",
            code,
        ];
        self.run("docker", &ends).lines().last().unwrap_or_default().to_owned()
    }
}
