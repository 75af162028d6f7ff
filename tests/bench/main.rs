//! Urna against the limit, side by side in one run: `./bench.sh`.
//!
//! Each figure stands beside what the same machine does at best for the same
//! bytes, so that the ratios hold elsewhere too.

#![allow(
    unreachable_pub,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a panic is how this program fails, and nothing outside it can reach its items anyway"
)]

mod bare;
mod embedded;
mod hostile;
mod ledger;
mod load;
mod memory;
mod plot;
mod screens;
mod table;
mod votes;

use self::table::Table;

const PARTS: [&str; 6] = ["votes", "embedded", "ledger", "screens", "memory", "hostile"];

#[tokio::main]
async fn main() {
    let chosen: Vec<String> = std::env::args().skip(1).collect();
    if let Some(unknown) = chosen.iter().find(|chosen| !PARTS.contains(&chosen.as_str())) {
        eprintln!("bench.sh: there is no part {unknown:?}; there are {}", PARTS.join(", "));
        std::process::exit(2);
    }
    let mut table = Table::default();
    for part in
        PARTS.into_iter().filter(|part| chosen.is_empty() || chosen.iter().any(|chosen| chosen == part))
    {
        match part {
            "votes" => votes::measure(&mut table).await,
            "embedded" => embedded::measure(&mut table).await,
            "ledger" => ledger::measure(&mut table).await,
            "screens" => screens::measure(&mut table).await,
            "memory" => memory::measure(&mut table).await,
            _ => hostile::measure(&mut table).await,
        }
    }
    println!("{table}");
    if chosen.is_empty() {
        table.write("docs/benchmarks.md");
    }
}
