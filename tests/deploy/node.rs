//! A node of a swarm: a Docker Engine in a container.

use std::fs;
use std::process::Command;

use harness::{Voter, client, eventually};
use tempfile::TempDir;

use crate::ROOT;

/// The routing mesh needs IPVS, which some kernels lack. The tests reach the services through an
/// nginx of their own instead, so that the shipped stack needs no change.
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
    deploy: { placement: { constraints: [node.role == manager] } }
configs:
  door: { file: ./door.conf }
networks:
  public: { name: urna_public, external: true }
";

pub struct Node {
    pub container: String,
}

impl Node {
    /// Runs `docker` on the node; it must succeed.
    pub fn docker(&self, arguments: &[&str]) -> String {
        let (succeeded, output) = self.attempt(arguments);
        assert!(succeeded, "docker {arguments:?} failed on {}:\n{output}", self.container);
        output.trim().to_owned()
    }

    /// Runs `docker` on the node. Returns whether it succeeded, and its output.
    pub fn attempt(&self, arguments: &[&str]) -> (bool, String) {
        attempt("docker", &[&["exec", "--workdir=/urna", &self.container, "docker"], arguments].concat())
    }

    /// Runs a script on the node; it must succeed.
    pub fn shell(&self, script: &str) {
        let arguments = ["exec", "--workdir=/urna", &self.container, "sh", "-euc", script];
        let (succeeded, output) = attempt("docker", &arguments);
        assert!(succeeded, "{script} failed on {}:\n{output}", self.container);
    }

    /// Copies images from this machine to the node.
    pub fn load(&self, images: &[&str]) {
        for image in images {
            run(&format!("docker image inspect {image} >/dev/null || docker pull --quiet {image}"));
        }
        run(&format!("docker save {} | docker exec -i {} docker load", images.join(" "), self.container));
    }

    /// Copies the stack's files to the node.
    pub fn take_files(&self) {
        let folder = TempDir::new().expect("a temporary folder");
        let path = folder.path().display();
        run(&format!("cp -r stack.yml poll.toml compose {path}"));
        let door = fs::read_to_string(folder.path().join("compose/door.conf")).expect("the door's settings");
        let door = door.replace("vote:80", "tasks.vote:80").replace("result:80", "tasks.result:80");
        fs::write(folder.path().join("door.conf"), door).expect("a file");
        fs::write(folder.path().join("door.yml"), DOOR).expect("a file");
        run(&format!("docker cp --quiet {path}/. {}:/urna", self.container));
    }

    /// Starts the nginx, and redirects the two published ports to it. Returns the first voters.
    pub async fn open_door(&self, vote: &str) -> Vec<Voter> {
        self.load(&["nginx:1-alpine"]);
        self.docker(&["stack", "deploy", "--resolve-image=never", "-c", "door.yml", "door"]);
        for (mesh, door) in [(8000, 9000), (8001, 9001)] {
            let lead = format!("-i eth0 -p tcp --dport {mesh} -j REDIRECT --to-ports {door}");
            self.shell(&format!("iptables -t nat -I PREROUTING {lead}"));
        }
        eventually("the page", async || {
            client().get(vote).send().await.ok().filter(|answer| answer.status() == 200).map(|_| ())
        })
        .await;
        Voter::arrive_many(vote, 3).await
    }
}

/// Runs a shell command in the project's folder; every part of it must succeed.
pub fn run(line: &str) -> String {
    let (succeeded, output) = attempt("bash", &["-o", "pipefail", "-c", line]);
    assert!(succeeded, "{line} failed:\n{output}");
    output.trim().to_owned()
}

/// Runs a program in the project's folder. Returns whether it succeeded, and its output.
pub fn attempt(program: &str, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(program).args(arguments).current_dir(ROOT).output().expect("a program");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}
