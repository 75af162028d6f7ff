//! One fault of the cluster after the other: `./faults.sh --kubernetes`. Each fault has a crowd of its own, and every
//! ballot of that crowd is compared.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::cluster::{Afterwards, Cluster, docker};
use crate::crowd::Impatient;
use crate::faults::tell;
use crate::nodes::paused;

/// How long a fault lasts. It is too short for Kubernetes to consider a silent node lost.
const LASTS: Duration = Duration::from_secs(15);

/// What goes wrong.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// The pod is deleted, and gets no time to end.
    PodKilled(&'static str),
    /// The program in the container dies.
    ProgramDies(&'static str),
    /// No packet reaches a node, or leaves it.
    NodeCutOff,
    /// A node loses its power, and gets it back.
    NodeStopped,
    /// No name resolves.
    NamesAway,
    /// Nobody decides what runs where.
    ControlPlaneAway,
}

const FAULTS: [Fault; 12] = [
    Fault::PodKilled("vote"),
    Fault::PodKilled("worker"),
    Fault::PodKilled("result"),
    Fault::PodKilled("redis"),
    Fault::PodKilled("db"),
    Fault::ProgramDies("vote"),
    Fault::ProgramDies("worker"),
    Fault::ProgramDies("result"),
    Fault::NodeCutOff,
    Fault::NodeStopped,
    Fault::NamesAway,
    Fault::ControlPlaneAway,
];

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_the_cluster_is_endured() {
    let cluster = Cluster::with("urna-test-faults", &[]).await;
    let impatient = Impatient::begin().await;
    for fault in FAULTS {
        let start = Instant::now();
        cluster.crowd(45).await;
        cluster.suffers(fault).await;
        cluster.ready();
        cluster.crowd_is_counted();
        cluster.verify();
        tell(&format!("without a recorded vote: {fault:?}"), impatient.waited_since(start));
    }
    println!("measured: all {} faults were survived", FAULTS.len());
}

impl Cluster {
    async fn suffers(&self, fault: Fault) {
        match fault {
            Fault::PodKilled(service) => {
                self.kills_a_pod_of(service);
            }
            Fault::ProgramDies(service) => {
                let (pod, program) = (self.pods(service).pop().unwrap(), format!("/{service}"));
                self.kubectl(&["exec", &pod, "--", &program, "crash"]);
            }
            Fault::NodeCutOff => {
                let node = self.workers().pop().unwrap();
                cut(&node, "-I");
                let _cut = Afterwards(|| cut(&node, "-D"));
                sleep(LASTS).await;
            }
            Fault::NodeStopped => self.stops_a_node().await,
            Fault::NamesAway => {
                self.names("0");
                let _away = Afterwards(|| self.names("1"));
                sleep(LASTS).await;
            }
            Fault::ControlPlaneAway => {
                let _paused = paused(&self.control_plane());
                sleep(LASTS).await;
            }
        }
    }

    async fn stops_a_node(&self) {
        let node = self.workers().pop().unwrap();
        docker(&["stop", "--time=0", &node]);
        {
            let _stopped = Afterwards(|| docker(&["start", &node]));
            sleep(LASTS).await;
        }
        self.kubectl(&["wait", "node", &node, "--for=condition=Ready", "--timeout=120s"]);
    }

    /// Sets how many pods resolve names.
    fn names(&self, replicas: &str) {
        let replicas = format!("--replicas={replicas}");
        self.kubectl(&["scale", "deployment", "coredns", "--namespace=kube-system", &replicas]);
    }
}

/// Adds or removes the rules that cut a node off.
fn cut(node: &str, action: &str) {
    for (chain, more) in [("INPUT", &["!", "-i", "lo"][..]), ("OUTPUT", &["!", "-o", "lo"]), ("FORWARD", &[])]
    {
        docker(&[&["exec", node, "iptables", action, chain], more, &["-j", "DROP"]].concat());
    }
}
