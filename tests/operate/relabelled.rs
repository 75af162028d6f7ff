//! Options that were reordered or renamed under the same poll id are noticed, and the votes stay.

use std::fs;

use harness::{Browser, Deployment, Embedded, Replica, Voter, eventually, totals_of};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::status::{hop, status_in_a_terminal, status_of};

const SOUP_FIRST: [&str; 2] = ["Soup", "Salad"];
const SALAD_FIRST: [&str; 2] = ["Salad", "Soup"];

/// How the warning begins in the log, and how it begins on the page in each language.
const LOGGED: &str = "the labels of the poll lunch were changed after votes were recorded";
const TOLD: [(&str, &str); 4] = [
    ("en", "The options were relabelled after voting began"),
    ("es", "Las opciones se cambiaron con la votación empezada"),
    ("gl", "As opcións cambiáronse coa votación comezada"),
    ("ru", "Варианты изменили уже во время голосования"),
];

#[tokio::test]
async fn options_that_changed_places_are_told_to_voters_and_operators_and_no_total_moves() {
    let (urna, poll) = (Deployment::start().await, PollFile::new());
    let _worker = urna.ready("worker").await;
    let (vote, result) = poll.ready(&urna, SOUP_FIRST).await;
    let mut voters = Voter::arrive_many(&vote.url, 2).await;
    voters[0].insist(&[&vote.url], "a").await;
    labels_in_the_ledger(&urna).await;
    drop((vote, result));

    let (vote, result) = poll.ready(&urna, SOUP_FIRST).await;
    assert_eq!(told(&vote.url).await, [false; 4], "nothing was changed");
    assert_eq!(trouble(&result.url, 1).await, Value::Null);
    drop((vote, result));

    let (mut vote, result) = poll.ready(&urna, SALAD_FIRST).await;
    let line = vote.service.line(LOGGED).await;
    for part in [
        "WARN",
        r#"the key a was "Soup" and is "Salad", the key b was "Salad" and is "Soup""#,
        "give the poll another id, or put the labels back",
    ] {
        assert!(line.contains(part), "{line} should say {part}");
    }
    assert_eq!(told(&vote.url).await, [true; 4]);
    let said = trouble(&result.url, 1).await.to_string();
    assert!(said.contains("a: \u{2068}Soup\u{2069} → \u{2068}Salad\u{2069}, b: "), "{said}");
    let status = status_of(&result.url, "a look", |status| status["state"] == "doubtful").await;
    assert_eq!(status["summary"], "Votes get through, but look at result.");
    assert!(hop(&status, "result")["advice"].to_string().contains("Give the poll another id"), "{status:#}");
    let (exit, said) = status_in_a_terminal(&["--result-url", &result.url]).await;
    assert!(exit.success() && said.contains("! result  shows the totals"), "{said}");
    voters[1].insist(&[&vote.url], "b").await;
    let votes =
        json!([{"key": "a", "label": "Salad", "votes": 1}, {"key": "b", "label": "Soup", "votes": 1}]);
    totals_of(&result.url, "the totals, where they were", |totals| totals["options"] == votes).await;
    urna.counts_exactly(&voters).await;
    drop((vote, result));

    let (vote, result) = poll.ready(&urna, SOUP_FIRST).await;
    assert_eq!(told(&vote.url).await, [false; 4], "the labels are back");
    assert_eq!(trouble(&result.url, 2).await, Value::Null);
}

#[tokio::test]
async fn while_replicas_have_other_labels_each_logs_once_what_it_finds() {
    let (mut urna, poll) = (Deployment::start().await, PollFile::new());
    let (mut former, _) = poll.ready(&urna, SOUP_FIRST).await;
    let (mut next, _) = poll.ready(&urna, SALAD_FIRST).await;
    let addresses = [former.url.clone(), next.url.clone()];
    let mut voter = Voter::arrive(&former.url).await;
    voter.insist(&[&addresses[0]], "a").await;
    next.service.line(LOGGED).await;
    for _ in 0..2 {
        urna.redis.kill().await;
        // A replica that does not notice the outage would not say that it is over.
        for replica in [&mut former, &mut next] {
            replica.service.line("the queue is away").await;
        }
        urna.redis.resume().await;
        for (replica, url) in [&mut former, &mut next].into_iter().zip(&addresses) {
            replica.service.line("the queue is back").await;
            voter.insist(&[url], "b").await;
        }
    }
    let logged = [&former, &next].map(|replica| replica.service.output().matches(LOGGED).count());
    assert_eq!(logged, [0, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ballot_page_that_is_open_learns_of_it_while_its_vote_waits() {
    let (urna, poll) = (Deployment::start().await, PollFile::new());
    let (former, _) = poll.ready(&urna, SOUP_FIRST).await;
    let (next, _) = poll.ready(&urna, SALAD_FIRST).await;
    let browser = Browser::start().await;
    browser.open(&next.url).await;
    Voter::arrive(&former.url).await.insist(&[&former.url], "a").await;
    browser.press("Soup").await;
    browser.shows("Recorded").await;
    browser.shows(TOLD[0].1).await;
    browser.close().await;
}

#[tokio::test]
async fn until_somebody_votes_a_label_may_be_corrected() {
    let (urna, poll) = (Deployment::start().await, PollFile::new());
    let _worker = urna.ready("worker").await;
    drop(poll.ready(&urna, ["Suop", "Salad"]).await);
    drop(poll.ready(&urna, SOUP_FIRST).await.0);
    let (vote, result) = poll.ready(&urna, SOUP_FIRST).await;
    Voter::arrive(&vote.url).await.insist(&[&vote.url], "a").await;
    labels_in_the_ledger(&urna).await;
    assert_eq!(told(&vote.url).await, [false; 4]);
    assert_eq!(trouble(&result.url, 1).await, Value::Null);
    assert!(!vote.service.output().contains(LOGGED));
}

#[tokio::test]
async fn a_wiped_queue_has_forgotten_the_labels_and_the_ledger_has_not() {
    let (urna, poll) = (Deployment::start().await, PollFile::new());
    let _worker = urna.ready("worker").await;
    let (vote, _) = poll.ready(&urna, SOUP_FIRST).await;
    Voter::arrive(&vote.url).await.insist(&[&vote.url], "a").await;
    labels_in_the_ledger(&urna).await;
    drop(vote);
    let mut redis = urna.redis.connection().await;
    let (): () = redis::cmd("FLUSHALL").query_async(&mut redis).await.unwrap();
    let (_, result) = poll.ready(&urna, SALAD_FIRST).await;
    assert!(
        trouble(&result.url, 1).await.to_string().contains("The labels of this poll (lunch) were changed")
    );
}

#[tokio::test]
async fn labels_that_cannot_be_kept_hold_up_no_vote_and_are_kept_later() {
    let (urna, poll) = (Deployment::start().await, PollFile::new());
    let _worker = urna.ready("worker").await;
    let pool = urna.postgres.pool().await;
    let mut lock = pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE labels IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let (vote, result) = poll.ready(&urna, SOUP_FIRST).await;
    let mut voters = Voter::arrive_many(&vote.url, 10).await;
    for voter in &mut voters {
        voter.insist(&[&vote.url], "a").await;
    }
    totals_of(&result.url, "ten votes", |totals| totals["total"] == 10 && totals["live"] == true).await;
    urna.counts_exactly(&voters).await;
    lock.rollback().await.unwrap();
    eventually("the labels, with a later vote", async || {
        voters[0].vote(&vote.url, "b").await.ok()?;
        (labels(&pool).await == 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_embedded_mode_notices_it_too() {
    let (data, poll) = (TempDir::new().unwrap(), PollFile::new());
    let start = async |options| {
        let path = poll.with(options);
        Embedded::start_with(data.path(), &[("POLL", &path)]).await
    };
    let urna = start(SOUP_FIRST).await;
    Voter::arrive(&urna.vote).await.insist(&[&urna.vote], "a").await;
    assert_eq!(trouble(&urna.result, 1).await, Value::Null);
    assert_eq!(told(&urna.vote).await, [false; 4]);
    drop(urna);
    let mut urna = start(SALAD_FIRST).await;
    urna.service.line(LOGGED).await;
    assert_eq!(told(&urna.vote).await, [true; 4]);
    let said = trouble(&urna.result, 1).await.to_string();
    assert!(said.contains("a: \u{2068}Soup\u{2069} → \u{2068}Salad\u{2069}"), "{said}");
}

/// A poll file whose options change, while its id stays.
struct PollFile(TempDir);

impl PollFile {
    fn new() -> Self {
        Self(TempDir::with_prefix("poll-").unwrap())
    }

    /// Writes these options into the file, and returns its path.
    fn with(&self, options: [&str; 2]) -> String {
        let path = self.0.path().join("poll.toml");
        fs::write(&path, format!("id = 'lunch'\nquestion = 'What?'\noptions = {options:?}\n")).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Starts a `vote` and a `result` with these options.
    async fn ready(&self, urna: &Deployment, options: [&str; 2]) -> (Replica, Replica) {
        let path = self.with(options);
        let poll = [("POLL", path.as_str())];
        let replicas = (urna.spawn("vote", &poll), urna.spawn("result", &poll));
        replicas.0.wait_until_ready().await;
        replicas.1.wait_until_ready().await;
        replicas
    }
}

/// Whether the ballot page tells it, in each language.
async fn told(vote: &str) -> [bool; 4] {
    let mut told = [false; 4];
    for (told, (language, says)) in told.iter_mut().zip(TOLD) {
        let page = reqwest::get(format!("{vote}/?lang={language}")).await.unwrap().text().await.unwrap();
        *told = page.contains(says);
    }
    told
}

/// What is wrong with `result`, once it has read this many votes and the other hops are known.
async fn trouble(result: &str, counted: u64) -> Value {
    let status = status_of(result, "a complete reading", |status| {
        let ledger = [hop(status, "db"), hop(status, "ledger")];
        ledger.iter().any(|ledger| ledger["figures"]["counted"] == counted)
            && hop(status, "result")["state"] != "unknown"
    })
    .await;
    hop(&status, "result")["trouble"].clone()
}

async fn labels_in_the_ledger(urna: &Deployment) {
    let pool = urna.postgres.pool().await;
    eventually("the labels in the ledger", async || (labels(&pool).await == 2).then_some(())).await;
}

async fn labels(pool: &sqlx::PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM labels").fetch_one(pool).await.unwrap()
}
