//! A service as a process: its command line, log, signals and exit code.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Subcommand;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::fault::{self, Post};
use crate::health::{self, Health, Store};
use crate::settings::{ReplicaSettings, Secret, from_environment, set_twice};
use crate::{http, metrics};

/// These variables mean the same in many programs, and have no flag.
const ALSO_FROM_THE_ENVIRONMENT: &str = "\
Also read from the environment:
  RUST_LOG       what is logged [default: info]
  SSL_CERT_FILE  the authority that signed your stores' certificates [default: the public ones]";

/// What is logged by default. Of sqlx only errors are, because we report outages ourselves.
const LOGGED: &str = "info,sqlx=error";

/// Reads the command line and the environment.
pub fn parse<Cli: clap::Parser>() -> anyhow::Result<Cli> {
    parse_as(Cli::command())
}

/// Reads them as this command describes them.
pub(crate) fn parse_as<Cli: clap::FromArgMatches>(command: clap::Command) -> anyhow::Result<Cli> {
    let secrets: Vec<Secret> = command.get_arguments().filter_map(Secret::of).collect();
    let mut failure = None;
    let command = command.mut_args(|argument| {
        from_environment(argument.clone()).unwrap_or_else(|error| {
            failure.get_or_insert(error);
            argument
        })
    });
    // Before the failure is returned, so that `--help` works whatever the environment holds.
    let mut help = ALSO_FROM_THE_ENVIRONMENT.to_owned();
    let files: Vec<&str> = secrets.iter().map(|secret| &*secret.file).collect();
    if !files.is_empty() {
        help += &format!("\n  {}\n                 files that hold these secrets", files.join(" "));
    }
    let matches = command.after_help(help).get_matches();
    // A service that runs well must not be killed because a file with a secret has changed since.
    let needs_no_secret = matches.subcommand_name().is_some_and(health::Command::has_subcommand);
    match failure.or_else(|| set_twice(&matches, &secrets)).filter(|_| !needs_no_secret) {
        Some(error) => Err(error),
        None => Ok(Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())),
    }
}

/// Starts the log on standard error. `RUST_LOG` chooses what is logged.
///
/// The filter knows targets and levels only. `EnvFilter` would add a regular
/// expression engine to every image, for filters that nobody uses here.
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

/// The exit code of a program. A failure is printed as one line that names the program.
pub fn end(program: &str, result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{program}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Listens on this address, which came from `setting`.
pub async fn bind(address: SocketAddr, setting: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address} ({setting}): stop what uses it, or choose another address")
    })
}

/// Runs a replica that needs these stores, and its management port, until a
/// signal stops it.
pub async fn run<Serving: Future<Output = ()>>(
    settings: &ReplicaSettings,
    needs: &[Store],
    serve: impl FnOnce(Health, CancellationToken) -> Serving,
) -> anyhow::Result<()> {
    let (stop, post) = (StopSignals::listen()?, Post::open(settings.management_listen)?);
    let listener = bind(settings.management_listen, "MANAGEMENT_LISTEN").await?;
    let metrics = metrics::collect(&settings.identity()).context("cannot collect metrics")?;
    let (health, shutdown, ended) =
        (Health::starting(needs), CancellationToken::new(), CancellationToken::new());
    let router = health::router(health.clone(), metrics.clone());
    let management = tokio::spawn(http::serve_management(listener, router, ended.clone()));
    tokio::spawn(metrics::keep_up(metrics));
    tokio::spawn(fault::obey(post, health.faults().clone(), shutdown.clone()));
    tokio::spawn(drain(stop, settings.drain, health.clone(), shutdown.clone()));
    serve(health, shutdown).await;
    ended.cancel();
    management.await.context("the management port failed")
}

/// The signals that tell a program to stop. Once the program listens for them,
/// they no longer end it by themselves.
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

    /// Waits for the next signal.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Makes the service unready at the first signal, and lets it work on for
/// `wait`, so that load balancers notice. A second signal ends the wait.
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
