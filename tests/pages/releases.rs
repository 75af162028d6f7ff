//! People see which release answers, on every page and while it is updated.

use harness::{Browser, Deployment, Proxy, Replica, Screen, eventually};

/// The colour beside the release's name.
const COLOUR: &str = "return getComputedStyle(document.querySelector('#release')).borderInlineStartColor";

/// The footer, in which the release is named, must not push the page about.
const HEIGHT: &str = "return document.querySelector('footer').offsetHeight";

#[tokio::test(flavor = "multi_thread")]
async fn every_open_page_follows_an_update_to_another_release_in_words_and_colour() {
    let urna = Deployment::start().await;
    for (program, path) in [("vote", "/"), ("result", "/"), ("result", "/presenter"), ("result", "/status")] {
        let [stable, canary] =
            ["stable", "canary"].map(|release| urna.spawn(program, &[("RELEASE", release)]));
        stable.wait_until_ready().await;
        canary.wait_until_ready().await;
        let door = Proxy::to(address(&stable)).await;
        let browser = Browser::start().await;
        browser.look_at(Screen::DESKTOP).await;
        browser.open(&format!("http://{}{path}", door.address)).await;
        names(&browser, "release stable").await;
        let (colour, height) = (browser.run(COLOUR).await, browser.run(HEIGHT).await);
        door.lead_to(address(&canary));
        drop(stable);
        if program == "vote" {
            browser.press("Nesquik").await;
        }
        names(&browser, "release canary").await;
        assert_ne!(browser.run(COLOUR).await, colour, "{program}{path}");
        assert_eq!(browser.run(HEIGHT).await, height, "{program}{path}");
        browser.close().await;
    }
}

/// Waits until the footer names this release.
async fn names(browser: &Browser, release: &str) {
    eventually(release, async || {
        let named = browser.run("return document.querySelector('#release')?.textContent").await;
        (named == release).then_some(())
    })
    .await;
}

fn address(replica: &Replica) -> std::net::SocketAddr {
    replica.url.trim_start_matches("http://").parse().unwrap()
}
