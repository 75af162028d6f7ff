//! Faults on purpose: each does what it says, ends by itself or on order, and costs no recorded vote.

use std::time::{Duration, Instant};

use harness::{Deployment, Embedded, Replica, Service, Voter, client, eventually};
use load_test::vote::Answer;
use serde_json::Value;
use tempfile::TempDir;

use super::status::{hop, status_of};

const SERVICES: [&str; 3] = ["vote", "worker", "result"];

/// Shorter than a fault that holds back an answer, and long enough for a healthy answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// In KiB, as the kernel counts.
const MEBIBYTE: u64 = 1024;

/// Less than a fault holds back a batch. A worker that does not wait for that stops at once.
const STOPS_WITHIN: Duration = Duration::from_secs(15);

/// What the log says.
const BEGINS: &str = "a fault on purpose begins";
const ENDS: &str = "the fault on purpose has ended";

#[tokio::test]
async fn a_crash_ends_the_process_by_itself_and_crash_is_the_same() {
    let urna = Deployment::start().await;
    for program in SERVICES {
        let mut replica = urna.ready(program).await;
        replica.fault("crash").await;
        assert!(!replica.service.exit().await.success(), "it did not crash");
        assert!(replica.service.output().contains("begins: crash"), "{}", replica.service.output());
    }
    let mut vote = urna.ready("vote").await;
    let management = vote.management.trim_start_matches("http://");
    let mut order = Service::spawn_with("vote", &["crash"], &[("MANAGEMENT_LISTEN", management)]);
    assert!(order.exit().await.success(), "{}", order.output());
    assert!(!vote.service.exit().await.success(), "it did not crash");
}

#[tokio::test]
async fn a_service_that_hangs_answers_nothing_until_its_time_is_over_or_somebody_ends_it() {
    let urna = Deployment::start().await;
    for program in SERVICES {
        let mut replica = urna.ready(program).await;
        replica.fault("hang --for 3s").await;
        hangs(&replica).await;
        replica.service.line(ENDS).await;
        lives(&replica).await;
        replica.fault("hang --for 1h").await;
        hangs(&replica).await;
        replica.fault("none").await;
        lives(&replica).await;
    }
}

#[tokio::test]
async fn a_service_that_hangs_is_silent_and_says_why() {
    let urna = Deployment::start().await;
    let (_vote, worker, result) = urna.one_of_each().await;
    worker.fault("hang --for 1m").await;
    let is_broken = |status: &Value| hop(status, "worker")["state"] == "broken";
    let status = status_of(&result.url, "the silence", is_broken).await;
    assert_eq!(hop(&status, "worker")["replicas"][0]["fault"], "hang", "{status:#}");
}

#[tokio::test]
async fn an_unready_service_leaves_the_load_balancer_and_comes_back() {
    let urna = Deployment::start().await;
    for program in SERVICES {
        let mut replica = urna.ready(program).await;
        replica.fault("unready --for 1h").await;
        assert_eq!(replica.servez().await, (503, "unready on purpose\n".to_owned()));
        let (status, said) = replica.readyz().await.unwrap();
        assert!(status == 503 && said.starts_with("unready on purpose\n"), "{said}");
        lives(&replica).await;
        assert_eq!(replica.metric(r#"urna_fault{fault="unready"}"#).await, Some(1.0));
        replica.fault("none").await;
        assert_eq!(replica.servez().await.0, 200);
        assert_eq!(replica.metric(r#"urna_fault{fault="unready"}"#).await, Some(0.0));
        replica.fault("unready --for 1s").await;
        replica.service.line(BEGINS).await;
        replica.service.line(ENDS).await;
        replica.service.line(ENDS).await;
        assert_eq!(replica.servez().await.0, 200);
    }
}

#[tokio::test]
async fn a_slow_page_holds_back_each_answer_and_the_next_order_replaces_that() {
    let urna = Deployment::start().await;
    let (vote, worker, result) = urna.one_of_each().await;
    let mut voters = Voter::arrive_many(&vote.url, 2).await;
    for page in [&vote, &result] {
        page.fault("slow 2s").await;
        let began = Instant::now();
        assert_eq!(client().get(&page.url).send().await.unwrap().status(), 200);
        assert!(began.elapsed() >= Duration::from_secs(2), "the answer took {:?}", began.elapsed());
        lives(page).await;
    }
    let began = Instant::now();
    assert_eq!(voters[0].vote(&vote.url, "a").await.unwrap().status(), 303);
    assert!(began.elapsed() >= Duration::from_secs(2), "the vote took {:?}", began.elapsed());
    vote.fault("slow 30s").await;
    let held = tokio::spawn(client().get(&vote.url).send());
    vote.fault("none").await;
    assert_eq!(held.await.unwrap().unwrap().status(), 200);
    voters[1].insist(&[&vote.url], "b").await;
    urna.counts_exactly(&voters).await;
    drop(worker);
}

#[tokio::test]
async fn votes_that_fail_on_purpose_are_not_recorded_and_the_totals_are_what_was_acknowledged() {
    let urna = Deployment::start().await;
    let (vote, _worker, result) = urna.one_of_each().await;
    let mut voters = Voter::arrive_many(&vote.url, 40).await;
    vote.fault("errors 50%").await;
    for (number, voter) in voters.iter_mut().enumerate() {
        let answer = voter.vote(&vote.url, if number % 2 == 0 { "a" } else { "b" }).await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status == 303 || status == 503 && text.contains("Not recorded"), "{status}: {text}");
    }
    let answers: Vec<Answer> = voters.iter().map(|voter| voter.votes[0].answer).collect();
    let refused = answers.iter().filter(|answer| **answer == Answer::Refused).count();
    let recorded = answers.iter().filter(|answer| answer.is_recorded()).count();
    assert!((15..=25).contains(&refused) && refused + recorded == 40, "{refused} refused of 40");
    let told = |outcome: &str| format!(r#"urna_votes_total{{outcome="{outcome}"}}"#);
    assert_eq!(vote.metric(&told("refused")).await, Some(refused as f64));
    assert_eq!(vote.metric(&told("recorded")).await, Some(recorded as f64));
    urna.counts_exactly(&voters).await;
    vote.fault("none").await;
    result.fault("errors 100%").await;
    let failed = client().get(format!("{}/?lang=ru", result.url)).send().await.unwrap();
    assert_eq!(failed.status(), 503);
    assert!(failed.text().await.unwrap().contains("сбоит намеренно"));
    assert_eq!(result.servez().await.0, 200, "the management port must not fail");
}

#[tokio::test]
async fn a_worker_that_is_slow_or_fails_loses_nothing() {
    let urna = Deployment::start().await;
    let (vote, mut worker) = (urna.ready("vote").await, urna.ready("worker").await);
    let mut everybody = Vec::new();
    for order in ["errors 100% --for 1h", "slow 30s --for 1h"] {
        worker.fault(order).await;
        // Nobody votes again: a later vote would hide that this one was lost.
        let mut voters = Voter::arrive_many(&vote.url, 20).await;
        for voter in &mut voters {
            voter.insist(&[&vote.url], "a").await;
        }
        everybody.extend(voters);
        assert_eq!(urna.counted().await.len(), 0, "{order}: nothing was held back");
    }
    worker.fault("errors 70% --for 3s").await;
    worker.service.line("begins: errors 70%").await;
    worker.service.line(ENDS).await;
    urna.counts_exactly(&everybody).await;
}

#[tokio::test]
async fn a_worker_that_is_slow_or_fails_still_stops_in_time() {
    let urna = Deployment::start().await;
    let vote = urna.ready("vote").await;
    for order in ["slow 30s", "errors 100%"] {
        let mut worker = urna.ready("worker").await;
        worker.fault(order).await;
        Voter::arrive(&vote.url).await.insist(&[&vote.url], "a").await;
        worker.service.terminate();
        assert!(worker.service.exit_within(STOPS_WITHIN).await.success());
    }
}

#[tokio::test]
async fn a_busy_service_burns_one_processor_until_somebody_ends_it() {
    let urna = Deployment::start().await;
    let mut vote = urna.ready("vote").await;
    let before = processor_ticks(&vote);
    vote.fault("cpu --for 1h").await;
    let burnt = async || (processor_ticks(&vote) >= before + 300).then_some(());
    eventually("three seconds of a processor", burnt).await;
    lives(&vote).await;
    vote.fault("none").await;
    vote.service.line(ENDS).await;
    let (mut last, mut idle_looks) = (0, 0);
    eventually("rest", async || {
        let now = processor_ticks(&vote);
        idle_looks = if now == last { idle_looks + 1 } else { 0 };
        last = now;
        (idle_looks >= 20).then_some(())
    })
    .await;
}

/// Where the memory has a limit, the fault takes a share of it and gives it back.
#[tokio::test]
async fn memory_is_refused_where_it_has_no_limit() {
    let urna = Deployment::start().await;
    let mut vote = urna.ready("vote").await;
    let before = vote.service.resident();
    let (taken, said) = vote.try_fault("memory --for 3s").await;
    if taken {
        eventually("more memory", async || (vote.service.resident() > before + MEBIBYTE).then_some(())).await;
        vote.service.line(ENDS).await;
    } else {
        assert!(said.contains("memory has no limit here"), "{said}");
        assert!(!vote.service.output().contains(BEGINS), "{}", vote.service.output());
    }
}

#[tokio::test]
async fn what_cannot_be_ordered_is_told_with_the_value_and_the_remedy() {
    let urna = Deployment::start().await;
    let vote = urna.ready("vote").await;
    for (order, value, remedy) in [
        ("slow", "<TIME>", "Usage"),
        ("slow 5m", "'5m'", "at most 30s"),
        ("errors 101%", "'101%'", "from 1% to 100%"),
        ("hang --for 2h", "'2h'", "at most 1h"),
    ] {
        let (taken, said) = vote.try_fault(order).await;
        assert!(!taken && said.contains(value) && said.contains(remedy), "{order}: {said}");
    }
    let elsewhere = [("MANAGEMENT_LISTEN", "127.0.0.9:1")];
    let mut lost = Service::spawn_with("vote", &["fault", "hang"], &elsewhere);
    assert!(!lost.exit().await.success());
    assert!(lost.output().contains("runs here with 127.0.0.9:1 (MANAGEMENT_LISTEN)"), "{}", lost.output());
}

#[tokio::test]
async fn status_names_the_fault_of_a_replica_in_every_language() {
    let urna = Deployment::start().await;
    let (vote, _worker, result) = urna.one_of_each().await;
    vote.fault("slow 10ms").await;
    let status = status_of(&result.url, "the fault", |status| {
        hop(status, "vote")["replicas"][0]["fault"] == "slow 10ms"
    })
    .await;
    assert_eq!(hop(&status, "vote")["replicas"][0]["state"], "doubtful", "{status:#}");
    for (language, words) in [
        ("en", "fault on purpose: slow 10ms"),
        ("es", "fallo a propósito: slow 10ms"),
        ("gl", "fallo adrede: slow 10ms"),
        ("ru", "намеренный сбой: slow 10ms"),
    ] {
        let page = reqwest::get(format!("{}/status?lang={language}", result.url)).await.unwrap();
        let page = page.text().await.unwrap();
        assert!(page.contains(words), "{words}: {page}");
    }
    vote.fault("none").await;
    status_of(&result.url, "no fault", |status| hop(status, "vote")["replicas"][0]["fault"].is_null()).await;
}

#[tokio::test]
async fn the_embedded_program_crashes_is_slow_and_fails_too() {
    let folder = TempDir::new().unwrap();
    let mut urna = Embedded::start(folder.path()).await;
    let address = urna.vote.trim_start_matches("http://").to_owned();
    let order = async |order: &str| {
        let args: Vec<&str> = std::iter::once("fault").chain(order.split(' ')).collect();
        let mut ordering = Service::spawn_with("urna", &args, &[("VOTE_LISTEN", &address)]);
        (ordering.exit().await.success(), ordering.output())
    };
    let mut voter = Voter::arrive(&urna.vote).await;
    assert!(order("errors 100%").await.0);
    assert_eq!(voter.vote(&urna.vote, "a").await.unwrap().status(), 503);
    assert!(order("slow 1s").await.0);
    let began = Instant::now();
    assert_eq!(voter.vote(&urna.vote, "a").await.unwrap().status(), 303);
    assert!(began.elapsed() >= Duration::from_secs(1));
    let (taken, said) = order("hang").await;
    assert!(!taken && said.contains("unrecognized subcommand 'hang'"), "{said}");
    assert!(order("crash").await.0);
    assert!(!urna.service.exit().await.success());
}

async fn hangs(replica: &Replica) {
    let url = format!("{}/livez", replica.management);
    eventually("no answer", async || {
        client().get(&url).timeout(PATIENCE).send().await.err().filter(reqwest::Error::is_timeout)
    })
    .await;
}

async fn lives(replica: &Replica) {
    let answer = reqwest::get(format!("{}/livez", replica.management)).await.unwrap();
    assert_eq!(answer.status(), 200);
}

/// How long the processors have worked for a replica, in hundredths of a second.
fn processor_ticks(replica: &Replica) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", replica.service.pid())).unwrap();
    let fields = stat.rsplit(") ").next().unwrap().split(' ').skip(11);
    fields.take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}
