//! The `result` service.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use service::ReplicaSettings;
use service::health::Command;

/// The results page: streams the totals in PostgreSQL to every browser.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// The address and port on which the page is served
    #[arg(long, env = "LISTEN", default_value = "0.0.0.0:80")]
    listen: SocketAddr,
    #[command(flatten)]
    replica: ReplicaSettings,
    #[command(flatten)]
    settings: result::Settings,
}

#[tokio::main]
async fn main() -> ExitCode {
    service::end("result", run().await)
}

async fn run() -> anyhow::Result<()> {
    let cli: Cli = service::parse()?;
    if let Some(command) = cli.command {
        return command.run(cli.replica.management_listen).await;
    }
    service::start_log();
    let config = cli.settings.config(&cli.replica)?;
    let listener = service::bind(cli.listen, "LISTEN").await?;
    let serve = |health, shutdown| result::serve(listener, config, health, shutdown);
    service::run(&cli.replica, result::NEEDS, serve).await
}
