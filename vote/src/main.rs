//! The `vote` service.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use common::health::Command;
use common::service;
use common::settings::ReplicaSettings;

/// The ballot page: takes votes and appends them to the queue in Redis.
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
    settings: vote::Settings,
}

#[tokio::main]
async fn main() -> ExitCode {
    service::end("vote", run(service::parse()).await)
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    if let Some(command) = cli.command {
        return command.run(cli.replica.management_listen).await;
    }
    service::start_log();
    let booth = cli.settings.booth(&cli.replica)?;
    let listener = service::bind(cli.listen, "LISTEN").await?;
    service::run(&cli.replica, vote::NEEDS, |health, shutdown| vote::serve(listener, booth, health, shutdown))
        .await
}
