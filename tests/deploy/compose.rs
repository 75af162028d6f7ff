//! A project of `docker compose`.

use std::path::{Path, PathBuf};
use std::process::{self, Command};

use harness::{eventually, free_port};

/// The services and stores of compose.yaml.
pub const SERVICES: [&str; 3] = ["vote", "worker", "result"];
pub const STORES: [&str; 2] = ["redis", "db"];

/// A project with a name and ports of its own. Dropping it removes the project and its volumes.
pub struct Compose {
    /// The folder of its files.
    folder: PathBuf,
    env: Vec<(String, String)>,
    pub project: String,
    pub vote: String,
    pub result: String,
}

impl Compose {
    /// A project made of the files (separated by colons) in a folder.
    pub fn of(files: &str, folder: &Path) -> Self {
        let (vote, result) = (free_port(), free_port());
        let project = format!("urna-test-{}-{vote}", process::id());
        let env = [
            ("COMPOSE_FILE", files.to_owned()),
            ("COMPOSE_PROJECT_NAME", project.clone()),
            ("VOTE_PORT", vote.to_string()),
            ("RESULT_PORT", result.to_string()),
            // Any free port: no test connects to it from outside.
            ("PROMETHEUS_PORT", "0".to_owned()),
            // These override a developer's own .env.
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

    /// Runs a program in the project's folder and environment. Returns whether it succeeded, and its output.
    pub fn attempt(&self, program: &str, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.folder);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        let output = command.output().unwrap_or_else(|error| panic!("cannot run {program}: {error}"));
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    }

    /// The container of a service that has one replica.
    pub fn container(&self, service: &str) -> String {
        self.compose(&["ps", "--all", "--quiet", service]).trim().to_owned()
    }

    /// A value from `docker inspect` of the service's container.
    pub fn inspect(&self, service: &str, format: &str) -> String {
        self.run("docker", &["inspect", "--format", format, &self.container(service)]).trim().to_owned()
    }

    /// Waits until Docker has restarted the service's container, and it is healthy.
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
