//! The three services in one process, on one SQLite file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use common::health::Health;
use common::service;
use common::settings::{Addresses, PollSettings, host_name};
use common::sqlite::DataFile;
use result::Board;
use tokio_util::sync::CancellationToken;
use vote::{Booth, DEFAULT_QUEUE_MAX, Keys};
use worker::verify::verify;

/// Runs a whole election in one process, on one data file: the ballot page,
/// the worker and the results. It needs neither Redis nor PostgreSQL.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// The folder of the data file
    #[arg(long, env = "DATA", default_value = "data", global = true)]
    data: PathBuf,
    /// Where the ballot page is served; 0.0.0.0:8000 lets phones in the room vote
    #[arg(long, env = "VOTE_LISTEN", default_value = "127.0.0.1:8000")]
    vote_listen: SocketAddr,
    /// Where the results are served
    #[arg(long, env = "RESULT_LISTEN", default_value = "127.0.0.1:8001")]
    result_listen: SocketAddr,
    /// Refuse votes while this many wait to be counted
    #[arg(long, env = "QUEUE_MAX", default_value_t = DEFAULT_QUEUE_MAX)]
    queue_max: u64,
    #[command(flatten)]
    poll: PollSettings,
    #[command(flatten)]
    addresses: Addresses,
}

#[derive(Subcommand)]
enum Command {
    /// Recounts the ballots against the totals; exit code 1 if they differ
    Verify,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Some(Command::Verify) => recount(&cli.data).await,
        None => serve(cli).await,
    };
    service::end("urna", done)
}

async fn recount(folder: &Path) -> anyhow::Result<()> {
    let data = DataFile::inspect(folder).await?;
    verify(&data.queue(), &data.ledger()).await
}

async fn serve(cli: Cli) -> anyhow::Result<()> {
    service::start_log();
    let poll = cli.poll.load()?;
    let votes = service::bind(cli.vote_listen, "VOTE_LISTEN").await?;
    let results = service::bind(cli.result_listen, "RESULT_LISTEN").await?;
    let data = DataFile::open(&cli.data).await?;
    announce(votes.local_addr()?, results.local_addr()?, data.path())?;

    let (queue, ledger, name) = (data.queue(), data.ledger(), host_name());
    let booth = Booth {
        poll: poll.clone(),
        queue: queue.clone(),
        queue_max: cli.queue_max,
        keys: Keys::from_bytes(&data.cookie_key().await?)?,
        replica: name.clone(),
        addresses: cli.addresses.clone(),
        result_port: results.local_addr()?.port(),
        require_durable_queue: false,
        embedded: true,
    };
    let board = Board {
        poll,
        ledger: ledger.clone(),
        queue: queue.clone(),
        replica: name.clone(),
        addresses: cli.addresses,
        vote_port: votes.local_addr()?.port(),
        embedded: true,
    };
    let shutdown = CancellationToken::new();
    // Nobody asks for the health of a process that people start by hand.
    let health = Health::starting(&[]);
    tokio::join!(
        vote::serve(votes, booth, health.clone(), shutdown.clone()),
        worker::run(&queue, &ledger, &name, &health, &shutdown),
        result::serve(results, board, health.clone(), shutdown.clone()),
        async {
            service::stop_signal().await;
            println!("Stopping: what is in flight ends first.");
            shutdown.cancel();
        },
    );
    Ok(())
}

fn announce(votes: SocketAddr, results: SocketAddr, data: &Path) -> anyhow::Result<()> {
    println!("Vote:     http://{votes}");
    println!("Results:  http://{results}");
    println!("Embedded: one process, without Redis and PostgreSQL.");
    println!("Data:     {}", std::path::absolute(data)?.display());
    println!("Stop with Ctrl-C.");
    Ok(())
}
