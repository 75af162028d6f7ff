//! What a service tells its orchestrator: whether it lives, and whether it is ready.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use metrics::Gauge;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::{crash, figures};

/// A service that was never ready counts as alive after this long all the
/// same: it waits for a store, and restarting it would not bring the store back.
const LIVE_ANYWAY_AFTER: Duration = Duration::from_secs(15);

/// A service that does not answer its own machine within this is not well.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// The format that Prometheus is told: version 3 reads nothing whose format it must guess.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The subcommands every service has, for images without a shell or curl.
#[derive(clap::Subcommand, Clone, Debug)]
pub enum Command {
    /// Asks the service on this machine whether it lives; exit code 0 if so
    Healthcheck {
        /// Ask whether it is ready to serve instead
        #[arg(long)]
        ready: bool,
    },
    /// Makes the service in this container die, as a bug would, to see it come back
    Crash,
}

impl Command {
    /// Does what it says.
    pub async fn run(&self, management_listen: SocketAddr) -> anyhow::Result<()> {
        match self {
            Self::Healthcheck { ready } => check(management_listen, *ready).await,
            Self::Crash => crash::order(),
        }
    }
}

/// A part that a service depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Where votes wait.
    Queue,
    /// Where votes are counted.
    Ledger,
}

impl Part {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Queue, Self::Ledger];

    /// Its name, as people and metrics see it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Ledger => "ledger",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The health of this process: that of the parts it depends on, each told by
/// whoever deals with it.
#[derive(Clone, Debug)]
pub struct Health(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    started: Instant,
    was_ready: bool,
    stopping: bool,
    /// For each part, why it is not ready, or what to worry about although it is.
    parts: BTreeMap<Part, Result<Vec<String>, String>>,
    figures: BTreeMap<Part, Gauge>,
}

impl Health {
    /// A service that has just started and needs these parts.
    pub fn starting(parts: &[Part]) -> Self {
        let starting = |part: &Part| (*part, Err("starting".to_owned()));
        Self(Arc::new(Mutex::new(State {
            started: Instant::now(),
            was_ready: false,
            stopping: false,
            parts: parts.iter().map(starting).collect(),
            figures: parts.iter().map(|part| (*part, figure(*part))).collect(),
        })))
    }

    /// A part is ready, with these worries.
    pub fn ready(&self, part: Part, warnings: Vec<String>) {
        let mut state = self.state();
        state.tell(part, Ok(warnings));
        state.was_ready |= state.parts.values().all(Result::is_ok);
    }

    /// A part is not ready, for this reason.
    pub fn unready(&self, part: Part, reason: impl Into<String>) {
        self.state().tell(part, Err(reason.into()));
    }

    /// Not ready from now on, because the service is about to stop.
    pub fn stopping(&self) {
        self.state().stopping = true;
    }

    /// The parts that are not ready.
    pub fn lacks(&self) -> Vec<Part> {
        let state = self.state();
        state.parts.iter().filter(|(_, readiness)| readiness.is_err()).map(|(part, _)| *part).collect()
    }

    /// Whether a part that is ready gives reason to worry.
    pub fn worries(&self) -> bool {
        self.state().parts.values().flatten().any(|warnings| !warnings.is_empty())
    }

    /// Whether the service is about to stop.
    pub fn is_stopping(&self) -> bool {
        self.state().stopping
    }

    /// It never looks at a store: an outage of Redis must not make an
    /// orchestrator stop every replica.
    fn livez(&self) -> (StatusCode, &'static str) {
        let state = self.state();
        if state.was_ready || state.started.elapsed() >= LIVE_ANYWAY_AFTER {
            (StatusCode::OK, "alive\n")
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, "starting\n")
        }
    }

    fn readyz(&self) -> (StatusCode, String) {
        let state = self.state();
        let (status, mut body) = if state.stopping {
            (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned())
        } else if state.parts.values().all(Result::is_ok) {
            (StatusCode::OK, "ready\n".to_owned())
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, "not ready\n".to_owned())
        };
        for (part, readiness) in &state.parts {
            match readiness {
                Ok(warnings) if warnings.is_empty() => body += &format!("{part}: ready\n"),
                Ok(warnings) => {
                    body.extend(warnings.iter().map(|warning| format!("{part}: warning: {warning}\n")));
                }
                Err(reason) => body += &format!("{part}: {reason}\n"),
            }
        }
        (status, body)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn tell(&mut self, part: Part, readiness: Result<Vec<String>, String>) {
        if let Some(figure) = self.figures.get(&part) {
            figure.set(u8::from(readiness.is_ok()));
        }
        self.parts.insert(part, readiness);
    }
}

fn figure(part: Part) -> Gauge {
    let tells = "1 while this replica can use the part it depends on, otherwise 0.";
    let [figure] = figures::gauges("urna_ready", tells, "part", [part.name()]);
    figure
}

/// What is served on the management port.
pub fn router(health: Health, metrics: PrometheusHandle) -> Router {
    let (live, ready) = (health.clone(), health);
    Router::new()
        .route("/livez", get(async move || live.livez()))
        .route("/readyz", get(async move || ready.readyz()))
        .route("/metrics", get(async move || ([(CONTENT_TYPE, EXPOSITION)], metrics.render())))
}

/// Asks the management port of the service on this machine.
async fn check(management_listen: SocketAddr, ready: bool) -> anyhow::Result<()> {
    let path = if ready { "/readyz" } else { "/livez" };
    let host = match management_listen.ip() {
        ip if ip.is_unspecified() => IpAddr::from(Ipv4Addr::LOCALHOST),
        ip => ip,
    };
    let address = SocketAddr::new(host, management_listen.port());
    let answer = timeout(ANSWER_WITHIN, ask(address, path))
        .await
        .with_context(|| format!("no answer from http://{address}{path}"))?
        .with_context(|| format!("cannot ask http://{address}{path}"))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    ensure!(head.split(' ').nth(1) == Some("200"), "{}", body.trim());
    Ok(())
}

/// One request of two lines to our own server: no reason for an HTTP client.
async fn ask(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
