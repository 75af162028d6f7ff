//! The layout of the pages: hostile labels, the size of a page, and no unwanted movement.

use std::path::Path;

use harness::{Browser, Deployment, Embedded, Screen, Voter, client, eventually};
use serde_json::json;
use tempfile::TempDir;
use thirtyfour::Key;

/// Ten labels, each of which tries to break the page.
const HOSTILE: [&str; 10] = [
    "<script>document.title = 'hacked'</script>",
    "\"><img src=x onerror=\"document.title='hacked'\">",
    "שלום עולם — מימין לשמאל (1)",
    "مرحبا بالعالم",
    "🍫🥛👨‍👩‍👧‍👦🏴‍☠️",
    "Pneumonoultramicroscopicsilicovolcanoconiosis-without-any-space-to-break-the-line-anywhere-at-all",
    "{n} {label} {{ label }} ${label} %s",
    "\u{202e}evil override\u{202c} text",
    "'&amp;</button></span>",
    "A label of a hundred characters, which is as long as a label may be, and then not one character more",
];

#[tokio::test(flavor = "multi_thread")]
async fn hostile_labels_are_only_text_and_fit_every_screen() {
    let data = TempDir::new().unwrap();
    let urna = with_poll(data.path(), "Which? 🤔", &HOSTILE, &[]).await;
    let mut voter = Voter::arrive(&urna.vote).await;
    voter.insist(&[&urna.vote], "b").await;
    let browser = Browser::start().await;
    let presenter = format!("{}/presenter", urna.result);
    for (url, labels) in [(&urna.vote, "form button"), (&urna.result, ".label"), (&presenter, ".label")] {
        for screen in [Screen::NARROW, Screen::PHONE, Screen::DESKTOP, Screen::PROJECTOR] {
            browser.look_at(screen).await;
            browser.open(url).await;
            let shown = format!(
                "return [...document.querySelectorAll('{labels}')].map((one) => one.textContent.trim())"
            );
            assert_eq!(browser.run(&shown).await, json!(HOSTILE), "{url}");
            let overflow = "return document.documentElement.scrollWidth - innerWidth";
            assert!(browser.run(overflow).await.as_i64().unwrap() <= 0, "{url} on {screen:?}");
            assert_ne!(browser.page.title().await.unwrap(), "hacked");
        }
    }
    browser.open(&urna.vote).await;
    browser.run("document.querySelectorAll('form button')[7].click()").await;
    browser.shows("Recorded").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_options_fit_the_projector_without_scrolling() {
    let data = TempDir::new().unwrap();
    let question = "A question that is long enough to take up two lines of a projector, whatever the room?";
    let urna = with_poll(data.path(), question, &HOSTILE, &[("VOTE_URL", "http://192.168.1.20:8000/")]).await;
    let browser = Browser::start().await;
    for screen in [Screen::PROJECTOR, Screen { width: 1280, height: 720, scale: 1 }] {
        browser.look_at(screen).await;
        browser.open(&format!("{}/presenter", urna.result)).await;
        let overlaps = "const boxes = [...document.querySelectorAll('.totals li, .sum, footer')]
            .map((one) => one.getBoundingClientRect());
            return [
                document.documentElement.scrollHeight - innerHeight,
                boxes.filter((box, at) => at > 0 && box.top < boxes[at - 1].bottom - 1).length,
            ]";
        assert_eq!(browser.run(overlaps).await, json!([0, 0]), "{screen:?}");
    }
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_page_takes_four_requests_and_fifty_kilobytes_at_most() {
    let data = TempDir::new().unwrap();
    let urna = with_poll(data.path(), "Which?", &HOSTILE, &[("VOTE_URL", "https://vote.example.org/")]).await;
    let [presenter, status, map] =
        ["presenter", "status", "map"].map(|path| format!("{}/{path}", urna.result));
    for url in [&urna.vote, &urna.result, &presenter, &status, &map] {
        // A new browser, whose cache is empty.
        let browser = Browser::start().await;
        browser.open(&format!("{url}?lang=ru")).await;
        // The entries are the page and its files. The WebSocket of the results has no entry, so one is added.
        let loaded = "const entries = ['navigation', 'resource'].flatMap((kind) => performance.getEntriesByType(kind));
            return [entries.length + 1, entries.reduce((sum, entry) => sum + entry.transferSize, 0)]";
        let loaded = browser.run(loaded).await;
        assert!(loaded[0].as_i64().unwrap() <= 4, "{url} makes {} requests", loaded[0]);
        let bytes = loaded[1].as_i64().unwrap();
        let bytes_max = if *url == map { 30_000 } else { 50_000 };
        assert!((5_000..bytes_max).contains(&bytes), "{url} transfers {bytes} bytes");
        browser.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_moves_about_while_totals_change_and_workers_come_and_go() {
    let deployment = Deployment::start().await;
    let (vote, mut worker, result) = deployment.one_of_each().await;
    let mut viewers = Vec::new();
    for screen in [Screen::DESKTOP, Screen::NARROW] {
        let viewer = Browser::start().await;
        viewer.look_at(screen).await;
        viewer.open(&result.url).await;
        viewer.shows("Live").await;
        viewer.run(WATCH_SHIFTS).await;
        viewers.push(viewer);
    }
    for (number, mut voter) in Voter::arrive_many(&vote.url, 12).await.into_iter().enumerate() {
        voter.insist(&[&vote.url], if number % 3 == 0 { "b" } else { "a" }).await;
        for viewer in viewers.iter().filter(|_| number == 0) {
            viewer.shows("100.0%").await;
        }
    }
    for viewer in &viewers {
        viewer.shows("12 votes").await;
    }
    worker.service.kill().await;
    Voter::arrive(&vote.url).await.insist(&[&vote.url], "a").await;
    for viewer in viewers {
        viewer.shows("Not heard of lately: worker-").await;
        assert_eq!(viewer.run("return window.shifted").await, json!([]));
        viewer.close().await;
    }
}

/// Records every unrequested layout shift, except that of the message that overlays the page, and that of events which
/// make room for a newer one.
pub(super) const WATCH_SHIFTS: &str = "window.shifted = [];
    const where = ({ node, previousRect: before, currentRect: after }) =>
        `${node?.outerHTML ?? node?.textContent} from ${JSON.stringify(before)} to ${JSON.stringify(after)}`;
    const note = (entry) => window.shifted.push(
        ...entry.sources.filter(({ node }) => !around(node)?.closest('#trouble, #events > li')).map(where));
    const around = (node) => node instanceof Element ? node : node?.parentElement;
    new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type: 'layout-shift' })";

#[tokio::test(flavor = "multi_thread")]
async fn what_has_the_focus_is_never_hidden_behind_the_answer() {
    let data = TempDir::new().unwrap();
    let urna = with_poll(data.path(), "Which?", &HOSTILE, &[]).await;
    let browser = Browser::start().await;
    for screen in [Screen::NARROW, Screen::PHONE, Screen { height: 700, ..Screen::DESKTOP }] {
        browser.look_at(screen).await;
        browser.open(&format!("{}?lang=ru", urna.vote)).await;
        browser.run("document.querySelectorAll('form button')[9].click()").await;
        browser.shows("Принято").await;
        browser.run("scrollTo(0, 0)").await;
        for _ in 0..HOSTILE.len() + 5 {
            browser.type_keys(Key::Tab).await;
            let hidden = "const [one, answer] = [document.activeElement, document.getElementById('answer')]
                .map((each) => each.getBoundingClientRect());
                return document.activeElement.closest('form') !== null && one.bottom > answer.top && one.top < answer.bottom";
            assert_eq!(browser.run(hidden).await, false, "{screen:?}");
        }
    }
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_screen_reader_hears_of_a_burst_of_votes_once() {
    let data = TempDir::new().unwrap();
    let urna = Embedded::start(data.path()).await;
    let browser = Browser::start().await;
    browser.open(&urna.result).await;
    browser.shows("Live").await;
    let listen = "window.heard = [];
        const listen = (changes) => changes.forEach(({ target }) => window.heard.push(target.textContent));
        for (const status of document.querySelectorAll('[role=status]'))
            new MutationObserver(listen).observe(status, { childList: true, characterData: true, subtree: true })";
    browser.run(listen).await;
    for mut voter in Voter::arrive_many(&urna.vote, 8).await {
        voter.insist(&[&urna.vote], "a").await;
    }
    let heard = eventually("an announcement", async || {
        let heard = browser.run("return window.heard").await;
        heard.to_string().contains("8 votes").then_some(heard)
    })
    .await;
    assert_eq!(heard.as_array().map(Vec::len), Some(1), "{heard}");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_screen_reader_hears_that_votes_are_stuck() {
    let deployment = Deployment::start().await;
    let (vote, result) = (deployment.ready("vote").await, deployment.ready("result").await);
    let browser = Browser::start().await;
    browser.open(&result.url).await;
    browser.shows("Live").await;
    Voter::arrive(&vote.url).await.insist(&[&vote.url], "a").await;
    eventually("an announcement", async || {
        let heard = browser.run("return document.getElementById('announcement').textContent").await;
        heard.as_str()?.contains("No worker is running").then_some(())
    })
    .await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bars_glide_only_for_readers_who_like_motion_and_stay_visible_in_forced_colours() {
    let data = TempDir::new().unwrap();
    let urna = Embedded::start(data.path()).await;
    let browser = Browser::start().await;
    browser.open(&urna.result).await;
    let glide = "return getComputedStyle(document.querySelector('.bar rect')).transitionDuration";
    for (preference, duration) in [("no-preference", "0.5s"), ("reduce", "0s")] {
        browser.prefer(&[("prefers-reduced-motion", preference)]).await;
        assert_eq!(browser.run(glide).await, duration, "{preference}");
    }
    let fill = "return getComputedStyle(document.querySelector('.bar rect')).fill";
    let usual = browser.run(fill).await;
    browser.prefer(&[("forced-colors", "active")]).await;
    assert_ne!(browser.run(fill).await, usual, "a colour of the reader's own");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_gets_a_code_to_scan_and_a_lone_machine_the_hint_how_to_open_itself() {
    let data = TempDir::new().unwrap();
    let mut urna = Embedded::start(data.path()).await;
    let alone = client().get(&urna.result).send().await.unwrap().text().await.unwrap();
    assert!(alone.contains("VOTE_LISTEN=0.0.0.0:8000") && !alone.contains(r#"class="code""#), "{alone}");
    urna.service.kill().await;

    let urna = Embedded::start_with(data.path(), &[("VOTE_URL", "http://10.1.2.3:8000/")]).await;
    let browser = Browser::start().await;
    browser.look_at(Screen::DESKTOP).await;
    browser.open(&urna.result).await;
    browser.shows("10.1.2.3:8000").await;
    browser.press("Show large").await;
    let width = "return document.querySelector('#large .code').getBoundingClientRect().width";
    assert!(browser.run(width).await.as_f64() > Some(400.0));
    browser.press("Close").await;
    assert_eq!(browser.run(width).await, 0);
    browser.close().await;
}

async fn with_poll(data: &Path, question: &str, labels: &[&str], more: &[(&str, &str)]) -> Embedded {
    let poll = data.join("poll.toml");
    // Strings and lists of strings are written in JSON as in TOML.
    let text = format!("id = \"hostile\"\nquestion = {}\noptions = {}\n", json!(question), json!(labels));
    std::fs::write(&poll, text).unwrap();
    let poll = [("POLL", poll.to_str().unwrap())];
    Embedded::start_with(data, &[&poll, more].concat()).await
}
