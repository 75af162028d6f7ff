//! A service as a process: its log, its signals, its end.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context;
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::health::{self, Health};
use crate::http;
use crate::settings::ReplicaSettings;

/// Starts the log on standard error; `RUST_LOG` chooses what is in it.
pub fn start_log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .with_writer(std::io::stderr)
        .init();
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

/// Runs a replica with its management port until it is told to stop: then it
/// turns unready, serves on while load balancers notice, and ends.
pub async fn run<Serving: Future<Output = ()>>(
    settings: &ReplicaSettings,
    health: Health,
    serve: impl FnOnce(CancellationToken) -> Serving,
) -> anyhow::Result<()> {
    let listener = bind(settings.management_listen, "MANAGEMENT_LISTEN").await?;
    let metrics = PrometheusBuilder::new().install_recorder().context("cannot collect metrics")?;
    let ended = CancellationToken::new();
    let management =
        tokio::spawn(http::serve(listener, health::router(health.clone(), metrics), ended.clone()));

    let shutdown = CancellationToken::new();
    let stopping = shutdown.clone();
    let drain = settings.drain;
    tokio::spawn(async move {
        stop_signal().await;
        tracing::info!("stopping in {}", humantime::format_duration(drain));
        health.stopping();
        tokio::select! {
            () = sleep(drain) => {}
            () = stop_signal() => {}
        }
        stopping.cancel();
    });
    serve(shutdown).await;
    ended.cancel();
    management.await.context("the management port failed")
}

/// Returns at the next Ctrl-C or SIGTERM.
pub async fn stop_signal() {
    let mut terminate = match signal(SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(error) => return tracing::error!("cannot wait for SIGTERM, so stopping: {error}"),
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
