//! Which pods may reach which, what a student may do, and what happens to releases that do not fit.

use std::collections::BTreeSet;

use harness::eventually;
use serde_json::json;

use crate::cluster::{Afterwards, Cluster};

/// Our pods, and which of the targets each may reach. `stranger` stands for any other pod.
const ROLES: [(&str, &[&str]); 6] = [
    ("vote", &["redis"]),
    ("worker", &["redis", "db"]),
    ("result", &["redis", "db"]),
    ("redis", &[]),
    ("db", &[]),
    ("stranger", &[]),
];

/// What a student may do, and what not.
const MAY: [&[&str]; 7] = [
    &["get", "pods"],
    &["get", "pods", "--subresource=log"],
    &["patch", "deployments", "--subresource=scale"],
    &["patch", "deployments"],
    &["delete", "pods"],
    &["list", "events"],
    &["create", "pods", "--subresource=portforward"],
];
const MAY_NOT: [&[&str]; 6] = [
    &["get", "secrets"],
    &["list", "secrets"],
    &["create", "pods", "--subresource=exec"],
    &["delete", "persistentvolumeclaims"],
    &["patch", "roles"],
    &["create", "pods"],
];

#[tokio::test(flavor = "multi_thread")]
async fn each_pod_reaches_what_it_must_and_nothing_else() {
    let cluster = Cluster::with("urna-test-network", &["class"]).await;
    let nodes = [cluster.control_plane(), cluster.workers().remove(0)];
    for (role, _) in ROLES {
        for node in &nodes {
            cluster.stands_in(role, node);
        }
    }
    let targets = cluster.targets();
    for (role, reachable) in ROLES {
        for node in &nodes {
            let expected: BTreeSet<&str> = reachable.iter().copied().collect();
            // It may take a moment until the policies apply to a new pod.
            eventually(&format!("{role} on {node} to reach {expected:?} and nothing else"), async || {
                (cluster.reached(role, node, &targets) == expected).then_some(())
            })
            .await;
        }
    }
    cluster.asks_for_a_password();
    cluster.lets_a_student_do_what_they_may();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_says_so_and_the_old_replicas_serve_on() {
    let cluster = Cluster::with("urna-test-limits", &[]).await;
    let old = cluster.pods("vote");

    cluster.demands("cpu=900");
    cluster.says("Insufficient cpu").await;
    cluster.goes_back();

    cluster.demands("memory=4Mi");
    cluster.says("OOM").await;
    assert!(old.iter().all(|pod| cluster.pods("vote").contains(pod)), "{:?}", cluster.pods("vote"));
    cluster.goes_back();

    // If a node takes no more pods, the replica that the node loses comes back on another node.
    let pods = cluster.pods("vote");
    let full = cluster.node_of(&pods[0]);
    cluster.kubectl(&["cordon", &full]);
    let _uncordoned = Afterwards(|| {
        cluster.attempt(&["uncordon", &full]);
    });
    cluster.kubectl(&["delete", "pod", &pods[0]]);
    cluster.rolled_out("deployment/vote");
    let new: Vec<String> = cluster.pods("vote").into_iter().filter(|pod| !pods.contains(pod)).collect();
    assert!(!new.is_empty() && new.iter().all(|pod| cluster.node_of(pod) != full), "{new:?} on {full}");
}

impl Cluster {
    /// The ledger asks for a password even if the connection comes from its own pod, as through `kubectl port-forward`.
    fn asks_for_a_password(&self) {
        let enter = ["exec", "db-0", "--", "psql", "--no-password", "--username=urna", "--command=SELECT 1"];
        for host in ["127.0.0.1", "::1"] {
            let (entered, output) = self.attempt(&[&enter[..], &[&format!("--host={host}")]].concat());
            assert!(!entered && output.contains("no password supplied"), "{host}: {output}");
        }
    }

    fn lets_a_student_do_what_they_may(&self) {
        let student = format!("--as=system:serviceaccount:{}:student", self.namespace);
        for (actions, answer) in [(&MAY[..], "yes"), (&MAY_NOT[..], "no")] {
            for action in actions {
                let (_, said) = self.attempt(&[&["auth", "can-i"], *action, &[&student]].concat());
                assert_eq!(said.trim().lines().last(), Some(answer), "{action:?}");
            }
        }
    }

    /// Rolls out a release of `vote` that requests this much of a resource, and is limited to it.
    fn demands(&self, resource: &str) {
        let [requests, limits] = ["requests", "limits"].map(|kind| format!("--{kind}={resource}"));
        self.kubectl(&["set", "resources", "deployment/vote", &requests, &limits]);
    }

    fn goes_back(&self) {
        self.kubectl(&["rollout", "undo", "deployment/vote"]);
        self.rolled_out("deployment/vote");
    }

    fn node_of(&self, pod: &str) -> String {
        self.get(&format!("pod/{pod}"))["spec"]["nodeName"].as_str().unwrap().to_owned()
    }

    /// Starts a pod with the labels of one of ours, so that the policies treat both alike. The pod is never ready, so no
    /// Service sends requests to it.
    fn stands_in(&self, role: &str, node: &str) {
        let mut labels = json!({ "app.kubernetes.io/name": role, "app.kubernetes.io/part-of": "urna" });
        if ["vote", "worker", "result"].contains(&role) {
            labels["urna/queue"] = json!("client");
        }
        if ["worker", "result"].contains(&role) {
            labels["urna/ledger"] = json!("client");
        }
        // The quota of the component `class` counts what every pod requests.
        let little = json!({ "requests": { "cpu": "1m", "memory": "16Mi" }, "limits": { "memory": "16Mi" } });
        let guarded = json!({ "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } });
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": stand_in(role, node), "labels": labels },
            "spec": {
                "nodeName": node,
                "terminationGracePeriodSeconds": 0,
                "securityContext":
                    { "runAsNonRoot": true, "runAsUser": 10001, "seccompProfile": { "type": "RuntimeDefault" } },
                "containers": [{
                    "name": "probe", "image": "busybox:1", "command": ["sleep", "3600"],
                    "readinessProbe": { "exec": { "command": ["false"] } },
                    "securityContext": guarded,
                    "resources": little,
                }],
            },
        });
        self.create(&pod.to_string());
        let pod = format!("pod/{}", stand_in(role, node));
        self.kubectl(&["wait", &pod, "--for=jsonpath={.status.phase}=Running", "--timeout=60s"]);
    }

    /// Addresses to try, and their names: the stores, the pages' metrics, and the Kubernetes API.
    fn targets(&self) -> Vec<(&'static str, String, u16)> {
        let service = |name: &str| {
            self.get(&format!("service/{name}"))["spec"]["clusterIP"].as_str().unwrap().to_owned()
        };
        let pod = |name: &str| {
            let pod = format!("pod/{}", self.pods_of_ours(name).remove(0));
            self.get(&pod)["status"]["podIP"].as_str().unwrap().to_owned()
        };
        vec![
            ("redis", service("redis"), 6379),
            ("db", service("db"), 5432),
            ("metrics of vote", pod("vote"), 9000),
            ("metrics of worker", pod("worker"), 9000),
            ("the Kubernetes API", self.kubernetes_api(), 443),
        ]
    }

    fn pods_of_ours(&self, name: &str) -> Vec<String> {
        self.pods(name).into_iter().filter(|pod| !pod.starts_with("stand-in-")).collect()
    }

    fn kubernetes_api(&self) -> String {
        let address = "--output=jsonpath={.spec.clusterIP}";
        self.kubectl(&["get", "service", "kubernetes", "--namespace=default", address])
    }

    /// Which targets a stand-in reaches.
    fn reached<'a>(&self, role: &str, node: &str, targets: &[(&'a str, String, u16)]) -> BTreeSet<&'a str> {
        let pod = stand_in(role, node);
        let reaches = |address: &str, port: u16| {
            self.attempt(&["exec", &pod, "--", "nc", "-w", "2", address, &port.to_string(), "-e", "true"]).0
        };
        targets.iter().filter(|(_, address, port)| reaches(address, *port)).map(|(name, ..)| *name).collect()
    }

    /// Waits until a pod or an event of the namespace says this.
    pub async fn says(&self, reason: &str) {
        eventually(reason, async || {
            self.kubectl(&["get", "pods,events", "--output=json"]).contains(reason).then_some(())
        })
        .await;
    }
}

fn stand_in(role: &str, node: &str) -> String {
    format!("stand-in-{role}-{node}")
}
