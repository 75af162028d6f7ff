//! The cluster that `URNA_TEST_CONTEXT` names, and one deployment of Urna on it.

use std::env;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

use crate::ROOT;
use crate::render::{Overlay, objects};

/// The pages, at ports of the nodes that must be reachable from this machine.
pub const VOTE: &str = "http://localhost:30080";
pub const RESULT: &str = "http://localhost:30081";

/// How Services get those ports.
const NODE_PORTS: &str = "
patches:
  - patch: |
      apiVersion: v1
      kind: Service
      metadata: { name: vote }
      spec: { type: NodePort, ports: [{ name: http, port: 80, nodePort: 30080 }] }
  - patch: |
      apiVersion: v1
      kind: Service
      metadata: { name: result }
      spec: { type: NodePort, ports: [{ name: http, port: 80, nodePort: 30081 }] }
";

/// What runs. The stores come first, because the services are ready only with their stores.
pub const WORKLOADS: [&str; 5] =
    ["statefulset/redis", "statefulset/db", "deployment/vote", "deployment/worker", "deployment/result"];

/// Whether the store images here install Debian's packages, whose user `postgres` has another id than on Alpine.
static DEBIAN: LazyLock<bool> = LazyLock::new(|| {
    let (_, user) = finish(Command::new("docker").args([
        "run",
        "--rm",
        "--entrypoint=id",
        "postgres:18-alpine",
        "-u",
        "postgres",
    ]));
    user.trim() != "70"
});

static ONE_AT_A_TIME: LazyLock<Mutex<()>> = LazyLock::new(Mutex::default);

/// A deployment in a namespace of its own. Dropping it deletes the namespace, and with it the volumes.
pub struct Cluster {
    context: String,
    pub namespace: &'static str,
    _turn: MutexGuard<'static, ()>,
}

impl Cluster {
    /// An empty namespace, under the strictest Pod Security.
    pub async fn empty(namespace: &'static str) -> Self {
        let _turn = ONE_AT_A_TIME.lock().await;
        let context = env::var("URNA_TEST_CONTEXT")
            .expect("URNA_TEST_CONTEXT: the name of the kubectl context whose cluster these tests may use");
        let cluster = Self { context, namespace, _turn };
        cluster.sweep();
        let text = fs::read_to_string(format!("{ROOT}/kubernetes/namespace.yaml")).unwrap();
        cluster.create(&text.replace("name: urna", &format!("name: {namespace}")));
        cluster
    }

    /// Deletes what an interrupted run has left, because it holds the ports that the next test needs.
    fn sweep(&self) {
        let names = self.kubectl(&["get", "namespaces", "--output=name"]);
        for left in names.lines().filter(|name| name.starts_with("namespace/urna-test-")) {
            self.kubectl(&["delete", left, "--timeout=180s"]);
        }
    }

    /// Urna with these components, ready.
    pub async fn with(namespace: &'static str, components: &[&str]) -> Self {
        let cluster = Self::empty(namespace).await;
        cluster.apply(components, "");
        cluster.ready();
        cluster
    }

    /// Applies Urna with these components. `more` has further lines for the kustomization.
    pub fn apply(&self, components: &[&str], more: &str) {
        self.kubectl(&["apply", "--kustomize", self.overlay(components, more).folder.to_str().unwrap()]);
    }

    /// The overlay of the tests: the pages at ports of the nodes, and user ids that fit the store images that are here.
    pub fn overlay(&self, components: &[&str], more: &str) -> Overlay {
        let images: &[&str] = if *DEBIAN { &["debian-images"] } else { &[] };
        let components = [components, images].concat();
        Overlay::write(self.namespace, &components, &format!("{NODE_PORTS}{more}"))
    }

    /// Waits until everything runs. Returns how many seconds that took.
    pub fn ready(&self) -> f64 {
        let start = Instant::now();
        for workload in WORKLOADS {
            self.rolled_out(workload);
        }
        start.elapsed().as_secs_f64()
    }

    /// Waits until a workload has rolled out.
    pub fn rolled_out(&self, workload: &str) {
        self.kubectl(&["rollout", "status", workload, "--timeout=240s"]);
    }

    /// Runs kubectl in the namespace; it must succeed.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        let (succeeded, output) = self.attempt(arguments);
        assert!(succeeded, "kubectl {arguments:?} failed:\n{output}\n{}", self.state());
        output
    }

    /// Runs kubectl in the namespace. Returns whether it succeeded, and its output.
    pub fn attempt(&self, arguments: &[&str]) -> (bool, String) {
        finish(Command::new("kubectl").args(self.place()).args(arguments))
    }

    /// Runs a script of kubernetes/ in the namespace; it must succeed.
    pub fn script(&self, name: &str, arguments: &[&str]) -> String {
        self.script_in(&Path::new(ROOT).join("kubernetes"), name, arguments)
    }

    /// Runs a script of a copy of kubernetes/ in the namespace; it must succeed.
    pub fn script_in(&self, folder: &Path, name: &str, arguments: &[&str]) -> String {
        let (succeeded, output) = self.attempt_script(folder, name, arguments);
        assert!(succeeded, "{name} {arguments:?} failed:\n{output}\n{}", self.state());
        output
    }

    /// Runs a script of a copy of kubernetes/ in the namespace. Returns whether it succeeded, and its output.
    pub fn attempt_script(&self, folder: &Path, name: &str, arguments: &[&str]) -> (bool, String) {
        // The scripts work in kubectl's current context and namespace, so they get a configuration that names these.
        let config = format!("{ROOT}/target/kubernetes/kubeconfig");
        let (_, text) = self.attempt(&["config", "view", "--flatten", "--minify"]);
        fs::write(&config, text).unwrap();
        let set = ["config", "set-context", "--current", "--namespace", self.namespace];
        let (set_up, output) = finish(Command::new("kubectl").env("KUBECONFIG", &config).args(set));
        assert!(set_up, "{output}");
        finish(Command::new(folder.join(name)).env("KUBECONFIG", &config).args(arguments))
    }

    /// Creates the objects of this text.
    pub fn create(&self, text: &str) {
        let mut kubectl = Command::new("kubectl")
            .args(self.place())
            .args(["apply", "--filename=-"])
            .stdin(Stdio::piped())
            .spawn()
            .expect("kubectl");
        kubectl.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(kubectl.wait().unwrap().success(), "kubectl does not apply {text}");
    }

    /// An object.
    pub fn get(&self, what: &str) -> Value {
        serde_json::from_str(&self.kubectl(&["get", what, "--output=json"])).unwrap()
    }

    /// The names of the running pods of a service.
    pub fn pods(&self, name: &str) -> Vec<String> {
        let selector = format!("--selector=app.kubernetes.io/name={name}");
        let running = "--field-selector=status.phase=Running";
        let list: Value =
            serde_json::from_str(&self.kubectl(&["get", "pods", &selector, running, "--output=json"]))
                .unwrap();
        let items = list["items"].as_array().unwrap().iter();
        let alive = items.filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
        alive.map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    }

    /// Whether the worker's `verify` finds the ledger in order.
    pub fn verify(&self) {
        self.kubectl(&["exec", "deployment/worker", "--", "/worker", "verify"]);
    }

    /// What runs and what happened, for those who read a failure.
    fn state(&self) -> String {
        let (_, pods) = self.attempt(&["get", "pods", "--output=wide"]);
        let (_, events) = self.attempt(&["get", "events", "--sort-by=.lastTimestamp"]);
        let (_, crowd) = self.attempt(&["logs", "job/load-test", "--tail=40"]);
        let from = events.lines().count().saturating_sub(25);
        let last: Vec<&str> = events.lines().skip(from).collect();
        format!("{pods}\n{}\n{crowd}", last.join("\n"))
    }

    fn place(&self) -> [String; 2] {
        [format!("--context={}", self.context), format!("--namespace={}", self.namespace)]
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.state());
        }
        self.attempt(&["delete", "namespace", self.namespace, "--timeout=180s"]);
    }
}

/// Calls the function when it is dropped, even if the test fails, because the next test uses the same cluster.
pub struct Afterwards<F: FnMut()>(pub F);

impl<F: FnMut()> Drop for Afterwards<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// A copy of kubernetes/, for scripts that write beside themselves.
pub fn copy() -> TempDir {
    let copy = TempDir::new().expect("a temporary folder");
    let (copied, output) =
        finish(Command::new("cp").arg("-R").arg(format!("{ROOT}/kubernetes/.")).arg(copy.path()));
    assert!(copied, "{output}");
    copy
}

/// A program's output, and whether it succeeded.
pub fn finish(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// Runs Docker, in which the nodes of the test's cluster are containers; it must succeed.
pub fn docker(arguments: &[&str]) {
    let (succeeded, output) = finish(Command::new("docker").args(arguments));
    assert!(succeeded, "docker {arguments:?} failed:\n{output}");
}

/// The objects of a file of kubernetes/.
pub fn file(name: &str) -> Vec<Value> {
    objects(&fs::read_to_string(format!("{ROOT}/kubernetes/{name}")).unwrap())
}
