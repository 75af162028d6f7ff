//! `docker compose`, on a project of its own.

use std::path::{Path, PathBuf};
use std::process::{self, Command};

use harness::{eventually, free_port};

/// A project of ours, under a name and on ports of its own. It is removed, with its volumes, when dropped.
pub struct Compose {
    /// Where its files are.
    folder: PathBuf,
    env: Vec<(String, String)>,
    pub project: String,
    pub vote: String,
    pub result: String,
}

impl Compose {
    /// A project of these files (separated by colons) in this folder.
    pub fn of(files: &str, folder: &Path) -> Self {
        let (vote, result) = (free_port(), free_port());
        let project = format!("urna-test-{}-{vote}", process::id());
        let env = [
            ("COMPOSE_FILE", files.to_owned()),
            ("COMPOSE_PROJECT_NAME", project.clone()),
            ("VOTE_PORT", vote.to_string()),
            ("RESULT_PORT", result.to_string()),
            // Any that is free: nobody asks there from outside.
            ("PROMETHEUS_PORT", "0".to_owned()),
            // A developer's own .env is none of the tests' business.
            ("POLL", String::new()),
            ("VOTE_URL", String::new()),
            ("RESULT_URL", String::new()),
        ];
        Self {
            folder: folder.to_owned(),
            env: env.map(|(name, value)| (name.to_owned(), value)).to_vec(),
            project,
            vote: format!("http://127.0.0.1:{vote}"),
            result: format!("http://127.0.0.1:{result}"),
        }
    }

    /// `docker compose up`, until everything is healthy: within a minute, as the README says.
    pub fn up(&self, arguments: &[&str]) {
        self.compose(&[&["up", "--detach", "--wait", "--wait-timeout", "60"], arguments].concat());
    }

    /// Runs `docker compose` and returns what it printed; it must succeed.
    pub fn compose(&self, arguments: &[&str]) -> String {
        self.run("docker", &[&["compose"], arguments].concat())
    }

    /// Runs a program in the project's folder and environment; it must succeed.
    pub fn run(&self, program: &str, arguments: &[&str]) -> String {
        let (succeeded, output) = self.attempt(program, arguments);
        assert!(succeeded, "{program} {arguments:?} failed:\n{output}");
        output
    }

    /// The same, for what may fail.
    pub fn attempt(&self, program: &str, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.folder);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        let output = command.output().unwrap_or_else(|error| panic!("cannot run {program}: {error}"));
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    }

    /// The container of a service that runs once.
    pub fn container(&self, service: &str) -> String {
        self.compose(&["ps", "--all", "--quiet", service]).trim().to_owned()
    }

    /// What `docker inspect` tells of it.
    pub fn inspect(&self, service: &str, format: &str) -> String {
        self.run("docker", &["inspect", "--format", format, &self.container(service)]).trim().to_owned()
    }

    /// Waits until Docker has started the service's process anew, and it is well.
    pub async fn restarted(&self, service: &str, former_start: &str) {
        eventually(&format!("Docker to restart {service}"), async || {
            let state = self.inspect(service, "{{.State.StartedAt}} {{.State.Health.Status}}");
            (!state.starts_with(former_start) && state.ends_with(" healthy")).then_some(())
        })
        .await;
    }

    /// Runs a command in a container of its own on one of the project's networks; it must succeed.
    pub fn probe(&self, network: &str, command: &str) -> String {
        let network = format!("{}_{network}", self.project);
        let arguments = ["run", "--rm", "--network", &network, "redis:8-alpine", "sh", "-c", command];
        self.run("docker", &arguments)
    }
}

impl Drop for Compose {
    fn drop(&mut self) {
        self.attempt("docker", &["compose", "down", "--volumes", "--timeout", "5"]);
    }
}
