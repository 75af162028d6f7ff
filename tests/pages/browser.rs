//! The pages as people use them, in a real browser.

use harness::{Browser, Deployment, Embedded, Voter, eventually, free_port};
use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::Key;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

#[tokio::test(flavor = "multi_thread")]
async fn voting_and_changing_ones_mind_needs_no_javascript() {
    let (_data, urna) = start().await;
    let voter = Browser::without_javascript().await;
    voter.open(&urna.vote).await;
    voter.shows("Press your choice.").await;
    voter.press("Nesquik").await;
    voter.shows("Your vote is for Nesquik.").await;
    voter.press("Cola Cao").await;
    voter.shows("You changed your vote to Cola Cao.").await;
    voter.shows(" UTC").await;
    voter.open(&urna.result).await;
    voter.shows("Cola Cao leads by 1 vote.").await;
    voter.shows("This page refreshes itself").await;
    voter.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_javascript_the_page_is_not_loaded_anew_and_tells_the_readers_time() {
    let (_data, urna) = start().await;
    let voter = Browser::start().await;
    voter.open(&urna.vote).await;
    voter.run("window.loadedOnce = true").await;
    voter.press("Nesquik").await;
    voter.shows("Your vote is for Nesquik.").await;
    voter.press("Cola Cao").await;
    voter.shows("You changed your vote to Cola Cao.").await;
    let time = "const time = document.querySelector('time');
        return [window.loadedOnce, time.textContent === new Date(time.dateTime).toLocaleTimeString('en')]";
    assert_eq!(voter.run(time).await, json!([true, true]));
    assert_eq!(chosen(&voter).await, json!(["b"]));
    voter.page.refresh().await.unwrap();
    voter.shows("You changed your vote to Cola Cao.").await;
    assert_eq!(chosen(&voter).await, json!(["b"]), "the choice stays marked");
    voter.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vote_is_sending_then_not_confirmed_and_pressing_again_is_safe() {
    let data = TempDir::new().unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let mut urna = Embedded::start_with(data.path(), &[("VOTE_LISTEN", &address)]).await;
    let voter = Browser::start().await;
    voter.open(&urna.vote).await;
    urna.service.pause();
    voter.press("Nesquik").await;
    voter.shows("Sending …").await;
    // A second press before the first answer: the script sends it after the first.
    voter.press("Cola Cao").await;
    urna.service.unpause();
    voter.shows("You changed your vote to Cola Cao.").await;

    urna.service.kill().await;
    voter.press("Nesquik").await;
    voter.shows("Not confirmed: press again, it is safe").await;
    let proxy =
        tokio::spawn(answer_like_a_proxy_without_a_server(TcpListener::bind(&address).await.unwrap()));
    voter.press("Cola Cao").await;
    eventually("the proxy's answer", async || {
        let open = "return document.querySelector('[data-open]')?.value";
        (voter.run(open).await == "b").then_some(())
    })
    .await;
    voter.shows("Not confirmed: press again, it is safe").await;
    proxy.abort();
    let _ = proxy.await;
    let _again = Embedded::start_with(data.path(), &[("VOTE_LISTEN", &address)]).await;
    voter.press("Nesquik").await;
    voter.shows("You changed your vote to Nesquik.").await;
    voter.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_vote_is_not_recorded_and_the_last_recorded_one_is_named() {
    let mut deployment = Deployment::start().await;
    let vote = deployment.ready("vote").await;
    let voter = Browser::start().await;
    voter.open(&vote.url).await;
    voter.press("Nesquik").await;
    voter.shows("Your vote is for Nesquik.").await;
    deployment.redis.kill().await;
    eventually("vote to notice", async || (vote.readyz().await?.0 == 503).then_some(())).await;
    voter.press("Cola Cao").await;
    voter.shows("Not recorded").await;
    voter.shows("Your last recorded vote is for Nesquik.").await;
    assert_eq!(chosen(&voter).await, json!(["a"]));
    deployment.redis.resume().await;
    vote.wait_until_ready().await;
    voter.press("Cola Cao").await;
    voter.shows("You changed your vote to Cola Cao.").await;
    voter.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_pages_say_who_answered_and_which_votes_wait_for_a_worker() {
    let deployment = Deployment::start().await;
    let (vote, result) = (deployment.ready("vote").await, deployment.ready("result").await);
    let (voter, viewer) = (Browser::start().await, Browser::start().await);
    voter.open(&vote.url).await;
    voter.shows("Answered by vote-0").await;
    voter.press("Nesquik").await;
    voter.shows("1 recorded vote waits to be counted.").await;
    viewer.open(&result.url).await;
    viewer.shows("Answered by result-1").await;
    viewer.shows("No worker is running, or none can reach Redis. 1 recorded vote waits to be counted.").await;
    assert_eq!(viewer.run("return document.querySelector('#trouble').pathname").await, "/status");
    let _worker = deployment.ready("worker").await;
    viewer.shows("Nesquik leads by 1 vote.").await;
    for page in [&voter, &viewer] {
        eventually("nothing to wait", async || {
            let waiting = page.run("return document.querySelector('#waiting, #trouble').textContent").await;
            (waiting == "").then_some(())
        })
        .await;
    }
    voter.close().await;
    viewer.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voter_without_a_cookie_is_told_so_where_a_screen_reader_notices() {
    let (_data, urna) = start().await;
    let voter = Browser::start().await;
    voter.open(&urna.vote).await;
    voter.page.delete_all_cookies().await.unwrap();
    voter.press("Nesquik").await;
    voter.shows("Your browser keeps no cookie of this page").await;
    assert_eq!(voter.run("return document.activeElement.tagName").await, "MAIN");
    voter.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_results_follow_every_vote_and_come_back_after_a_restart() {
    let data = TempDir::new().unwrap();
    let result = format!("127.0.0.1:{}", free_port());
    let mut urna = Embedded::start_with(data.path(), &[("RESULT_LISTEN", &result)]).await;
    let (viewer, voter) = (Browser::start().await, Browser::start().await);
    viewer.open(&urna.result).await;
    viewer.shows("Live").await;
    viewer.shows("No votes yet.").await;
    voter.open(&urna.vote).await;
    voter.press("Cola Cao").await;
    viewer.shows("1 vote").await;

    urna.service.kill().await;
    viewer.shows("reconnecting …").await;
    let _again = Embedded::start_with(data.path(), &[("RESULT_LISTEN", &result)]).await;
    viewer.shows("Live").await;
    viewer.shows("Cola Cao leads by 1 vote.").await;
    viewer.close().await;
    voter.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_falls_silent_is_not_taken_for_a_live_one() {
    let (_data, urna) = start().await;
    let viewer = Browser::start().await;
    viewer.open(&urna.result).await;
    viewer.shows("Live").await;
    urna.service.pause();
    viewer.shows("reconnecting …").await;
    urna.service.unpause();
    viewer.shows("Live").await;
    viewer.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_store_is_away_the_results_name_it_and_recover() {
    let mut deployment = Deployment::start().await;
    let (vote, _worker, result) = deployment.one_of_each().await;
    let mut voter = Voter::arrive(&vote.url).await;
    voter.insist(&[&vote.url], "a").await;
    let viewer = Browser::start().await;
    viewer.open(&result.url).await;
    viewer.shows("Nesquik leads by 1 vote.").await;
    deployment.postgres.kill().await;
    viewer.shows("the database is away").await;
    viewer.shows("Nesquik leads by 1 vote.").await;
    deployment.redis.kill().await;
    viewer.shows("Redis does not answer.").await;
    deployment.redis.resume().await;
    deployment.postgres.resume().await;
    viewer.shows("Live").await;
    voter.insist(&[&vote.url], "b").await;
    viewer.shows("Cola Cao leads by 1 vote.").await;
    viewer.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hung_database_is_away_and_a_wiped_one_starts_the_page_over() {
    let deployment = Deployment::start().await;
    let (vote, _worker, result) = deployment.one_of_each().await;
    for mut voter in Voter::arrive_many(&vote.url, 2).await {
        voter.insist(&[&vote.url], "a").await;
    }
    let viewer = Browser::start().await;
    viewer.open(&result.url).await;
    viewer.shows("Nesquik leads by 2 votes.").await;
    deployment.postgres.pause();
    viewer.shows("the database is away").await;
    deployment.postgres.unpause();
    viewer.shows("Live").await;
    let wipe = "DROP SCHEMA public CASCADE; CREATE SCHEMA public";
    sqlx::raw_sql(wipe).execute(&deployment.postgres.pool().await).await.unwrap();
    viewer.shows("No votes yet.").await;
    viewer.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_poll_reaches_the_pages_that_are_open() {
    let data = TempDir::new().unwrap();
    let (vote, result) = (format!("127.0.0.1:{}", free_port()), format!("127.0.0.1:{}", free_port()));
    let listen = [("VOTE_LISTEN", vote.as_str()), ("RESULT_LISTEN", &result)];
    let mut urna = Embedded::start_with(data.path(), &listen).await;
    let (voter, viewer) = (Browser::start().await, Browser::start().await);
    voter.open(&urna.vote).await;
    viewer.open(&urna.result).await;
    viewer.shows("Live").await;
    urna.service.kill().await;
    let other = [&listen[..], &[("OPTION_A", "Cats"), ("OPTION_B", "Dogs")]].concat();
    let _other = Embedded::start_with(data.path(), &other).await;
    viewer.shows("Dogs").await;
    // Both polls have the key b, with another meaning.
    voter.press("Cola Cao").await;
    voter.shows("The question has changed, so your vote was not recorded.").await;
    voter.press("Cats").await;
    voter.shows("Your vote is for Cats.").await;
    voter.close().await;
    viewer.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keyboard_alone_is_enough() {
    let (_data, urna) = start().await;
    let voter = Browser::start().await;
    voter.open(&urna.vote).await;
    tab_to(&voter, "Cola Cao").await;
    voter.type_keys(" ").await;
    voter.shows("Your vote is for Cola Cao.").await;
    assert_eq!(focused(&voter).await, "Cola Cao", "the focus stays where it was");
    tab_to(&voter, "See the results").await;
    voter.type_keys(Key::Enter).await;
    voter.shows("Cola Cao leads by 1 vote.").await;
    tab_to(&voter, "Presenter view").await;
    voter.type_keys(Key::Enter).await;
    voter.shows("Back to the normal view").await;
    voter.close().await;
}

/// Answers 502, as a proxy does for a moment during a rolling update.
async fn answer_like_a_proxy_without_a_server(listener: TcpListener) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await;
        let _ = stream
            .write_all(
                b"HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<main>Bad Gateway</main>",
            )
            .await;
    }
}

async fn tab_to(browser: &Browser, text: &str) {
    for _ in 0..20 {
        browser.type_keys(Key::Tab).await;
        if focused(browser).await == text {
            let outline = "return getComputedStyle(document.activeElement).outlineStyle";
            assert_eq!(browser.run(outline).await, "solid", "one sees where the focus is");
            return;
        }
    }
    panic!("no Tab leads to {text:?}");
}

async fn focused(browser: &Browser) -> Value {
    browser.run("return document.activeElement.textContent.trim()").await
}

/// The keys of the options that are marked as chosen.
async fn chosen(browser: &Browser) -> Value {
    browser.run("return [...document.querySelectorAll('[aria-pressed=true]')].map((one) => one.value)").await
}

async fn start() -> (TempDir, Embedded) {
    let data = TempDir::new().unwrap();
    let urna = Embedded::start(data.path()).await;
    (data, urna)
}
