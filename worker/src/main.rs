//! The `worker` service.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use common::health;
use common::presence::Kind;
use common::service;
use common::settings::ReplicaSettings;

/// Drains the queue in Redis into the ledger in PostgreSQL.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    replica: ReplicaSettings,
    #[command(flatten)]
    settings: worker::Settings,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Health(health::Command),
    /// Recounts the ballots against the totals; exit code 1 if they differ
    Verify,
}

#[tokio::main]
async fn main() -> ExitCode {
    service::end("worker", run(service::parse()).await)
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    if let Some(Command::Health(command)) = cli.command {
        return command.run(cli.replica.management_listen).await;
    }
    if let Some(Command::Verify) = cli.command {
        let (queue, ledger) = cli.settings.open()?;
        return worker::verify(&queue, &ledger).await;
    }
    service::start_log();
    let (queue, ledger) = cli.settings.open()?;
    let presence = cli.replica.presence(Kind::Worker, None);
    service::run(&cli.replica, worker::NEEDS, async |health, shutdown| {
        worker::run(&queue, &ledger, &presence, &health, &shutdown).await;
    })
    .await
}
