//! A service as a process: its log, its signals, its end.

use std::ffi::OsStr;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::health::{self, Health, Part};
use crate::settings::ReplicaSettings;
use crate::{crash, figures, http};

/// How often the samples of the metrics are folded into their sums.
const KEEP_UP_EVERY: Duration = Duration::from_secs(5);

/// What is set as everywhere else, and so has no flag.
const FROM_THE_ENVIRONMENT: &str = "\
Also read from the environment:
  RUST_LOG       what is logged [default: info]
  SSL_CERT_FILE  the authority that signed your stores' certificates [default: the public ones]";

/// Reads the command line. Compose passes a variable that is not set as an
/// empty one, so an empty one counts as not set.
pub fn parse<Cli: clap::Parser>() -> Cli {
    let is_empty = |name: &OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
    let command = Cli::command().mut_args(|argument| match argument.get_env().is_some_and(is_empty) {
        true => argument.env(None::<&'static str>),
        false => argument,
    });
    Cli::from_arg_matches(&command.after_help(FROM_THE_ENVIRONMENT).get_matches())
        .unwrap_or_else(|error| error.exit())
}

/// Our own lines, and of the database driver only what we do not tell anyway.
const LOGGED: &str = "info,sqlx=error";

/// Starts the log on standard error; `RUST_LOG` chooses what is in it.
pub fn start_log() {
    let chosen = std::env::var("RUST_LOG").ok().filter(|filter| !filter.is_empty());
    let logged = chosen.as_deref().unwrap_or(LOGGED).parse().unwrap_or_else(|error| {
        eprintln!("RUST_LOG is ignored, because it is not of the form {LOGGED}: {error}");
        Targets::new().with_default(Level::INFO).with_target("sqlx", Level::ERROR)
    });
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .with_writer(std::io::stderr);
    tracing_subscriber::registry().with(lines.with_filter(logged)).init();
}

/// Ends a program: a failure is one line that names it, and exit code 1.
pub fn end(program: &str, result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{program}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Listens on the address that came from this setting.
pub async fn bind(address: SocketAddr, setting: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address} ({setting}): stop what uses it, or choose another address")
    })
}

/// Runs a replica, which needs these parts, with its management port until it
/// is told to stop.
pub async fn run<Serving: Future<Output = ()>>(
    settings: &ReplicaSettings,
    needs: &[Part],
    serve: impl FnOnce(Health, CancellationToken) -> Serving,
) -> anyhow::Result<()> {
    let (stop, order) = (StopSignals::listen()?, crash::listen()?);
    let listener = bind(settings.management_listen, "MANAGEMENT_LISTEN").await?;
    let metrics = collect_figures(settings.release()).context("cannot collect metrics")?;
    let (health, shutdown, ended) =
        (Health::starting(needs), CancellationToken::new(), CancellationToken::new());
    let router = health::router(health.clone(), metrics.clone());
    let management = tokio::spawn(http::serve(listener, router, ended.clone()));
    tokio::spawn(keep_up(metrics));
    tokio::spawn(crash::obey(order));
    tokio::spawn(drain(stop, settings.drain, health.clone(), shutdown.clone()));
    serve(health, shutdown).await;
    ended.cancel();
    management.await.context("the management port failed")
}

/// The signals that tell a program to stop. From the moment it listens, none
/// ends the program on its own.
#[derive(Debug)]
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// Listens for SIGTERM and Ctrl-C.
    pub fn listen() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Returns at the next one.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// From now on, what is counted and measured is kept for `/metrics`.
fn collect_figures(release: &str) -> Result<PrometheusHandle, BuildError> {
    let metrics = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &figures::SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_ballots".to_owned()), &figures::BALLOTS)?
        .install_recorder()?;
    let tells = "Always 1; the release that runs.";
    let [build] = figures::gauges("urna_build_info", tells, "version", [release.to_owned()]);
    build.set(1);
    Ok(metrics)
}

/// Nobody may ever ask for the metrics, and samples must not pile up for them.
async fn keep_up(metrics: PrometheusHandle) {
    loop {
        sleep(KEEP_UP_EVERY).await;
        metrics.run_upkeep();
    }
}

/// When told to stop, turns unready, and lets the service work on while load
/// balancers notice. Whoever sends a second signal means now.
async fn drain(mut stop: StopSignals, wait: Duration, health: Health, shutdown: CancellationToken) {
    stop.next().await;
    health.stopping();
    tracing::info!("stopping in {}", humantime::format_duration(wait));
    tokio::select! {
        () = sleep(wait) => {}
        () = stop.next() => {}
    }
    shutdown.cancel();
}
