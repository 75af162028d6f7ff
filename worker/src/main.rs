//! The `worker` service.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use service::{ReplicaSettings, health};

/// Takes votes from the queue in Redis and counts them in the ledger in PostgreSQL.
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
    service::end("worker", run().await)
}

async fn run() -> anyhow::Result<()> {
    let cli: Cli = service::parse()?;
    if let Some(Command::Health(command)) = cli.command {
        return command.run(cli.replica.management_listen).await;
    }
    if let Some(Command::Verify) = cli.command {
        let config = cli.settings.config(&cli.replica)?;
        return worker::verify(&config.queue, &config.ledger).await;
    }
    service::start_log();
    let config = cli.settings.config(&cli.replica)?;
    let work = |health, shutdown| worker::run(config, health, shutdown);
    service::run(&cli.replica, worker::NEEDS, work).await
}
