//! axe-core finds no barrier on any page, in any state, on any screen.

use harness::{Browser, Deployment, Embedded, Postgres, Redis, Screen, Voter, eventually, totals_of};
use tempfile::TempDir;

const AXE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pages/axe/node_modules/axe-core/axe.min.js");

/// WCAG 2.2 AA, the versions and levels below it, and axe-core's own best practices.
const RULES: &str = "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']";

#[tokio::test(flavor = "multi_thread")]
async fn the_ballot_in_every_state() {
    let mut deployment = Deployment::start().await;
    let vote = deployment.ready("vote").await;
    let browser = Browser::start().await;
    browser.open(&vote.url).await;
    has_no_barriers(&browser, "a new ballot").await;
    browser.press("Nesquik").await;
    browser.shows("1 recorded vote waits").await;
    has_no_barriers(&browser, "a recorded vote that waits").await;
    browser.press("Cola Cao").await;
    browser.shows("You changed your vote").await;
    has_no_barriers(&browser, "a changed vote").await;
    let worker = deployment.ready("worker").await;
    browser.shows("Counted").await;
    has_no_barriers(&browser, "a counted vote").await;
    drop(worker);
    browser.press("Cola Cao").await;
    browser.shows("It waits to be counted.").await;
    let flush = redis::cmd("FLUSHALL");
    flush.exec_async(&mut deployment.redis.connection().await).await.unwrap();
    browser.shows("This page cannot tell whether it was counted.").await;
    has_no_barriers(&browser, "a vote that cannot be followed").await;
    // The page's script waits for an answer longer than axe-core runs.
    vote.service.pause();
    browser.press("Nesquik").await;
    browser.shows("Sending").await;
    has_none_here(&browser, "a vote on its way").await;
    browser.shows("Sending").await;
    vote.service.unpause();
    browser.shows("You changed your vote to Nesquik").await;
    deployment.redis.pause();
    browser.press("Cola Cao").await;
    browser.shows("Not confirmed").await;
    has_no_barriers(&browser, "a vote that is not confirmed").await;
    deployment.redis.kill().await;
    eventually("vote to notice", async || (vote.readyz().await?.0 == 503).then_some(())).await;
    browser.press("Nesquik").await;
    browser.shows("Not recorded").await;
    has_no_barriers(&browser, "a vote that is not recorded").await;
    browser.page.delete_all_cookies().await.unwrap();
    browser.press("Nesquik").await;
    browser.shows("Your browser keeps no cookie").await;
    has_no_barriers(&browser, "a voter who is not known").await;
    browser.open(&format!("{}/nothing", vote.url)).await;
    has_no_barriers(&browser, "nothing here").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_results_while_parts_are_away() {
    let mut deployment = Deployment::over(Redis::start().await, Postgres::reserve());
    let result = deployment.spawn("result", &[]);
    let browser = Browser::start().await;
    eventually("the page", async || reqwest::get(&result.url).await.ok()).await;
    browser.open(&result.url).await;
    browser.shows("The database has not answered yet.").await;
    browser.shows("Answered by result-0").await;
    has_no_barriers(&browser, "a database that never answered").await;
    deployment.postgres.resume().await;
    browser.shows("No votes yet.").await;
    has_no_barriers(&browser, "no votes yet").await;
    let vote = deployment.ready("vote").await;
    Voter::arrive(&vote.url).await.insist(&[&vote.url], "a").await;
    browser.shows("No worker is running").await;
    has_no_barriers(&browser, "a vote that waits").await;
    deployment.postgres.kill().await;
    deployment.redis.kill().await;
    browser.shows("the database is away").await;
    browser.shows("Redis does not answer").await;
    has_no_barriers(&browser, "both stores away").await;
    drop(result);
    browser.shows("reconnecting …").await;
    has_no_barriers(&browser, "a lost connection").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_results_with_votes_with_the_code_shown_large_and_for_a_room() {
    let data = TempDir::new().unwrap();
    let urna = Embedded::start_with(data.path(), &[("VOTE_URL", "http://10.1.2.3:8000/")]).await;
    for (mut voter, key) in Voter::arrive_many(&urna.vote, 3).await.into_iter().zip(["a", "b", "b"]) {
        voter.insist(&[&urna.vote], key).await;
    }
    totals_of(&urna.result, "three votes", |totals| totals["total"] == 3).await;
    let browser = Browser::start().await;
    browser.open(&urna.result).await;
    browser.shows("Live").await;
    has_no_barriers(&browser, "results").await;
    browser.press("Show large").await;
    has_no_barriers(&browser, "a large code").await;
    browser.open(&format!("{}/presenter", urna.result)).await;
    browser.shows("Live").await;
    has_no_barriers(&browser, "the presenter's view").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_vote_is_while_parts_are_away() {
    let mut deployment = Deployment::start().await;
    let (vote, _worker) = (deployment.ready("vote").await, deployment.ready("worker").await);
    let result = deployment.spawn("result", &[("PLATFORM", "kubernetes"), ("NODE", "worker2")]);
    let browser = Browser::start().await;
    eventually("the page", async || reqwest::get(&result.url).await.ok()).await;
    browser.open(&format!("{}/status", result.url)).await;
    browser.shows("All is well").await;
    has_no_barriers(&browser, "all well").await;
    vote.service.pause();
    deployment.postgres.kill().await;
    browser.shows("Not heard of lately: vote-0").await;
    browser.shows("PostgreSQL does not answer").await;
    has_no_barriers(&browser, "vote hangs, and PostgreSQL is away").await;
    deployment.redis.kill().await;
    browser.shows("and no announcement arrives").await;
    has_no_barriers(&browser, "both stores away").await;
    drop(result);
    browser.shows("This page has lost its server").await;
    has_no_barriers(&browser, "a lost server").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_map_while_parts_come_go_and_are_away() {
    let mut deployment = Deployment::start().await;
    let (vote, worker) = (deployment.ready("vote").await, deployment.ready("worker").await);
    let result = deployment.spawn("result", &[("NODE", "worker2")]);
    let browser = Browser::start().await;
    eventually("the page", async || reqwest::get(&result.url).await.ok()).await;
    browser.open(&format!("{}/map", result.url)).await;
    browser.shows("All is well").await;
    has_no_barriers(&browser, "all well").await;
    vote.service.pause();
    worker.service.terminate();
    browser.shows("went silent").await;
    browser.shows("stopped").await;
    has_no_barriers(&browser, "one silent, one gone").await;
    deployment.redis.kill().await;
    browser.shows("this is what was last known").await;
    has_no_barriers(&browser, "the last known picture").await;
    drop(result);
    browser.shows("This page has lost its server").await;
    has_no_barriers(&browser, "a lost server").await;
    browser.close().await;
}

async fn has_no_barriers(browser: &Browser, state: &str) {
    for screen in [Screen::DESKTOP, Screen::NARROW] {
        browser.look_at(screen).await;
        for scheme in ["light", "dark"] {
            browser.prefer(&[("prefers-color-scheme", scheme), ("prefers-reduced-motion", "reduce")]).await;
            has_none_here(browser, &format!("{state}, {scheme}, {screen:?}")).await;
        }
    }
}

async fn has_none_here(browser: &Browser, state: &str) {
    let axe = std::fs::read_to_string(AXE).expect("axe-core: run ./test.sh setup, which fetches it");
    browser.run(&format!("if (!window.axe) {{ {axe} }}")).await;
    let look = format!(
        "return axe.run({{ runOnly: {RULES} }}).then((found) => found.violations.flatMap((rule) =>
            rule.nodes.map((node) => `${{rule.id}}: ${{node.html}} ${{node.failureSummary}}`)))"
    );
    let barriers = browser.run(&look).await;
    assert_eq!(barriers, serde_json::json!([]), "{state}");
}
