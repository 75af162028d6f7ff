//! The second tick: a voter follows their own vote until it is counted.

use std::time::Duration;

use harness::{Browser, Deployment, Embedded, Replica, Screen, Voter, client, eventually};
use queue::{Queue, RedisQueue};
use serde_json::json;
use store::redis::RedisSettings;
use tempfile::TempDir;
use tokio::time::sleep;

/// Notes the texts that a screen reader says of the vote's fate, and the elements that move.
const LISTEN: &str = "window.heard = []; window.moved = [];
    const listen = () => window.heard.push(document.getElementById('tick').textContent);
    new MutationObserver(listen).observe(document.getElementById('tick'), { childList: true, subtree: true });
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
        if (!entry.hadRecentInput) window.moved.push(...entry.sources.map(({ node }) => node?.outerHTML));
    })).observe({ type: 'layout-shift' })";

#[tokio::test(flavor = "multi_thread")]
async fn a_vote_is_recorded_then_counted_which_is_said_once_and_moves_nothing() {
    for screen in [Screen::PHONE, Screen::NARROW] {
        let deployment = Deployment::start().await;
        let vote = deployment.ready("vote").await;
        for mut other in Voter::arrive_many(&vote.url, 2).await {
            other.insist(&[&vote.url], "a").await;
        }
        let voter = Browser::start().await;
        voter.look_at(screen).await;
        voter.open(&vote.url).await;
        voter.press("Nesquik").await;
        voter.shows("Recorded").await;
        voter.shows("It waits to be counted, behind 2 others.").await;
        voter.run(LISTEN).await;
        let worker = deployment.ready("worker").await;
        voter.shows("Counted").await;
        assert_eq!(voter.run("return window.moved").await, json!([]), "{screen:?}");
        assert_eq!(voter.run("return window.heard.length").await, 1);
        let time = "return document.querySelector('#tick time').dateTime";
        let seen = voter.run(time).await;
        sleep(Duration::from_millis(1_100)).await;
        voter.page.refresh().await.unwrap();
        assert_eq!(voter.run(time).await, seen, "the time when it was first seen");
        drop(worker);
        voter.press("Cola Cao").await;
        voter.shows("It waits to be counted.").await;
        assert_eq!(
            voter.run("return document.getElementById('tick').textContent").await,
            "",
            "it starts over"
        );
        voter.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_script_a_reload_says_that_a_vote_waits_and_that_it_is_counted() {
    let deployment = Deployment::start().await;
    let vote = deployment.ready("vote").await;
    Voter::arrive(&vote.url).await.insist(&[&vote.url], "a").await;
    let voter = Browser::without_javascript().await;
    voter.open(&format!("{}?lang=es", vote.url)).await;
    voter.press("Nesquik").await;
    voter.shows("Espera el recuento, detrás de 1 voto.").await;
    let _worker = deployment.ready("worker").await;
    eventually("a reload that says so", async || {
        voter.page.refresh().await.ok()?;
        voter.run("return document.querySelector('.counted')?.textContent").await.as_str().map(drop)
    })
    .await;
    voter.shows("Contado").await;
    voter.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_not_counted_and_of_another_queue_nobody_can_tell() {
    let deployment = Deployment::start().await;
    let vote = deployment.ready("vote").await;
    let (mut dead, mut lost) = (Follower::of(&vote).await, Follower::of(&vote).await);
    dead.votes("a").await;
    let queue =
        Queue::Redis(RedisQueue::new(RedisSettings::at(&deployment.redis.url()).connection().unwrap()));
    let mut worker = queue.consumer("a test", Duration::from_secs(3600));
    let taken = eventually("the vote", async || worker.take(1).await.ok()?.pop()).await;
    queue.bury(&taken.entry, "a test").await.unwrap();
    dead.is_told("Not counted: ").await;
    lost.votes("a").await;
    lost.is_told("It waits to be counted.").await;
    let flush = redis::cmd("FLUSHALL");
    flush.exec_async(&mut deployment.redis.connection().await).await.unwrap();
    lost.is_told("This page cannot tell whether it was counted.").await;
    dead.votes("b").await;
    dead.is_told("It waits to be counted.").await;
}

#[tokio::test]
async fn a_vote_that_is_not_confirmed_has_no_second_tick() {
    let deployment = Deployment::start().await;
    let vote = deployment.ready("vote").await;
    let mut voter = Voter::arrive(&vote.url).await;
    deployment.redis.pause();
    let answer = voter.vote(&vote.url, "a").await.unwrap();
    // It may replace a vote that the page follows.
    let mut receipts = answer.headers().get_all("set-cookie").iter().filter(|cookie| is_receipt(cookie));
    let removed = receipts.next().unwrap().to_str().unwrap();
    assert!(removed.starts_with("receipt=;") && removed.contains("Max-Age=0"), "{removed}");
    let page = answer.text().await.unwrap();
    assert!(page.contains(r#"<p id="waits" class="soft"></p>"#), "{page}");
    assert!(page.contains(r#"<p id="tick" role="status"></p>"#), "{page}");
    deployment.redis.unpause();
}

/// A former release knows only the voter's cookie, and must be able to read the one that we write.
#[tokio::test]
async fn the_voters_cookie_stays_as_a_former_release_reads_it() {
    let data = TempDir::new().unwrap();
    let urna = Embedded::start(data.path()).await;
    let mut voter = Voter::arrive(&urna.vote).await;
    let answer = voter.vote(&urna.vote, "a").await.unwrap();
    let cookies: Vec<_> = answer.headers().get_all("set-cookie").iter().collect();
    let [first, second] = cookies[..] else { panic!("{cookies:?}") };
    let parts = first.to_str().unwrap().split(';').next().unwrap().split('.').count();
    assert!(first.to_str().unwrap().starts_with("voter=") && parts == 5, "{first:?}");
    assert!(is_receipt(second), "{second:?}");
}

fn is_receipt(cookie: &reqwest::header::HeaderValue) -> bool {
    cookie.to_str().unwrap().starts_with("receipt=")
}

/// A voter whose browser keeps every cookie.
struct Follower {
    url: String,
    voter: Voter,
    receipt: String,
}

impl Follower {
    async fn of(vote: &Replica) -> Self {
        let voter = Voter::arrive(&vote.url).await;
        Self { url: vote.url.clone(), voter, receipt: String::new() }
    }

    async fn votes(&mut self, key: &str) {
        let answer = self.voter.vote(&self.url, key).await.unwrap();
        let mut cookies = answer.headers().get_all("set-cookie").iter();
        let receipt = cookies.find(|cookie| is_receipt(cookie)).unwrap().to_str().unwrap();
        self.receipt = receipt.split(';').next().unwrap().to_owned();
    }

    async fn is_told(&self, text: &str) {
        let cookie = format!("{}; {}", self.voter.cookie, self.receipt);
        eventually(text, async || {
            let page = client().get(&self.url).header("cookie", &cookie).send().await.ok()?;
            page.text().await.ok()?.contains(text).then_some(())
        })
        .await;
    }
}
