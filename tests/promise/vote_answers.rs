//! The three answers to a vote, and when `vote` is ready to record votes.

use harness::{Deployment, Postgres, Redis, Voter, client, eventually};
use load_test::vote::Answer;

#[tokio::test]
async fn a_recorded_vote_is_answered_by_a_redirect_to_a_page_that_says_so() {
    let deployment = start().await;
    let vote = deployment.ready("vote").await;
    let mut voter = Voter::arrive(&vote.url).await;
    let answer = voter.vote(&vote.url, "b").await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["location"].to_str().unwrap()), (303, "/"));
    let page = page(&vote.url, &voter).await;
    assert!(page.contains("<strong>Recorded</strong>") && page.contains(" UTC</time>"), "{page}");
    assert!(page.contains("Your vote is for \u{2068}Cola Cao\u{2069}."), "{page}");
    assert!(page.contains(r#"value="b" data-key="b" aria-pressed="true""#), "{page}");
    assert!(page.contains("Answered by vote-0<"), "{page}");
}

#[tokio::test]
async fn while_redis_is_away_a_vote_is_not_recorded_and_the_page_says_so() {
    let mut deployment = start().await;
    let vote = deployment.ready("vote").await;
    let mut voter = Voter::arrive(&vote.url).await;
    deployment.redis.kill().await;
    eventually("vote to notice", async || (vote.readyz().await?.0 == 503).then_some(())).await;

    let before = voter.cookie.clone();
    let answer = voter.vote(&vote.url, "a").await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (503, "2"));
    assert!(answer.text().await.unwrap().contains("<strong>Not recorded</strong>"));
    assert_ne!(voter.cookie, before, "the cookie knows the order of the vote that was refused");
    assert_eq!(voter.votes[0].answer, Answer::Refused, "load-test and the faults read it so");

    deployment.redis.resume().await;
    voter.insist(&[&vote.url], "a").await;
    vote.wait_until_ready().await;
}

#[tokio::test]
async fn a_vote_without_an_answer_is_not_confirmed_and_pressing_again_is_safe() {
    let deployment = start().await;
    let vote = deployment.ready("vote").await;
    let _worker = deployment.ready("worker").await;
    let mut voter = Voter::arrive(&vote.url).await;
    deployment.redis.pause();
    let before = voter.cookie.clone();
    let answer = voter.vote(&vote.url, "a").await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    assert!(answer.text().await.unwrap().contains("<strong>Not confirmed: press again, it is safe</strong>"));
    assert_ne!(voter.cookie, before, "the next vote must outrank this one");
    let told = voter.votes[0].answer;
    assert!(matches!(told, Answer::Unconfirmed { .. }), "load-test and the faults read {told:?}");
    deployment.redis.unpause();
    voter.insist(&[&vote.url], "b").await;
    deployment.counts_exactly(&[voter]).await;
}

#[tokio::test]
async fn a_full_queue_refuses_votes_and_is_not_ready() {
    let deployment = start().await;
    let vote = deployment.spawn("vote", &[("QUEUE_MAX", "2")]);
    vote.wait_until_ready().await;
    let mut voter = Voter::arrive(&vote.url).await;
    for expected in [303, 303, 503] {
        assert_eq!(voter.vote(&vote.url, "a").await.unwrap().status(), expected);
    }
    let full = async || {
        vote.readyz().await.filter(|(status, said)| *status == 503 && said.contains("full: 2 votes"))
    };
    eventually("unreadiness of a full queue", full).await;
}

#[tokio::test]
async fn votes_are_refused_while_redis_might_lose_them() {
    let deployment = Deployment::over(Redis::start().await, Postgres::reserve());
    let mut vote = deployment.ready("vote").await;
    let mut voter = Voter::arrive(&vote.url).await;
    for (setting, bad, good) in [
        ("appendfsync", "everysec", "always"),
        ("no-appendfsync-on-rewrite", "yes", "no"),
        ("maxmemory-policy", "allkeys-lru", "noeviction"),
    ] {
        set(&deployment.redis, setting, bad).await;
        vote.service.line(&format!("votes are not safe: Redis has {setting} {bad}")).await;
        vote.service.line("votes are refused until they are safe").await;
        let answer = voter.vote(&vote.url, "a").await.unwrap();
        assert_eq!(answer.status(), 503);
        assert!(answer.text().await.unwrap().contains("<strong>Not recorded</strong>"));
        let (status, said) = vote.readyz().await.unwrap();
        assert!(status == 503 && said.contains("not durable: Redis has"), "{said}");
        set(&deployment.redis, setting, good).await;
        vote.wait_until_ready().await;
        assert_eq!(voter.vote(&vote.url, "a").await.unwrap().status(), 303);
    }
}

#[tokio::test]
async fn a_redis_that_may_lose_votes_is_only_warned_of_if_nobody_minds() {
    let redis = Redis::start_with(&["--appendfsync", "everysec"]).await;
    let deployment = Deployment::over(redis, Postgres::reserve());
    let vote = deployment.spawn("vote", &[("REQUIRE_DURABLE_QUEUE", "false")]);
    vote.wait_until_ready().await;
    let mut voter = Voter::arrive(&vote.url).await;
    assert_eq!(voter.vote(&vote.url, "a").await.unwrap().status(), 303);
    let (_, said) = vote.readyz().await.unwrap();
    assert!(said.contains("queue: warning: Redis has appendfsync everysec"), "{said}");
}

#[tokio::test]
async fn a_redis_that_hides_its_settings_must_be_trusted() {
    let redis = Redis::start_with(&["--rename-command", "CONFIG", ""]).await;
    let deployment = Deployment::over(redis, Postgres::reserve());
    let mut refusing = deployment.spawn("vote", &[]);
    refusing.service.line("votes are not safe: Redis does not tell its appendfsync").await;
    let mut voter = Voter::arrive(&refusing.url).await;
    assert_eq!(voter.vote(&refusing.url, "a").await.unwrap().status(), 503);
    let trusting = deployment.spawn("vote", &[("REQUIRE_DURABLE_QUEUE", "trust")]);
    trusting.wait_until_ready().await;
    assert_eq!(voter.vote(&trusting.url, "a").await.unwrap().status(), 303);
}

#[tokio::test]
async fn replicas_that_share_a_key_know_each_others_voters() {
    let deployment = start().await;
    let (one, other) = (deployment.ready("vote").await, deployment.ready("vote").await);
    let mut voter = Voter::arrive(&one.url).await;
    assert_eq!(voter.vote(&other.url, "a").await.unwrap().status(), 303);
    assert!(page(&one.url, &voter).await.contains("\u{2068}Nesquik\u{2069}"));
}

#[tokio::test]
async fn a_new_key_before_the_old_one_makes_nobody_a_new_voter() {
    let deployment = start().await;
    let old = deployment.spawn("vote", &[("COOKIE_KEY", "the old key, which is long enough for a key")]);
    old.wait_until_ready().await;
    let keys = "the new key, which is long enough for a key\nthe old key, which is long enough for a key";
    let new = deployment.spawn("vote", &[("COOKIE_KEY", keys)]);
    new.wait_until_ready().await;
    let mut voter = Voter::arrive(&old.url).await;
    assert_eq!(voter.vote(&new.url, "a").await.unwrap().status(), 303);
}

#[tokio::test]
async fn the_cookie_is_secure_exactly_when_the_page_is_https() {
    let deployment = start().await;
    for (url, secure) in [("https://vote.example", true), ("http://vote.example", false)] {
        let vote = deployment.spawn("vote", &[("VOTE_URL", url)]);
        vote.wait_until_ready().await;
        let answer = client().get(&vote.url).send().await.unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        assert_eq!(cookie.contains("Secure"), secure, "{cookie}");
    }
}

#[tokio::test]
async fn over_https_no_planted_cookie_wins_and_a_former_releases_voter_is_taken_over() {
    let deployment = start().await;
    let former = deployment.ready("vote").await;
    let vote = deployment.spawn("vote", &[("VOTE_URL", "https://vote.example")]);
    vote.wait_until_ready().await;
    let (voter, neighbour) = (Voter::arrive(&vote.url).await, Voter::arrive(&former.url).await);
    assert!(voter.cookie.starts_with("__Host-voter="), "{}", voter.cookie);
    let both = format!("{}; {}", neighbour.cookie, voter.cookie);
    let mut tricked = Voter { cookie: both, ..voter.clone() };
    assert_eq!(tricked.vote(&vote.url, "a").await.unwrap().status(), 303);
    assert!(tricked.cookie.contains(&voter.id.to_string()), "voted as somebody else: {}", tricked.cookie);

    let mut taken_over = Voter::arrive(&former.url).await;
    assert_eq!(taken_over.vote(&vote.url, "a").await.unwrap().status(), 303);
    let kept = &taken_over.cookie;
    assert!(kept.starts_with("__Host-voter=") && kept.contains(&taken_over.id.to_string()), "{kept}");
}

#[tokio::test]
async fn of_two_plain_cookies_none_counts_because_a_neighbour_may_have_planted_either() {
    let deployment = start().await;
    let vote = deployment.ready("vote").await;
    let (voter, neighbour) = (Voter::arrive(&vote.url).await, Voter::arrive(&vote.url).await);
    let both = format!("{}; {}", neighbour.cookie, voter.cookie);
    let mut tricked = Voter { cookie: both, ..voter };
    assert_eq!(tricked.vote(&vote.url, "a").await.unwrap().status(), 403);
}

#[tokio::test]
async fn a_proxy_that_rewrites_the_host_of_plain_http_refuses_no_vote() {
    let deployment = start().await;
    let vote = deployment.spawn("vote", &[("VOTE_URL", "http://Vote.Example:80/")]);
    vote.wait_until_ready().await;
    let voter = Voter::arrive(&vote.url).await;
    for (origin, expected) in [("http://vote.example", 303), ("http://neighbour.example", 403)] {
        let form = client().post(&vote.url).header("cookie", &voter.cookie).header("host", "vote:80");
        let form = form.header("content-type", "application/x-www-form-urlencoded");
        let answer = form.header("origin", origin).body("vote=a").send().await.unwrap();
        assert_eq!(answer.status(), expected, "{origin}");
    }
}

async fn start() -> Deployment {
    Deployment::start().await
}

async fn page(url: &str, voter: &Voter) -> String {
    let answer = client().get(url).header("cookie", &voter.cookie).send().await.unwrap();
    answer.text().await.unwrap()
}

async fn set(redis: &Redis, setting: &str, value: &str) {
    let mut command = redis::cmd("CONFIG");
    command.arg("SET").arg(setting).arg(value);
    command.exec_async(&mut redis.connection().await).await.unwrap();
}
