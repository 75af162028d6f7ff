//! The platforms that Urna is deployed on, and what people type on each.

use clap::ValueEnum;
use status::Hop;

/// What a deployment runs on.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// Docker Compose
    Compose,
    /// Docker Swarm
    Swarm,
    /// Kubernetes
    Kubernetes,
}

/// What commands can do about a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Starts what does not run.
    Start,
    /// Starts anew what may hang.
    Restart,
    /// Starts more replicas.
    StartMore,
    /// Shows what it said.
    ReadLog,
}

impl Platform {
    /// What to type, if this platform calls the service or the store of this hop `name`.
    pub(crate) fn commands(self, remedy: Remedy, hop: Hop, name: &str) -> Vec<String> {
        let table = match self {
            Self::Compose => &COMPOSE,
            Self::Swarm => &SWARM,
            Self::Kubernetes => &KUBERNETES,
        };
        let is_store = hop.kind().is_none();
        let (start, log) =
            if is_store { (table.start_store, table.store_log) } else { (table.start, table.log) };
        let lines = match remedy {
            Remedy::Start => vec![start, log, table.state],
            Remedy::Restart => vec![table.restart, log, table.state],
            Remedy::StartMore => vec![log, table.start_more],
            Remedy::ReadLog => vec![log],
        };
        lines.into_iter().map(|line| line.replace("{name}", name)).collect()
    }
}

/// The commands of one platform, for the service or the store `{name}`.
struct Commands {
    /// Shows what runs, and what became of the rest.
    state: &'static str,
    log: &'static str,
    store_log: &'static str,
    /// Starts a service of which no replica runs.
    start: &'static str,
    start_store: &'static str,
    restart: &'static str,
    start_more: &'static str,
}

/// `start` and `--no-recreate` leave alone what overlays have changed.
const COMPOSE: Commands = Commands {
    state: "docker compose ps --all {name}",
    log: "docker compose logs --tail 20 {name}",
    store_log: "docker compose logs --tail 20 {name}",
    start: "docker compose start {name}",
    start_store: "docker compose start {name}",
    restart: "docker compose restart {name}",
    start_more: "docker compose up -d --no-recreate --scale {name}=3 {name}",
};

/// Swarm gives up on a store that fails again and again. An update starts it once more.
const SWARM: Commands = Commands {
    state: "docker service ps urna_{name}",
    log: "docker service logs --tail 20 urna_{name}",
    store_log: "docker service logs --tail 20 urna_{name}",
    start: "docker service scale urna_{name}=2",
    start_store: "docker service update --force urna_{name}",
    restart: "docker service update --force urna_{name}",
    start_more: "docker service scale urna_{name}=3",
};

/// No command names the namespace, because the context does.
const KUBERNETES: Commands = Commands {
    state: "kubectl get pods",
    log: "kubectl logs deploy/{name} --tail=20",
    store_log: "kubectl logs {name}-0 --tail=20",
    start: "kubectl scale deploy/{name} --replicas=2",
    start_store: "kubectl scale statefulset/{name} --replicas=1",
    restart: "kubectl rollout restart deploy/{name}",
    start_more: "kubectl scale deploy/{name} --replicas=3",
};
