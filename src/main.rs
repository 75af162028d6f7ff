//! The three services in one process, on one SQLite file.

mod status;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use common::health::Health;
use common::http::Sibling;
use common::ledger::Ledger;
use common::ledger::sqlite::SqliteLedger;
use common::poll::Poll;
use common::presence::{Kind, Presence};
use common::queue::Queue;
use common::queue::sqlite::SqliteQueue;
use common::service::{self, StopSignals};
use common::settings::{PollSettings, VERSION, host_name, web_address};
use common::sqlite::DataFile;
use result::Board;
use tokio_util::sync::CancellationToken;
use vote::{Booth, Keys, QueueBound};

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
    #[command(flatten)]
    queue: QueueBound,
    #[command(flatten)]
    poll: PollSettings,
    /// Where voters reach the ballot page; https:// makes its cookie Secure
    #[arg(long, env = "VOTE_URL", value_parser = web_address)]
    vote_url: Option<String>,
    /// Where people reach the results
    #[arg(long, env = "RESULT_URL", value_parser = web_address, global = true)]
    result_url: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Recounts the ballots against the totals; exit code 1 if they differ
    Verify,
    /// Tells where votes are, hop by hop, as `result` at RESULT_URL sees it; exit code 1 if a hop is broken
    Status,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli: Cli = service::parse();
    let done = match cli.command {
        Some(Command::Verify) => verify(&cli.data).await,
        Some(Command::Status) => status::print(cli.result_url.as_deref(), cli.result_listen).await,
        None => serve(cli).await,
    };
    service::end("urna", done)
}

async fn verify(folder: &Path) -> anyhow::Result<()> {
    let data = DataFile::inspect(folder).await?;
    let (queue, ledger) = stores(data);
    worker::verify(&queue, &ledger).await
}

async fn serve(cli: Cli) -> anyhow::Result<()> {
    service::start_log();
    let poll = cli.poll.load()?;
    let votes = service::bind(cli.vote_listen, "VOTE_LISTEN").await?;
    let results = service::bind(cli.result_listen, "RESULT_LISTEN").await?;
    let data = DataFile::open(&cli.data).await?;
    let keys = Keys::from_bytes(&data.cookie_key().await?)?;
    let signals = StopSignals::listen()?;
    announce(votes.local_addr()?, results.local_addr()?, data.path())?;

    let (queue, ledger) = stores(data);
    let booth = Booth {
        presence: presence(Kind::Vote, Some(&poll)),
        poll: poll.clone(),
        queue: queue.clone(),
        queue_max: cli.queue.queue_max,
        keys,
        secure_cookie: cli.vote_url.as_ref().is_some_and(|url| url.starts_with("https://")),
        results: sibling(cli.result_url, results.local_addr()?),
        require_durable_queue: false,
        embedded: true,
    };
    let board = Board {
        presence: presence(Kind::Result, Some(&poll)),
        poll,
        ledger: ledger.clone(),
        queue: queue.clone(),
        ballot: sibling(cli.vote_url, votes.local_addr()?),
        embedded: true,
    };
    // Nobody asks for the health of a process that people start by hand.
    let counter = presence(Kind::Worker, None);
    let (health, shutdown) = (Health::starting(&[]), CancellationToken::new());
    tokio::join!(
        vote::serve(votes, booth, health.clone(), shutdown.clone()),
        worker::run(&queue, &ledger, &counter, &health, &shutdown),
        result::serve(results, board, health.clone(), shutdown.clone()),
        stop(signals, &shutdown),
    );
    Ok(())
}

fn presence(kind: Kind, poll: Option<&Poll>) -> Presence {
    Presence::starting(kind, host_name(), VERSION.to_owned(), poll)
}

fn stores(data: DataFile) -> (Queue, Ledger) {
    (Queue::Sqlite(SqliteQueue::new(data.clone())), Ledger::Sqlite(SqliteLedger::new(data)))
}

fn sibling(url: Option<String>, address: SocketAddr) -> Sibling {
    Sibling { url, port: address.port(), is_loopback: address.ip().is_loopback() }
}

fn announce(votes: SocketAddr, results: SocketAddr, data: &Path) -> anyhow::Result<()> {
    println!("Vote:     http://{votes}");
    println!("Results:  http://{results}");
    println!("Embedded: one process, without Redis and PostgreSQL.");
    println!("Data:     {}", std::path::absolute(data)?.display());
    println!("Stop with Ctrl-C.");
    Ok(())
}

async fn stop(mut signals: StopSignals, shutdown: &CancellationToken) {
    signals.next().await;
    println!("Stopping: what is in flight ends first.");
    shutdown.cancel();
}
