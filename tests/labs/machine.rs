//! The machine on which the labs are played: what runs on it, and the runner.

use std::collections::BTreeSet;
use std::env;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use tempfile::TempDir;

use crate::ROOT;
use crate::node::run;

/// The pages, as every lab names them.
const PORTS: [u16; 2] = [8000, 8001];

/// Some commands of a lab wait until something has happened. If it never does, the test must end.
const COMMAND_ENDS_WITHIN: Duration = Duration::from_secs(20 * 60);

/// Settings that a developer may have for other purposes. The copy has no .env, so only the environment can hold them.
const DEVELOPERS_OWN: [&str; 7] =
    ["VOTE_PORT", "RESULT_PORT", "POLL", "SECRETS", "VOTE_URL", "RESULT_URL", "OVERLAY"];

/// The shell command that lists the files that a lab could leave behind.
const FILES: &str = "git status --porcelain --ignored";

/// The shell commands that list what a lab could leave behind in Docker.
const DOCKER_LISTS: [&str; 4] = [
    "docker ps --all --format 'container {{.Names}}'",
    "docker volume ls --format 'volume {{.Name}}'",
    "docker network ls --format 'network {{.Name}}'",
    // Images of others may stay: the next lab needs them, too.
    "docker images --format 'image {{.Repository}}:{{.Tag}}' | { grep -E '^image (urna|lab)' || true; }",
];

/// The shell commands that list what a lab could leave behind on a cluster.
const CLUSTER_LISTS: [&str; 3] = [
    "kubectl get namespaces --output=name",
    "kubectl get persistentvolumes --output=custom-columns=CLAIM:.spec.claimRef.name,IN:.spec.claimRef.namespace",
    "kubectl get nodes --output=custom-columns=NODE:.metadata.name,UNSCHEDULABLE:.spec.unschedulable,TAINTS:.spec.taints",
];

/// The path that has our kubectl first, if the store images here install Debian's packages. Every machine looks this up
/// before it lists the containers, because the container that tells it must be in no list.
static CLUSTER_PATH: LazyLock<String> = LazyLock::new(|| {
    let path = env::var("PATH").expect("a PATH");
    let user = run("docker run --rm --entrypoint=id postgres:18-alpine -u postgres");
    if user == "70" { path } else { format!("{ROOT}/tests/labs/debian:{path}") }
});

/// A place to play labs. Its copy of the repository keeps labs on other platforms, and a developer's changes, out of the
/// way. Its kubectl knows one cluster alone.
pub struct Machine {
    scratch: TempDir,
    is_cluster: bool,
}

impl Machine {
    /// A machine with Docker, on which no other Urna runs.
    pub fn with_docker() -> Self {
        for port in PORTS {
            TcpListener::bind(("0.0.0.0", port)).unwrap_or_else(|error| {
                panic!("the labs need port {port}: stop what uses it, such as another Urna ({error})")
            });
        }
        let machine = Self::new(false);
        let things = machine.inventory();
        let of_a_lab = |thing: &&String| thing.contains(" lab-") || thing.contains(" urna-lab");
        let left: Vec<_> = things.iter().filter(of_a_lab).collect();
        assert!(left.is_empty(), "remove what an earlier play of the labs left: {left:?}");
        machine
    }

    /// A machine with the cluster that `URNA_TEST_CONTEXT` names, on which there is no namespace `urna`.
    pub fn with_cluster() -> Self {
        let context = env::var("URNA_TEST_CONTEXT")
            .expect("URNA_TEST_CONTEXT: the name of the kubectl context whose cluster these tests may use");
        let machine = Self::new(true);
        let config = machine.kube_config();
        run(&format!("kubectl config view --raw --minify --context={context} >{}", config.display()));
        let (found, _) = machine.bash("kubectl get namespace urna");
        assert!(!found, "there is a namespace `urna` on the cluster {context}, and the labs would change it");
        machine
    }

    /// Runs `./lab` with these arguments. Returns whether it succeeded, and what it printed.
    pub fn lab(&self, arguments: &str) -> (bool, String) {
        self.bash(&format!("./lab {arguments}"))
    }

    /// What is there now, as one line for each thing.
    pub fn inventory(&self) -> BTreeSet<String> {
        let lists: &[&str] = if self.is_cluster { &CLUSTER_LISTS } else { &DOCKER_LISTS };
        lists.iter().chain([&FILES]).flat_map(|list| self.listed(list)).collect()
    }

    fn new(is_cluster: bool) -> Self {
        LazyLock::force(&CLUSTER_PATH);
        // Under the repository, because not every Docker may mount files from /tmp.
        let scratch = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a temporary folder");
        let machine = Self { scratch, is_cluster };
        let copy = machine.copy();
        std::fs::create_dir(&copy).expect("a folder");
        let copy = copy.display();
        run(&format!(
            "git ls-files -z --cached --others --exclude-standard \
             | tar --create --null --files-from=- | tar --extract --directory={copy}"
        ));
        run(&format!("git -C {copy} init --quiet && git -C {copy} add --all"));
        machine
    }

    fn listed(&self, list: &str) -> Vec<String> {
        let (succeeded, output) = self.bash(list);
        assert!(succeeded, "{list}: {output}");
        output.lines().map(str::to_owned).collect()
    }

    fn bash(&self, line: &str) -> (bool, String) {
        let mut command = Command::new("timeout");
        command.args([&COMMAND_ENDS_WITHIN.as_secs().to_string(), "bash", "-o", "pipefail", "-c"]);
        command.arg(format!("{{ {line}; }} 2>&1"));
        command.current_dir(self.copy()).stdin(Stdio::null());
        command.env("LC_ALL", "C.UTF-8").env("LAB_PROGRESS", self.scratch.path().join("progress"));
        // A project of its own, so that no volume of the developer's is touched.
        command.env("COMPOSE_PROJECT_NAME", "urna-labs").env("COMPOSE_FILE", "compose.yaml");
        for own in DEVELOPERS_OWN {
            command.env_remove(own);
        }
        if self.is_cluster {
            command.env("KUBECONFIG", self.kube_config()).env("PATH", &*CLUSTER_PATH);
        }
        let output = command.output().expect("timeout and bash");
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn copy(&self) -> PathBuf {
        self.scratch.path().join("urna")
    }

    fn kube_config(&self) -> PathBuf {
        self.scratch.path().join("kubeconfig")
    }
}
