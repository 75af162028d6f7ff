//! Tests the promise under faults: `./faults.sh --help`.

#![allow(
    unreachable_pub,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a panic is how this program fails, and nothing outside can reach its items anyway"
)]

mod audience;
mod crowd;
mod fault;
mod machine;
mod round;
mod schedule;
mod table;
mod world;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use self::fault::Fault;
use self::round::{Outcome, Round};
use self::schedule::Combination;
use self::table::Table;

/// Breaks every part of Urna, in every way, while voters vote, and checks that each recorded vote
/// is counted once and that each voter's last one counts.
///
/// The exit code is 1 if the promise was broken. Then the output names each voter for whom it was
/// broken, what that voter was told, and what is counted instead.
#[derive(Parser)]
#[command(name = "faults.sh", bin_name = "./faults.sh")]
struct Cli {
    /// How often each fault strikes
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,
    /// Strike with random combinations, for this long
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, conflicts_with_all = ["rounds", "only"])]
    soak: Option<Duration>,
    /// Only these faults: a name of --list, the beginning of some, or a combination such as
    /// postgres/pause+worker/kill
    #[arg(long, value_name = "FAULT")]
    only: Vec<String>,
    /// Repeat a schedule: each round prints its seed
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Stop after the first broken promise
    #[arg(long)]
    first: bool,
    /// How many rounds are played at the same time
    #[arg(long, default_value_t = 6, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    lanes: u64,
    /// How Redis syncs: anything but always is a sabotage, and must be caught
    #[arg(long, default_value = "always", value_name = "POLICY")]
    appendfsync: String,
    /// List the names of all faults
    #[arg(long)]
    list: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.list {
        Fault::all().iter().for_each(|fault| println!("{fault}"));
        return ExitCode::SUCCESS;
    }
    let chosen = match chosen(&cli.only) {
        Ok(chosen) => chosen,
        Err(wrong) => {
            eprintln!("faults.sh: {wrong}");
            return ExitCode::from(2);
        }
    };
    let began = Instant::now();
    let seed = cli.seed.unwrap_or_else(|| u64::from(rand::random::<u32>()));
    let table = play_all(&cli, plan(&cli, chosen, seed)).await;
    let (kept, broken) = table.verdicts();
    println!("\n{table}\nseed {seed}, {:.0?}", began.elapsed());
    let word = if broken == 0 { "ok" } else { "FAILED" };
    println!("test result: {word}. {kept} passed; {broken} failed; 0 ignored");
    ExitCode::from(u8::from(broken > 0))
}

/// The faults that were named, or else every fault, each alone.
fn chosen(only: &[String]) -> Result<Vec<Combination>, String> {
    let alone = |fault| Combination(vec![fault]);
    if only.is_empty() {
        return Ok(Fault::all().into_iter().map(alone).collect());
    }
    let mut chosen = Vec::new();
    for name in only {
        let begin_so: Vec<_> =
            Fault::all().into_iter().filter(|fault| fault.to_string().starts_with(name)).collect();
        match name.parse() {
            Ok(combination) => chosen.push(combination),
            Err(wrong) if begin_so.is_empty() => return Err(wrong),
            Err(_) => chosen.extend(begin_so.into_iter().map(alone)),
        }
    }
    Ok(chosen)
}

/// The rounds in their order. Each has its own seed.
fn plan(cli: &Cli, chosen: Vec<Combination>, seed: u64) -> Box<dyn Iterator<Item = Round> + Send> {
    let round = {
        let appendfsync = cli.appendfsync.clone();
        move |(faults, seed)| Round { faults, seed, appendfsync: appendfsync.clone() }
    };
    match cli.soak {
        None => {
            let count = chosen.len() * cli.rounds as usize;
            Box::new(chosen.into_iter().cycle().take(count).zip(seed..).map(round))
        }
        Some(time) => {
            let end = Instant::now() + time;
            let seeds = (seed..).take_while(move |_| Instant::now() < end);
            Box::new(seeds.map(|seed| (Combination::random(seed), seed)).map(round))
        }
    }
}

async fn play_all(cli: &Cli, mut rounds: Box<dyn Iterator<Item = Round> + Send>) -> Table {
    let (mut table, mut playing, mut done) = (Table::default(), JoinSet::new(), 0);
    loop {
        let is_over = cli.first && table.verdicts().1 > 0;
        while !is_over
            && playing.len() < cli.lanes as usize
            && let Some(round) = rounds.next()
        {
            let handle = Handle::current();
            // On its own thread: starting and ending a store blocks the thread, and other rounds must go on.
            playing.spawn_blocking(move || (handle.block_on(round.play()), round));
        }
        let Some(played) = playing.join_next().await else { return table };
        let (outcome, round) = played.expect("a round ends with an outcome");
        done += 1;
        tell(done, &round, &outcome);
        let name = if cli.soak.is_some() { "combinations".to_owned() } else { round.faults.to_string() };
        table.add(&name, round.faults.0.len(), &outcome);
    }
}

fn tell(number: usize, round: &Round, outcome: &Outcome) {
    let Outcome { recorded, refused, unconfirmed, unanswered, overtaken, wrong, took } = outcome;
    let word = if wrong.is_empty() { "ok" } else { "BROKEN" };
    println!(
        "{number:>4}  {word:<6}  {}  seed {}: {recorded} recorded, {refused} refused, {unconfirmed} not confirmed, \
         {unanswered} without an answer, {overtaken} overtaken, {:.1} s",
        round.faults,
        round.seed,
        took.as_secs_f64()
    );
    for wrong in wrong {
        println!("{wrong}");
    }
}
