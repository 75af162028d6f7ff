//! The map under a reader's hands and eyes: the keyboard, and what may move while replicas come and go.

use harness::{Browser, Deployment, Replica, Screen, Voter, eventually};
use serde_json::{Value, json};
use thirtyfour::Key;

use super::layout::WATCH_SHIFTS;

/// A laptop at a projector, and a phone.
const SCREENS: [Screen; 2] =
    [Screen { width: 1280, height: 720, scale: 1 }, Screen { width: 390, height: 844, scale: 2 }];

/// More than a map has, for a test that would otherwise never end.
const TABS_MAX: usize = 50;

#[tokio::test(flavor = "multi_thread")]
async fn by_tab_one_comes_to_all_of_the_map_in_order_and_an_update_takes_no_focus() {
    let deployment = Deployment::start().await;
    let (_vote, _worker, result) = deployment.one_of_each().await;
    let browser = Browser::start().await;
    for screen in SCREENS {
        browser.look_at(screen).await;
        browser.open(&format!("{}/map", result.url)).await;
        browser.shows("All is well").await;
        assert_eq!(tabbed(&browser).await, browser.run(IN_ORDER).await, "{screen:?}");
    }
    browser.run("document.querySelector('footer a:last-of-type').focus()").await;
    browser.run("getSelection().selectAllChildren(document.querySelector('#list bdi'))").await;
    let kept = "return [document.activeElement.textContent, getSelection().toString()]";
    let before = browser.run(kept).await;
    assert_eq!(before, json!(["Where is my vote?", "vote-0"]));
    let another = deployment.ready("vote").await;
    browser.shows("vote-3 appeared").await;
    another.service.terminate();
    browser.shows("vote-3 stopped").await;
    assert_eq!(browser.run(kept).await, before);
    browser.close().await;
}

/// The texts of all that can have the focus, in the order in which a reader meets them.
const IN_ORDER: &str = "return [...document.querySelectorAll('a[href], button, input, summary, [tabindex]')]
    .filter((one) => one.checkVisibility()).map((one) => one.textContent.trim())";

/// Presses Tab until the focus leaves the page, and returns the texts of what it was on.
async fn tabbed(browser: &Browser) -> Value {
    let mut texts = Vec::new();
    loop {
        browser.type_keys(Key::Tab).await;
        let focused = "const one = document.activeElement, box = one.getBoundingClientRect();
            return [one.textContent.trim(), one === document.body, getComputedStyle(one).outlineStyle,
                box.top >= 0 && box.bottom <= innerHeight]";
        let focused = browser.run(focused).await;
        if focused[1] == true || texts.len() > TABS_MAX {
            return texts.into();
        }
        assert_eq!(
            (&focused[2], &focused[3]),
            (&json!("solid"), &json!(true)),
            "where is the focus? {focused}"
        );
        texts.push(focused[0].clone());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_jumps_while_replicas_come_and_go() {
    let deployment = Deployment::start().await;
    let on = |node, program| ready_on(&deployment, node, program);
    let (vote, _worker) = (on("north", "vote").await, on("south", "worker").await);
    let result = on("north", "result").await;
    let viewers = [viewer(&result, SCREENS[0]).await, viewer(&result, SCREENS[1]).await];
    // A card for a node that has some, and one for a new node in the middle.
    let (mut another, elsewhere) = (on("north", "vote").await, on("omega", "worker").await);
    for mut voter in Voter::arrive_many(&vote.url, 12).await {
        voter.insist(&[&vote.url], "a").await;
    }
    for viewer in &viewers {
        viewer.shows("12 counted").await;
        viewer.shows("worker-4 appeared").await;
    }
    another.service.kill().await;
    elsewhere.service.terminate();
    for viewer in viewers {
        viewer.shows("worker-4 stopped").await;
        viewer.shows("vote-3 went silent").await;
        // The card fades, and only then it makes room.
        let is_away = "return document.querySelector('.gone') === null";
        eventually("a card that has faded", async || (viewer.run(is_away).await == true).then_some(())).await;
        assert_eq!(viewer.run("return window.shifted").await, json!([]));
        viewer.close().await;
    }
}

async fn ready_on(deployment: &Deployment, node: &str, program: &str) -> Replica {
    let replica = deployment.spawn(program, &[("NODE", node)]);
    replica.wait_until_ready().await;
    replica
}

/// A browser that shows the map, and notes what jumps from now on. What glides does not jump.
async fn viewer(result: &Replica, screen: Screen) -> Browser {
    let viewer = Browser::start().await;
    viewer.look_at(screen).await;
    viewer.open(&format!("{}/map", result.url)).await;
    viewer.shows("All is well").await;
    viewer.run(WATCH_SHIFTS).await;
    viewer
}
