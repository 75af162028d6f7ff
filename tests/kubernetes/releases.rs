//! Ways to a new release and to new secrets, and HTTPS.

use std::fs;
use std::ops::RangeInclusive;
use std::process::Command;
use std::time::Instant;

use harness::{Browser, Voter, client, eventually, totals_of};
use load_test::cookie::Cookie;

use crate::ROOT;
use crate::cluster::{Cluster, RESULT, VOTE, copy, finish};
use crate::crowd::Impatient;
use crate::faults::tell;

/// Where the ingress controller and the gateway answer.
const DOOR: &str = "http://localhost:8080";

/// The share of answers that a canary of 10 % may have given, in a thousand.
const A_TENTH: RangeInclusive<usize> = 70..=130;

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_answers_one_request_in_ten() {
    let cluster = Cluster::with("urna-test-canary", &["gateway", "canary"]).await;
    cluster.rolled_out("deployment/vote-next");
    let through = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let page = || through.get(DOOR).header("host", "vote.localhost").send();
    eventually("the gateway", async || page().await.ok().filter(|answer| answer.status() == 200).map(drop))
        .await;
    let mut canary = 0;
    for _ in 0..1000 {
        let text = page().await.unwrap().text().await.unwrap();
        canary += usize::from(text.contains("vote-next-"));
    }
    assert!(A_TENTH.contains(&canary), "the canary answered {canary} of 1000");
    println!("measured: the canary answered {canary} of 1000");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_from_blue_to_green_and_back_loses_no_vote() {
    let cluster = Cluster::with("urna-test-colours", &["blue-green"]).await;
    cluster.rolled_out("deployment/vote-next");
    let impatient = Impatient::begin().await;
    cluster.crowd(30).await;
    let start = Instant::now();
    for (colour, replica) in [("green", "vote-next-"), ("blue", "vote-")] {
        let file = format!("{ROOT}/kubernetes/components/blue-green/{colour}.yaml");
        cluster.kubectl(&["patch", "service", "vote", "--patch-file", &file]);
        eventually(colour, async || {
            let page = reqwest::get(VOTE).await.ok()?.text().await.ok()?;
            (page.contains(replica) && page.contains("vote-next-") == (colour == "green")).then_some(())
        })
        .await;
    }
    println!("{}", cluster.crowd_is_counted());
    assert_eq!(impatient.failures_since(start), 0);
    cluster.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn fresh_secrets_make_nobody_a_new_voter() {
    let cluster = Cluster::with("urna-test-secrets", &[]).await;
    let copy = copy();
    let overlay = copy.path().join("overlays/test");
    fs::create_dir(&overlay).unwrap();
    let text = fs::read_to_string(cluster.overlay(&[], "").folder.join("kustomization.yaml")).unwrap();
    let text = text.replace("../../../kubernetes/components/demo-secrets", "../../own-secrets");
    fs::write(overlay.join("kustomization.yaml"), text.replace("../../../kubernetes", "../..")).unwrap();

    let mut voter = Voter::arrive(VOTE).await;
    voter.insist(&[VOTE], "b").await;
    let impatient = Impatient::begin().await;
    cluster.crowd_without_password(180).await;
    let start = Instant::now();
    for _ in 0..2 {
        cluster.script_in(copy.path(), "secrets.sh", &[overlay.to_str().unwrap()]);
    }
    tell("without a recorded vote while the secrets changed two times", impatient.waited_since(start));
    println!("{}", cluster.crowd_is_counted());
    let page = client().get(VOTE).header("cookie", &voter.cookie).send().await.unwrap();
    assert!(Cookie::of(page.headers()).is_none_or(|cookie| cookie.voter == voter.id), "a new voter");
    voter.insist(&[VOTE], "a").await;
    totals_of(RESULT, "no vote waits", |totals| totals["waiting"] == 0).await;
    cluster.verify();
}

/// Browsers reach both pages over https, at an ingress controller, with a certificate of our own.
#[tokio::test(flavor = "multi_thread")]
async fn a_vote_in_a_browser_travels_over_https() {
    let cluster = Cluster::empty("urna-test-tls").await;
    let copy = copy();
    cluster.script_in(copy.path(), "certificates.sh", &[]);
    cluster.apply(&["ingress", "tls"], "");
    cluster.ready();
    let authority = copy.path().join("own-certificates/authority.crt");
    let answers = |page: &str| {
        let url = format!("https://{page}.localhost:8443/");
        finish(
            Command::new("curl")
                .args(["--fail", "--silent", "--show-error", "--cacert"])
                .arg(&authority)
                .arg(&url),
        )
    };
    for page in ["vote", "result"] {
        eventually(page, async || answers(page).0.then_some(())).await;
    }
    let before = cluster.pods("vote");
    cluster.script_in(copy.path(), "certificates.sh", &[]);
    assert_eq!(cluster.pods("vote"), before, "a renewal restarts nothing");

    let browser = Browser::start().await;
    browser.trust_all_certificates().await;
    browser.open("https://vote.localhost:8443/").await;
    browser.press("Nesquik").await;
    browser.shows("Recorded").await;
    totals_of(RESULT, "the browser's vote", |totals| totals["total"] == 1).await;
}
