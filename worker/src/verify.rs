//! Recounts the ballots against the totals.

use anyhow::{Context, ensure};
use common::ledger::{Ledger, Recount};
use common::queue::Queue;

/// Prints what is counted, recounted and still on its way. Fails on any
/// difference between the totals and the ballots.
pub async fn verify(queue: &Queue, ledger: &Ledger) -> anyhow::Result<()> {
    let recount = ledger.recount().await.context("cannot recount")?;
    let depth = queue.depth().await.context("cannot look into the queue")?;
    let Recount { counted, recounted } = &recount;
    println!("counted    {:>10}", counted.values().sum::<i64>());
    println!("recounted  {:>10}", recounted.values().sum::<i64>());
    println!("waiting    {:>10}", depth.waiting);
    println!("pending    {:>10}", depth.pending);
    println!("dead       {:>10}", depth.dead);
    let differences = differences(&recount);
    for difference in &differences {
        println!("{difference}");
    }
    ensure!(differences.is_empty(), "the totals differ from the ballots");
    Ok(())
}

fn differences(Recount { counted, recounted }: &Recount) -> Vec<String> {
    let mut keys: Vec<_> = counted.keys().chain(recounted.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let votes = |tally: &common::ledger::Tally, key| tally.get(key).copied().unwrap_or(0);
    keys.into_iter()
        .map(|key| (key, votes(counted, key), votes(recounted, key)))
        .filter(|(_, counted, recounted)| counted != recounted)
        .map(|((poll, choice), counted, recounted)| {
            format!("{poll}, option {choice}: counted {counted}, but there are {recounted} ballots")
        })
        .collect()
}
