//! Makes the pictures of the README. `docs/screenshots.sh` runs it.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a panic is how this program fails")]

mod film;

use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::{Browser, Deployment, Embedded, Screen, Voter, eventually, totals_of};
use tempfile::TempDir;
use tokio::time::sleep;

/// An address as in a classroom, for which the page shows a QR code.
const VOTE_URL: &str = "http://192.168.1.20:8000/";

/// As high as the page.
const RESULTS: Screen = Screen { width: 1280, height: 900, scale: 1 };

/// As high as the page, with room for the commands.
const STATUS: Screen = Screen { width: 1000, height: 1180, scale: 1 };

const LIGHT: &[(&str, &str)] = &[("prefers-color-scheme", "light"), ("prefers-reduced-motion", "reduce")];
const DARK: &[(&str, &str)] = &[("prefers-color-scheme", "dark"), ("prefers-reduced-motion", "reduce")];

#[tokio::main]
async fn main() {
    let folder = std::env::args().nth(1).map_or(PathBuf::from("docs"), PathBuf::from);
    let data = TempDir::new().unwrap();
    let urna = Embedded::start_with(data.path(), &[("VOTE_URL", VOTE_URL)]).await;
    let browser = Browser::start().await;
    browser.open(&urna.vote).await;
    browser.press("Nesquik").await;
    browser.shows("Recorded").await;
    for (number, mut voter) in Voter::arrive_many(&urna.vote, 41).await.into_iter().enumerate() {
        voter.insist(&[&urna.vote], if number % 5 < 3 { "a" } else { "b" }).await;
        // Irregular pauses, as in a class, make a lively curve.
        sleep(Duration::from_millis(number as u64 * 37 % 900)).await;
    }
    totals_of(&urna.result, "every vote", |totals| totals["total"] == 42 && totals["waiting"] == 0).await;
    a_lively_curve(&browser, &urna).await;

    let presenter = format!("{}/presenter", urna.result);
    let recorded = "Your vote is for";
    let pictures = [
        ("vote-phone-light.png", &urna.vote, recorded, Screen::PHONE, LIGHT),
        ("vote-phone-dark.png", &urna.vote, recorded, Screen::PHONE, DARK),
        ("results-light.png", &urna.result, "Live", RESULTS, LIGHT),
        ("results-dark.png", &urna.result, "Live", RESULTS, DARK),
        ("presenter.png", &presenter, "Live", Screen::PROJECTOR, LIGHT),
    ];
    for (name, url, settled, screen, media) in pictures {
        browser.look_at(screen).await;
        browser.prefer(media).await;
        browser.open(url).await;
        browser.shows(settled).await;
        browser.page.screenshot(&folder.join(name)).await.unwrap();
        println!("{}", folder.join(name).display());
    }
    where_a_vote_is(&browser, &folder).await;
    film::take(&browser, &folder).await;
    browser.close().await;
}

/// Takes a picture of the status page while no worker runs.
async fn where_a_vote_is(browser: &Browser, folder: &Path) {
    let urna = Deployment::start().await;
    let (vote, mut worker) = (urna.ready("vote").await, urna.ready("worker").await);
    let result = urna.spawn("result", &[("PLATFORM", "compose")]);
    result.wait_until_ready().await;
    Voter::arrive(&vote.url).await.insist(&[&vote.url], "a").await;
    totals_of(&result.url, "a counted vote", |totals| totals["total"] == 1).await;
    worker.service.terminate();
    worker.service.exit().await;
    Voter::arrive(&vote.url).await.insist(&[&vote.url], "b").await;
    browser.look_at(STATUS).await;
    browser.prefer(LIGHT).await;
    browser.open(&format!("{}/status", result.url)).await;
    browser.shows("1 recorded vote waits").await;
    browser.shows("No worker is running").await;
    browser.page.screenshot(&folder.join("status.png")).await.unwrap();
    println!("{}", folder.join("status.png").display());
}

/// Waits until the votes are part of the curve.
async fn a_lively_curve(browser: &Browser, urna: &Embedded) {
    browser.open(&urna.result).await;
    eventually("a curve that came down again", async || {
        let pace = browser.run("return document.getElementById('pace').textContent").await;
        let pace = pace.as_str()?;
        (pace.starts_with("now 0.0") && !pace.ends_with(" 0.0")).then_some(())
    })
    .await;
}
