//! Tells the orchestrator whether a service is alive, and whether it is ready.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::fault::{Faults, Order};
use crate::metrics::{Gauge, Metric};
use crate::settings::from_here;

/// A service counts as alive after this time, even if it was never ready. It
/// waits for a store, and a restart of the service would not bring that back.
const ALIVE_AFTER: Duration = Duration::from_secs(15);

/// A healthy service answers its own machine within this time.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// The setting that tells the services on this machine apart.
const MANAGEMENT: &str = "MANAGEMENT_LISTEN";

/// The answer of a service that somebody made unready.
const UNREADY: &str = "unready on purpose\n";

/// The answer of a service that is about to stop.
const STOPPING: &str = "stopping\n";

/// The format of the metrics. Prometheus 3 refuses an answer that does not name it.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The subcommands of every service, for images without a shell or curl.
#[derive(clap::Subcommand, Clone, Debug)]
pub enum Command {
    /// Asks the service on this machine whether it is alive; exit code 0 if it is
    Healthcheck {
        /// Ask instead whether it can use all its stores
        #[arg(long)]
        ready: bool,
        /// Ask instead whether it was ever ready, and is not about to stop
        #[arg(long, conflicts_with = "ready")]
        serving: bool,
    },
    /// Gives the service in this container a fault on purpose, so that you see what happens
    Fault(Order),
    /// Makes the service in this container crash, as `fault crash` does
    Crash,
}

impl Command {
    /// Executes the subcommand.
    pub async fn run(&self, management_listen: SocketAddr) -> anyhow::Result<()> {
        match self {
            Self::Healthcheck { ready: true, .. } => check(management_listen, "/readyz").await,
            Self::Healthcheck { serving: true, .. } => check(management_listen, "/servez").await,
            Self::Healthcheck { .. } => check(management_listen, "/livez").await,
            Self::Fault(order) => order.give(management_listen, MANAGEMENT).await,
            Self::Crash => Order::to_crash().give(management_listen, MANAGEMENT).await,
        }
    }
}

/// A store that a service depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Store {
    /// Holds the votes that wait to be counted.
    Queue,
    /// Holds the votes that are counted.
    Ledger,
}

impl Store {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Queue, Self::Ledger];

    /// The store's name, as people and metrics see it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Ledger => "ledger",
        }
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether a store can be used. `Ok` holds warnings, and `Err` the reason why not.
pub type Readiness = Result<Vec<String>, String>;

/// The health of a service. The code that uses a store reports that store's state here.
#[derive(Clone, Debug)]
pub struct Health {
    condition: Arc<Mutex<Condition>>,
    faults: Faults,
}

#[derive(Debug)]
struct Condition {
    started: Instant,
    was_ready: bool,
    stopping: bool,
    needs: BTreeMap<Store, Need>,
}

#[derive(Debug)]
struct Need {
    readiness: Readiness,
    metric: Gauge,
}

impl Health {
    /// A service that has just started and needs these stores.
    pub fn starting(needs: &[Store]) -> Self {
        let need = |store: &Store| {
            let help = "1 while this replica can use the store that it needs, otherwise 0.";
            let metric = Gauge::registered("urna_ready", help, &[("part", store.name())]);
            (*store, Need { readiness: Err("starting".to_owned()), metric })
        };
        let condition = Condition {
            started: Instant::now(),
            was_ready: false,
            stopping: false,
            needs: needs.iter().map(need).collect(),
        };
        Self { condition: Arc::new(Mutex::new(condition)), faults: Faults::default() }
    }

    /// The same service, but it has the faults of the whole program.
    pub fn with_faults(self, faults: &Faults) -> Self {
        Self { faults: faults.clone(), ..self }
    }

    /// The fault that the service has on purpose.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Reports the state of a store. A store that the service does not need is ignored.
    pub fn report(&self, store: Store, readiness: Readiness) {
        let mut condition = self.condition();
        if let Some(need) = condition.needs.get_mut(&store) {
            need.metric.set(u8::from(readiness.is_ok()));
            need.readiness = readiness;
        }
        condition.was_ready |= condition.is_ready();
    }

    /// Makes the service unready from now on, because it is about to stop.
    pub fn stopping(&self) {
        self.condition().stopping = true;
    }

    /// The stores that the service needs and cannot use now.
    pub fn lacks(&self) -> Vec<Store> {
        let condition = self.condition();
        condition.needs.iter().filter(|(_, need)| need.readiness.is_err()).map(|(store, _)| *store).collect()
    }

    /// Whether any store can be used only with a warning.
    pub fn has_warnings(&self) -> bool {
        self.condition().needs.values().flat_map(|need| &need.readiness).any(|warnings| !warnings.is_empty())
    }

    /// Whether the service is about to stop.
    pub fn is_stopping(&self) -> bool {
        self.condition().stopping
    }

    /// Does not depend on any store: an outage of Redis must not make an
    /// orchestrator restart every replica.
    fn livez(&self) -> (StatusCode, &'static str) {
        let condition = self.condition();
        if condition.was_ready || condition.started.elapsed() >= ALIVE_AFTER {
            (StatusCode::OK, "alive\n")
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, "starting\n")
        }
    }

    /// Whether the replica may get requests. A replica that was never ready may have a
    /// wrong setting, so it must not replace one that works. A replica that was ready once
    /// gets requests whatever its stores do: its page says what is wrong.
    fn servez(&self) -> (StatusCode, &'static str) {
        let condition = self.condition();
        match (condition.stopping, condition.was_ready) {
            (false, true) if self.faults.is_unready() => (StatusCode::SERVICE_UNAVAILABLE, UNREADY),
            (false, true) => (StatusCode::OK, "serving\n"),
            (false, false) => (StatusCode::SERVICE_UNAVAILABLE, "not ready yet\n"),
            (true, _) => (StatusCode::SERVICE_UNAVAILABLE, STOPPING),
        }
    }

    fn readyz(&self) -> (StatusCode, String) {
        let condition = self.condition();
        let (status, mut body) = if condition.stopping {
            (StatusCode::SERVICE_UNAVAILABLE, STOPPING.to_owned())
        } else if self.faults.is_unready() {
            (StatusCode::SERVICE_UNAVAILABLE, UNREADY.to_owned())
        } else if condition.is_ready() {
            (StatusCode::OK, "ready\n".to_owned())
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, "not ready\n".to_owned())
        };
        for (store, Need { readiness, .. }) in &condition.needs {
            match readiness {
                Ok(warnings) if warnings.is_empty() => body += &format!("{store}: ready\n"),
                Ok(warnings) => {
                    body.extend(warnings.iter().map(|warning| format!("{store}: warning: {warning}\n")));
                }
                Err(reason) => body += &format!("{store}: {reason}\n"),
            }
        }
        (status, body)
    }

    fn condition(&self) -> MutexGuard<'_, Condition> {
        self.condition.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Condition {
    fn is_ready(&self) -> bool {
        self.needs.values().all(|need| need.readiness.is_ok())
    }
}

/// The routes of the management port.
pub(crate) fn router(health: Health, metrics: PrometheusHandle) -> Router {
    let (live, serving, ready) = (health.clone(), health.clone(), health);
    Router::new()
        .route("/livez", get(async move || live.livez()))
        .route("/servez", get(async move || serving.servez()))
        .route("/readyz", get(async move || ready.readyz()))
        .route("/metrics", get(async move || ([(CONTENT_TYPE, EXPOSITION)], metrics.render())))
}

/// Asks the management port of the service on this machine.
async fn check(management_listen: SocketAddr, path: &str) -> anyhow::Result<()> {
    let address = from_here(management_listen);
    let answer = timeout(ANSWER_WITHIN, ask(address, path))
        .await
        .with_context(|| format!("no answer from http://{address}{path}"))?
        .with_context(|| format!("cannot ask http://{address}{path}"))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    ensure!(head.split(' ').nth(1) == Some("200"), "{}", body.trim());
    Ok(())
}

/// Sends a request. It is so short that it needs no HTTP client.
async fn ask(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
