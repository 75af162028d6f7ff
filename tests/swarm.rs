//! `docker stack deploy`, on a node of its own: a Docker Engine in a container.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use crate::harness::{Voter, client, eventually, free_port, totals_of};
use crate::{ROOT, turn, vote_all_along};

const IMAGES: [&str; 6] =
    ["urna-vote", "urna-worker", "urna-result", "redis:8-alpine", "postgres:18-alpine", "nginx:1-alpine"];

/// The routing mesh needs IPVS, which not every kernel under test has, so the tests come in by a
/// door of their own, and the shipped stack stays as it is.
const DOOR: &str = "
services:
  door:
    image: nginx:1-alpine
    command: [nginx, -c, /etc/nginx/door.conf, -e, stderr]
    networks: [public]
    ports:
      - { target: 8000, published: 9000, mode: host }
      - { target: 8001, published: 9001, mode: host }
    configs: [{ source: door, target: /etc/nginx/door.conf }]
configs:
  door: { file: ./door.conf }
";

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_scales_heals_updates_and_rolls_back_and_counts_every_vote_once() {
    let (_turn, node) = (turn().await, Node::start().await);
    node.docker(&["stack", "deploy", "--resolve-image=never", "-c", "stack.yml", "-c", "door.yml", "urna"]);
    node.runs("urna_vote", "2/2").await;
    node.runs("urna_result", "2/2").await;
    let mut voter = arrive(&node.vote).await;
    voter.insist(&[&node.vote], "a").await;
    totals_of(&node.result, "the first vote", |totals| totals["options"][0]["votes"] == 1).await;

    node.docker(&["service", "scale", "urna_worker=3"]);
    node.runs("urna_worker", "3/3").await;
    let task = node.docker(&["ps", "--quiet", "--filter", "name=urna_vote.1"]);
    node.docker(&["kill", task.trim()]);
    node.tasks("urna_vote", "Failed").await;
    node.runs("urna_vote", "2/2").await;

    // Voters vote on while every replica of both pages is replaced.
    let load = tokio::spawn(vote_all_along(node.vote.clone(), node.result.clone(), voter.clone(), "b"));
    for service in ["urna_vote", "urna_result"] {
        tokio::task::block_in_place(|| node.docker(&["service", "update", "--force", "--quiet", service]));
    }
    load.abort();
    assert!(load.await.is_err_and(|error| error.is_cancelled()), "a request failed during the update");

    let sick =
        ["--health-cmd=/nothing", "--health-interval=1s", "--health-retries=1", "--health-start-period=1s"];
    node.attempt(&[&["service", "update", "--quiet"], &sick[..], &["urna_vote"]].concat());
    let state = node.docker(&["service", "inspect", "--format={{.UpdateStatus.State}}", "urna_vote"]);
    assert_eq!(state.trim(), "rollback_completed");
    node.runs("urna_vote", "2/2").await;

    Voter::arrive(&node.vote).await.insist(&[&node.vote], "a").await;
    let two = |totals: &serde_json::Value| totals["total"] == 2 && totals["waiting"] == 0;
    totals_of(&node.result, "both voters, each once", two).await;
    let worker = node.docker(&["ps", "--quiet", "--filter", "name=urna_worker.1"]);
    node.docker(&["exec", worker.trim(), "/worker", "verify"]);
}

/// The first page comes once the door is open and has found somebody behind it.
async fn arrive(url: &str) -> Voter {
    eventually("the page", async || {
        client().get(url).send().await.ok().filter(|answer| answer.status() == 200).map(|_| ())
    })
    .await;
    Voter::arrive(url).await
}

/// A swarm of one.
struct Node {
    container: String,
    vote: String,
    result: String,
}

impl Node {
    async fn start() -> Self {
        let (vote, result) = (free_port(), free_port());
        let container = format!("urna-test-node-{vote}");
        let node = Self {
            vote: format!("http://127.0.0.1:{vote}"),
            result: format!("http://127.0.0.1:{result}"),
            container,
        };
        let (vote, result) = (format!("127.0.0.1:{vote}:9000"), format!("127.0.0.1:{result}:9001"));
        let start =
            ["run", "--detach", "--privileged", "--name", &node.container, "-p", &vote, "-p", &result];
        run("docker", &[&start[..], &["docker:28-dind"]].concat());
        node.take_files();
        eventually("the engine of the node", async || node.attempt(&["info"]).0.then_some(())).await;
        let load =
            format!("docker save {} | docker exec -i {} docker load", IMAGES.join(" "), node.container);
        run("sh", &["-c", &load]);
        node.docker(&["swarm", "init", "--advertise-addr=eth0"]);
        node
    }

    fn take_files(&self) {
        let folder = TempDir::new().expect("a temporary folder");
        let path = folder.path().display();
        run("sh", &["-c", &format!("cd {ROOT} && cp -r stack.yml poll.toml compose {path}")]);
        let door = fs::read_to_string(folder.path().join("compose/door.conf")).expect("the door's settings");
        let door = door.replace("vote:80", "tasks.vote:80").replace("result:80", "tasks.result:80");
        fs::write(folder.path().join("door.conf"), door).expect("a file");
        fs::write(folder.path().join("door.yml"), DOOR).expect("a file");
        run("docker", &["cp", "--quiet", &format!("{path}/."), &format!("{}:/urna", self.container)]);
    }

    /// Runs `docker` on the node; it must succeed.
    fn docker(&self, arguments: &[&str]) -> String {
        let (succeeded, output) = self.attempt(arguments);
        assert!(succeeded, "docker {arguments:?} failed on the node:\n{output}");
        output
    }

    fn attempt(&self, arguments: &[&str]) -> (bool, String) {
        attempt("docker", &[&["exec", "--workdir=/urna", &self.container, "docker"], arguments].concat())
    }

    async fn runs(&self, service: &str, replicas: &str) {
        let filter = format!("name={service}");
        eventually(&format!("{service} to have {replicas} replicas"), async || {
            let now = self.docker(&["service", "ls", "--filter", &filter, "--format={{.Replicas}}"]);
            (now.trim() == replicas).then_some(())
        })
        .await;
    }

    async fn tasks(&self, service: &str, state: &str) {
        eventually(&format!("a task of {service} that is {state}"), async || {
            self.docker(&["service", "ps", service, "--format={{.CurrentState}}"])
                .contains(state)
                .then_some(())
        })
        .await;
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        attempt("docker", &["rm", "--force", "--volumes", &self.container]);
    }
}

fn run(program: &str, arguments: &[&str]) -> String {
    let (succeeded, output) = attempt(program, arguments);
    assert!(succeeded, "{program} {arguments:?} failed:\n{output}");
    output
}

fn attempt(program: &str, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(program).args(arguments).output().expect("a program that runs");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}
