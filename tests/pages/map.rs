//! The map: what the picture says of replicas, nodes, votes and outages.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use harness::{Browser, Deployment, Screen, Voter, eventually, totals_of};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, connect_async};

/// Sixty replicas on ten nodes: a whole classroom on one screen.
const NODES: usize = 10;
const ON_EACH: usize = 6;

/// A map shows no more cards.
const CARDS_MAX: usize = 120;

/// More than any hall seats.
const VIEWERS: usize = 1000;

/// For a test that would otherwise never end.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn the_map_shows_who_runs_where_and_what_happened() {
    let deployment = Deployment::start().await;
    let at = |node| [("NODE", node), ("RELEASE", "blue")];
    let vote = deployment.spawn("vote", &at("north"));
    let worker = deployment.spawn("worker", &at("south"));
    let result = deployment.spawn("result", &at("north"));
    for replica in [&vote, &worker, &result] {
        replica.wait_until_ready().await;
    }
    let browser = Browser::start().await;
    browser.open(&format!("{}/map", result.url)).await;
    browser.shows("All is well").await;
    let bands =
        "return [...document.querySelectorAll('.band')].map((band) => [band.querySelector('h2').textContent,
        band.querySelectorAll('.card').length])";
    eventually("two nodes", async || {
        (browser.run(bands).await == json!([["north", 2], ["south", 1]])).then_some(())
    })
    .await;
    browser.shows("appeared on south (release blue)").await;

    Voter::arrive(&vote.url).await.insist(&[&vote.url], "a").await;
    browser.shows("1 counted").await;
    worker.service.terminate();
    browser.shows("stopped").await;
    eventually("an empty node", async || {
        (browser.run(bands).await == json!([["north", 2], ["south", 0]])).then_some(())
    })
    .await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_redis_is_away_the_map_dims_and_then_tells_for_how_long() {
    let mut deployment = Deployment::start().await;
    let (_vote, _worker, result) = deployment.one_of_each().await;
    let browser = Browser::start().await;
    browser.open(&format!("{}/map", result.url)).await;
    browser.shows("All is well").await;
    deployment.redis.kill().await;
    browser.shows("Redis is away: this is what was last known").await;
    assert_eq!(browser.run("return document.querySelectorAll('.stale .card').length").await, 3);
    // A shorter outage is not worth an event.
    let seconds = "return parseInt(document.querySelector('#stale').textContent.match(/[0-9]+/))";
    eventually("an outage", async || (browser.run(seconds).await.as_i64() >= Some(4)).then_some(())).await;
    deployment.redis.resume().await;
    browser.shows("Redis is away: votes are refused").await;
    browser.shows("nothing was lost").await;
    // By then, nobody notes that outage any more.
    let outages = "return document.querySelector('#events').textContent.match(/Redis is/g).length";
    assert_eq!(browser.run(outages).await, 2, "away once, and back once");
    // A replica that has just started tells the same history.
    let other = deployment.ready("result").await;
    let browser_of_other = Browser::start().await;
    browser_of_other.open(&format!("{}/map", other.url)).await;
    browser_of_other.shows("nothing was lost").await;
    for browser in [browser, browser_of_other] {
        browser.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn votes_flow_stand_still_and_pile_up() {
    let deployment = Deployment::start().await;
    let (vote, mut worker, result) = deployment.one_of_each().await;
    let browser = Browser::start().await;
    browser.open(&format!("{}/map", result.url)).await;
    let edges = "return ['.edge', '.edge:not(.still)'].map((edge) => document.querySelectorAll(edge).length)";
    eventually("edges that stand still", async || (browser.run(edges).await == json!([4, 0])).then_some(()))
        .await;
    let mut voters = Voter::arrive_many(&vote.url, 30).await;
    let mut voting = voters[..20].iter_mut();
    eventually("votes that flow", async || {
        if let Some(voter) = voting.next() {
            voter.insist(&[&vote.url], "a").await;
        }
        (browser.run(edges).await == json!([4, 4])).then_some(())
    })
    .await;
    for voter in voting {
        voter.insist(&[&vote.url], "a").await;
    }
    totals_of(&result.url, "no vote waits", |totals| totals["total"] == 20 && totals["waiting"] == 0).await;
    worker.service.kill().await;
    for voter in &mut voters[20..] {
        voter.insist(&[&vote.url], "a").await;
    }
    browser.shows("10 wait").await;
    eventually("a pile", async || {
        (browser.run("return document.querySelectorAll('.pile circle').length").await == 10).then_some(())
    })
    .await;
    browser.prefer(&[("prefers-reduced-motion", "reduce")]).await;
    let moves = "return [...document.querySelectorAll('.edge .line')].filter((edge) => edge.checkVisibility({ visibilityProperty: true })).length";
    assert_eq!(browser.run(moves).await, 0, "numbers are enough");
    browser.close().await;
}

#[tokio::test]
async fn the_map_speaks_the_readers_language_without_a_script_too() {
    let deployment = Deployment::start().await;
    let (_vote, _worker, result) = deployment.one_of_each().await;
    let phrases = [
        ("en", "worker-1 appeared (release", "All is well"),
        ("es", "worker-1 apareció (versión", "Todo va bien"),
        ("gl", "worker-1 apareceu (versión", "Todo vai ben"),
        ("ru", "worker-1 появилась (версия", "Всё в порядке"),
    ];
    for (language, event, summary) in phrases {
        eventually(event, async || {
            let page =
                reqwest::get(format!("{}/map?lang={language}", result.url)).await.ok()?.text().await.ok()?;
            (page.contains(event) && page.contains(summary)).then_some(())
        })
        .await;
    }
    let status = reqwest::get(format!("{}/api/status", result.url)).await.unwrap();
    let status: Value = status.json().await.unwrap();
    let events = status["events"].as_array().unwrap();
    assert!(
        events.iter().any(|event| event["text"].as_str().unwrap().starts_with("worker-1 appeared")),
        "{events:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_watch_the_map_beside_honest_voters() {
    let deployment = Deployment::start().await;
    let (vote, _worker, result) = deployment.one_of_each().await;
    let address = format!("{}/ws/map/es", result.url.replace("http", "ws"));
    let arriving = (0..VIEWERS).map(|_| connect_async(&address));
    let viewers: Vec<_> = join_all(arriving).await.into_iter().map(|arrived| arrived.unwrap().0).collect();
    let sees_all = |mut viewer: WebSocketStream<_>| async move {
        let all = |message: Message| message.into_text().is_ok_and(|text| text.contains("20 contados"));
        while !all(viewer.next().await.expect("a server that stays").unwrap()) {}
    };
    let all_see = join_all(viewers.into_iter().map(sees_all));
    let all_vote = async {
        for mut voter in Voter::arrive_many(&vote.url, 20).await {
            voter.insist(&[&vote.url], "a").await;
        }
    };
    let both = async { tokio::join!(all_see, all_vote) };
    tokio::time::timeout(PATIENCE, both).await.expect("every viewer to see every vote");
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_replicas_on_ten_nodes_fit_one_screen() {
    let deployment = Deployment::start().await;
    let result = deployment.ready("result").await;
    let browser = Browser::start().await;
    for screen in
        [Screen { width: 1280, height: 720, scale: 1 }, Screen::PROJECTOR, Screen::PHONE, Screen::NARROW]
    {
        announce(&deployment, NODES * ON_EACH).await;
        browser.look_at(screen).await;
        browser.open(&format!("{}/map", result.url)).await;
        let shown = format!("vote-{}", NODES * ON_EACH / 3 - 1);
        browser.shows(&shown).await;
        let beyond: Value = browser
            .run(
                "return [Math.max(0, document.documentElement.scrollWidth - innerWidth),
                    [...document.querySelectorAll('.card')].filter((card) => card.checkVisibility()
                        && card.getBoundingClientRect().bottom > innerHeight).length]",
            )
            .await;
        assert_eq!(beyond, json!([0, 0]), "{screen:?}");
    }
    browser.close().await;
}

/// Russian has the longest texts.
#[tokio::test(flavor = "multi_thread")]
async fn a_map_of_more_replicas_than_it_shows_still_reaches_its_viewers() {
    let deployment = Deployment::start().await;
    let result = deployment.ready("result").await;
    announce(&deployment, 2 * CARDS_MAX).await;
    let address = format!("{}/ws/map/ru", result.url.replace("http", "ws"));
    let (mut viewer, _) = connect_async(&address).await.unwrap();
    let cards = async {
        loop {
            let message = viewer.next().await.expect("a server that stays").unwrap();
            let cards = message.into_text().unwrap().matches("class=\\\"card ").count();
            if cards == CARDS_MAX {
                break;
            }
        }
    };
    tokio::time::timeout(PATIENCE, cards).await.expect("a map with all the cards that it may have");
}

/// Announces the replicas as they would do it themselves. They fall silent some seconds later.
async fn announce(deployment: &Deployment, replicas: usize) {
    let mut redis = deployment.redis.connection().await;
    let (seconds, _): (i64, i64) = redis::cmd("TIME").query_async(&mut redis).await.unwrap();
    for number in 0..replicas {
        let kind = ["vote", "worker", "result"][number % 3];
        let said = json!({
            "kind": kind, "name": format!("{kind}-{}", number / 3), "version": "1.2.3",
            "node": format!("node-{}", number / ON_EACH), "running_ms": 60_000, "lately": number,
        });
        let text = format!("{} {said}", seconds * 1000);
        let id = uuid::Uuid::from_u128(number as u128 + 1).to_string();
        redis::cmd("HSET").arg("urna:replicas").arg(id).arg(text).exec_async(&mut redis).await.unwrap();
    }
}
