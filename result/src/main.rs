//! The `result` service.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use common::health::Command;
use common::service;
use common::settings::ReplicaSettings;

/// The results page: streams the totals in PostgreSQL to every browser.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// Where the page is served
    #[arg(long, env = "LISTEN", default_value = "0.0.0.0:80")]
    listen: SocketAddr,
    #[command(flatten)]
    replica: ReplicaSettings,
    #[command(flatten)]
    settings: result::Settings,
}

#[tokio::main]
async fn main() -> ExitCode {
    service::end("result", run(service::parse()).await)
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    if let Some(command) = cli.command {
        return command.run(cli.replica.management_listen).await;
    }
    service::start_log();
    let board = cli.settings.board(&cli.replica)?;
    let listener = service::bind(cli.listen, "LISTEN").await?;
    service::run(&cli.replica, result::NEEDS, |health, shutdown| {
        result::serve(listener, board, health, shutdown)
    })
    .await
}
