//! The deployments that a course teaches from, in real containers: `docker compose` and
//! `docker stack deploy`.
//!
//! At most two tests run at a time, one of Compose and one of Swarm, because each takes a good part of the machine.

#![allow(
    unreachable_pub,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a panic is how a test fails, and nothing outside can reach its items anyway"
)]

mod compose;
mod containers;
mod crowd;
mod faults;
mod node;
mod secrets;
mod stores;
mod swarm;
mod tasks;

use harness::{Voter, client, totals_of};
use load_test::cookie::Cookie;
use tokio::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard};
use tokio::task::JoinHandle;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Whose turn it is: a test that starts containers holds one of these meanwhile.
static COMPOSE: Mutex<()> = Mutex::const_new(());
static SWARM: Mutex<()> = Mutex::const_new(());

/// A test that needs the whole machine writes here.
static MACHINE: RwLock<()> = RwLock::const_new(());

/// Waits until no other test of this kind runs, nor one that needs the whole machine.
async fn turn(kind: &'static Mutex<()>) -> (MutexGuard<'static, ()>, RwLockReadGuard<'static, ()>) {
    (kind.lock().await, MACHINE.read().await)
}

/// Lets all voters choose the same option, and waits until the totals show exactly these votes.
async fn vote_and_count(vote: &str, result: &str, voters: &mut [Voter], key: &str) {
    for voter in voters.iter_mut() {
        voter.insist(&[vote], key).await;
    }
    let at = if key == "a" { 0 } else { 1 };
    let all = |totals: &serde_json::Value| {
        totals["options"][at]["votes"] == voters.len() && totals["total"] == voters.len()
    };
    totals_of(result, "every recorded vote", all).await;
}

/// Votes and asks for both pages until a request fails, or the voter is taken for another one.
/// Returns what went wrong.
async fn vote_all_along(vote: String, result: String, mut voter: Voter, key: &str) -> String {
    loop {
        let page = client().get(&vote).header("cookie", &voter.cookie).send().await;
        match page.as_ref().map(|page| Cookie::of(page.headers())) {
            Ok(Some(cookie)) if cookie.voter != voter.id => return format!("a new voter: {cookie:?}"),
            Ok(Some(cookie)) => {
                cookie.header.to_str().expect("a cookie in ASCII").clone_into(&mut voter.cookie)
            }
            Ok(None) => {}
            Err(error) => return error.to_string(),
        }
        let voted = voter.vote(&vote, key).await;
        if !voted.as_ref().is_ok_and(|answer| answer.status() == 303) {
            return format!("{voted:?}");
        }
        let seen = client().get(&result).send().await;
        if !seen.as_ref().is_ok_and(|answer| answer.status() == 200) {
            return format!("{seen:?}");
        }
    }
}

/// Ends [`vote_all_along`]. No request may have failed.
async fn end_well(load: JoinHandle<String>) {
    load.abort();
    if let Ok(failure) = load.await {
        panic!("a request failed: {failure}");
    }
}
