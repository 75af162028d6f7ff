//! Recounts the ballots against the totals.

use anyhow::{Context, ensure};
use ledger::Ledger;
use queue::Queue;

/// Prints how many votes are counted, how many a recount gives, and how many are still
/// in the queue. Fails if the totals and the ballots differ, or if there are dead letters.
pub async fn verify(queue: &Queue, ledger: &Ledger) -> anyhow::Result<()> {
    let recount = ledger.recount().await.context("cannot recount")?;
    let depth = queue.depth().await.context("cannot look into the queue")?;
    println!("counted    {:>10}  in all polls", recount.counted.values().sum::<i64>());
    println!("recounted  {:>10}  in all polls", recount.recounted.values().sum::<i64>());
    println!("waiting    {:>10}", depth.untaken);
    println!("pending    {:>10}", depth.pending);
    println!("dead       {:>10}", depth.dead);
    let differences = recount.differences();
    for ((poll, choice), counted, recounted) in &differences {
        println!("{poll}, option {choice}: counted {counted}, but the ballots for it are {recounted}");
    }
    ensure!(differences.is_empty(), "the totals differ from the ballots");
    ensure!(depth.dead == 0, "{} entries are dead letters, which can never be counted", depth.dead);
    Ok(())
}
