//! The three services in one process, on one SQLite file.

mod status;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use election::{Poll, PollSettings};
use ledger::{Ledger, SqliteLedger};
use presence::{Kind, LocalRegistry, Presence, Registry};
use queue::{Queue, SqliteQueue};
use service::fault::{Common, Faults, Order, Post, obey};
use service::{Health, Identity, StopSignals};
use store::sqlite::DataFile;
use tokio_util::sync::CancellationToken;
use vote::{Keys, QueueBound};
use web::{OtherPage, page_url};

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
    /// The address and port of the ballot page; 0.0.0.0:8000 lets phones in the room vote
    #[arg(long, env = "VOTE_LISTEN", default_value = "127.0.0.1:8000")]
    vote_listen: SocketAddr,
    /// The address and port of the results
    #[arg(long, env = "RESULT_LISTEN", default_value = "127.0.0.1:8001")]
    result_listen: SocketAddr,
    #[command(flatten)]
    queue: QueueBound,
    #[command(flatten)]
    poll: PollSettings,
    /// The address of the ballot page for voters; https:// makes its cookie Secure
    #[arg(long, env = "VOTE_URL", value_parser = page_url)]
    vote_url: Option<String>,
    /// The address of the results for people
    #[arg(long, env = "RESULT_URL", value_parser = page_url, global = true)]
    result_url: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Recounts the ballots against the totals; exit code 1 if they differ
    Verify,
    /// Gives the urna that listens on VOTE_LISTEN a fault on purpose, so that you see what happens
    Fault(Order<Common>),
    /// Shows where votes are, hop by hop, as `result` at RESULT_URL sees it; exit code 1 if a hop is broken
    Status,
}

#[tokio::main]
async fn main() -> ExitCode {
    service::end("urna", run().await)
}

async fn run() -> anyhow::Result<()> {
    let cli: Cli = service::parse()?;
    match cli.command {
        Some(Command::Verify) => verify(&cli.data).await,
        Some(Command::Status) => status::print(cli.result_url.as_deref(), cli.result_listen).await,
        Some(Command::Fault(order)) => order.give(cli.vote_listen, "VOTE_LISTEN").await,
        None => serve(cli).await,
    }
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
    let (signals, post) = (StopSignals::listen()?, Post::open(cli.vote_listen)?);
    let (vote_address, result_address) = (votes.local_addr()?, results.local_addr()?);
    print_addresses(vote_address, result_address, data.path())?;

    let (queue, ledger) = stores(data);
    let parts = Parts { poll, queue, ledger, registry: Registry::Local(LocalRegistry::default()) };
    let vote = vote_config(&cli, &parts, keys, result_address);
    let result = result_config(&cli, &parts, vote_address);
    let (shutdown, faults) = (CancellationToken::new(), Faults::default());
    let health = |needs| Health::starting(needs).with_faults(&faults);
    tokio::join!(
        vote::serve(votes, vote, health(vote::NEEDS), shutdown.clone()),
        worker::run(worker_config(&parts), health(worker::NEEDS), shutdown.clone()),
        result::serve(results, result, health(result::NEEDS), shutdown.clone()),
        obey(post, faults.clone(), shutdown.clone()),
        stop(signals, &shutdown),
    );
    Ok(())
}

/// What the three services share.
struct Parts {
    poll: Poll,
    queue: Queue,
    ledger: Ledger,
    registry: Registry,
}

impl Parts {
    fn presence(&self, kind: Kind, poll: Option<&Poll>) -> Presence {
        Presence::starting(kind, &Identity::of_this_process(), poll, self.registry.clone())
    }
}

fn vote_config(cli: &Cli, parts: &Parts, keys: Keys, result: SocketAddr) -> vote::Config {
    vote::Config {
        presence: parts.presence(Kind::Vote, Some(&parts.poll)),
        poll: parts.poll.clone(),
        queue: parts.queue.clone(),
        queue_max: cli.queue.queue_max,
        require_durable_queue: vote::RequireDurable::True,
        keys,
        url: cli.vote_url.clone(),
        results: other_page(cli.result_url.as_ref(), result),
        embedded: true,
    }
}

fn worker_config(parts: &Parts) -> worker::Config {
    worker::Config {
        presence: parts.presence(Kind::Worker, None),
        queue: parts.queue.clone(),
        ledger: parts.ledger.clone(),
        require_durable_ledger: true,
        setbacks: None,
    }
}

fn result_config(cli: &Cli, parts: &Parts, vote: SocketAddr) -> result::Config {
    result::Config {
        presence: parts.presence(Kind::Result, Some(&parts.poll)),
        poll: parts.poll.clone(),
        ledger: parts.ledger.clone(),
        queue: parts.queue.clone(),
        setbacks: None,
        ballot: other_page(cli.vote_url.as_ref(), vote),
        embedded: true,
        platform: None,
    }
}

fn stores(data: DataFile) -> (Queue, Ledger) {
    (Queue::Sqlite(SqliteQueue::new(data.clone())), Ledger::Sqlite(SqliteLedger::new(data)))
}

fn other_page(url: Option<&String>, address: SocketAddr) -> OtherPage {
    OtherPage { url: url.cloned(), port: address.port(), is_loopback: address.ip().is_loopback() }
}

fn print_addresses(votes: SocketAddr, results: SocketAddr, data: &Path) -> anyhow::Result<()> {
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
