//! The pages as people use them, in a real browser.

use tempfile::TempDir;

use crate::harness::{Browser, Embedded, free_port};

#[tokio::test(flavor = "multi_thread")]
async fn voting_and_changing_ones_mind_needs_no_javascript() {
    let data = TempDir::new().unwrap();
    let urna = Embedded::start(data.path()).await;
    let voter = Browser::without_javascript().await;
    voter.open(&urna.vote).await;
    for label in ["Nesquik", "Cola Cao"] {
        voter.press(label).await;
        voter.shows("Recorded at").await;
        voter.shows(&format!("UTC: {label}.")).await;
    }
    voter.open(&urna.result).await;
    voter.shows("1 vote.").await;
    voter.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_results_follow_every_vote_and_come_back_after_a_restart() {
    let data = TempDir::new().unwrap();
    // The page comes back to the address it knows.
    let result = format!("127.0.0.1:{}", free_port());
    let mut urna = Embedded::start_with(data.path(), &[("RESULT_LISTEN", &result)]).await;
    let (viewer, voter) = (Browser::start().await, Browser::start().await);
    viewer.open(&urna.result).await;
    viewer.shows("Live.").await;
    viewer.shows("No votes yet.").await;
    voter.open(&urna.vote).await;
    voter.press("Cola Cao").await;
    viewer.shows("1 vote.").await;

    urna.service.kill().await;
    viewer.shows("Reconnecting").await;
    let _again = Embedded::start_with(data.path(), &[("RESULT_LISTEN", &result)]).await;
    viewer.shows("Live.").await;
    viewer.shows("1 vote.").await;
    viewer.close().await;
    voter.close().await;
}
