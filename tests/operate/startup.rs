//! How the services start and stop: what they refuse, what they wait for, and what they log.

use harness::{Deployment, Postgres, Redis, Service, Voter, eventually, totals_of};

/// The name and the value of an environment variable.
type Variable = (&'static str, &'static str);

const KEY: Variable = ("COOKIE_KEY", "long enough for a key that signs cookies");
const REDIS: Variable = ("REDIS_URL", "redis://127.0.0.1:1/");
const POSTGRES: Variable = ("DATABASE_URL", "postgres://postgres@127.0.0.1:1/postgres");

#[tokio::test]
async fn a_setting_that_is_missing_or_wrong_is_refused_by_its_name() {
    let cases: [(&str, &[Variable], &str); 15] = [
        ("vote", &[KEY], "REDIS_URL is not set"),
        ("vote", &[REDIS], "COOKIE_KEY is not set"),
        ("worker", &[POSTGRES], "REDIS_URL is not set"),
        ("worker", &[REDIS], "DATABASE_URL is not set"),
        ("result", &[REDIS], "DATABASE_URL is not set"),
        ("result", &[POSTGRES], "REDIS_URL is not set"),
        ("worker", &[POSTGRES, ("REDIS_URL", "sqlite:data")], "REDIS_URL must begin with redis://"),
        ("worker", &[REDIS, ("DATABASE_URL", "mysql://db")], "DATABASE_URL must begin with postgres://"),
        ("vote", &[REDIS, ("COOKIE_KEY", "short")], "has 5 characters, and needs at least 32"),
        ("vote", &[REDIS, ("COOKIE_KEY_FILE", "/nowhere")], "cannot read /nowhere (COOKIE_KEY_FILE)"),
        (
            "vote",
            &[REDIS, KEY, ("COOKIE_KEY_FILE", "/nowhere")],
            "both COOKIE_KEY and COOKIE_KEY_FILE are set",
        ),
        ("vote", &[REDIS, KEY, ("POLL", "/nowhere.toml")], "cannot read the poll file /nowhere.toml"),
        ("vote", &[REDIS, KEY, ("LISTEN", "192.0.2.1:1")], "cannot listen on 192.0.2.1:1 (LISTEN)"),
        ("vote", &[REDIS, KEY, ("QUEUE_MAX", "many")], "invalid value 'many' for '--queue-max"),
        ("vote", &[REDIS, KEY, ("VOTE_URL", "vote.example")], "an address begins with http:// or https://"),
    ];
    for (program, env, expected) in cases {
        let local = [("LISTEN", "127.0.0.1:0"), ("MANAGEMENT_LISTEN", "127.0.0.1:0")];
        let mut service = Service::spawn(program, &[&local, env].concat());
        let status = service.exit().await;
        assert!(!status.success(), "{program} {env:?}");
        assert!(service.output().contains(expected), "{}\nshould say {expected:?}", service.output());
        assert!(!service.output().contains("panicked"), "{}", service.output());
    }
}

#[tokio::test]
async fn an_empty_variable_counts_as_not_set() {
    let deployment = Deployment::over(Redis::reserve(), Postgres::reserve());
    let empty = [
        ("QUEUE_MAX", ""),
        ("DRAIN", ""),
        ("NODE", ""),
        ("POLL", ""),
        ("OPTION_A", ""),
        ("VOTE_URL", ""),
        ("COOKIE_KEY_FILE", ""),
    ];
    deployment.spawn("vote", &empty).service.line("votes are taken by").await;
}

#[tokio::test]
async fn help_explains_every_setting() {
    let cases: [(&str, &[&str]); 4] = [
        (
            "vote",
            &["REDIS_URL", "REDIS_PASSWORD_FILE", "COOKIE_KEY", "QUEUE_MAX", "DRAIN", "NODE", "VOTE_URL"],
        ),
        ("worker", &["REDIS_URL", "DATABASE_URL", "DATABASE_PASSWORD_FILE", "verify", "healthcheck"]),
        ("result", &["REDIS_URL", "DATABASE_URL", "POLL", "OPTION_A", "VOTE_URL", "PLATFORM"]),
        ("urna", &["DATA", "VOTE_LISTEN", "RESULT_LISTEN", "POLL", "QUEUE_MAX", "verify"]),
    ];
    for (program, settings) in cases {
        let mut help = Service::spawn_with(program, &["--help"], &[]);
        assert!(help.exit().await.success());
        for setting in settings {
            assert!(help.output().contains(setting), "{program} --help should explain {setting}");
        }
    }
}

#[tokio::test]
async fn a_health_check_needs_no_secret() {
    let settings = [("COOKIE_KEY_FILE", "/nowhere"), ("MANAGEMENT_LISTEN", "127.0.0.1:1")];
    let mut check = Service::spawn_with("vote", &["healthcheck"], &settings);
    assert!(!check.exit().await.success());
    assert!(check.output().contains("cannot ask http://127.0.0.1:1/livez"), "{}", check.output());
    let mut vote = Service::spawn("vote", &settings);
    assert!(!vote.exit().await.success());
    assert!(vote.output().contains("cannot read /nowhere (COOKIE_KEY_FILE)"), "{}", vote.output());
}

#[tokio::test]
async fn a_secret_comes_from_a_flag_or_a_file_and_not_from_both() {
    let settings = [("COOKIE_KEY_FILE", "/proc/sys/kernel/hostname")];
    let mut vote = Service::spawn_with("vote", &["--cookie-key", "x"], &settings);
    assert!(!vote.exit().await.success());
    let expected = "both --cookie-key and COOKIE_KEY_FILE are set: leave out one of them";
    assert!(vote.output().contains(expected), "{}", vote.output());
}

#[tokio::test]
async fn services_wait_for_their_stores_and_say_so_once() {
    let mut deployment = Deployment::over(Redis::reserve(), Postgres::reserve());
    let (mut vote, mut worker, mut result) =
        (deployment.spawn("vote", &[]), deployment.spawn("worker", &[]), deployment.spawn("result", &[]));
    vote.service.line("the queue is away").await;
    worker.service.line("the ledger is away").await;
    result.service.line("the ledger is away").await;
    deployment.postgres.resume().await;
    worker.service.line("the queue is away").await;
    deployment.redis.resume().await;
    for replica in [&vote, &worker, &result] {
        replica.wait_until_ready().await;
        let said = replica.service.output();
        let times = |what: &str| said.matches(what).count();
        assert!(times("is away") <= 2, "one line for each store:\n{said}");
    }
    Voter::arrive(&vote.url).await.insist(&[&vote.url], "a").await;
    totals_of(&result.url, "the vote", |totals| totals["total"] == 1).await;
}

#[tokio::test]
async fn ten_workers_at_once_create_one_schema() {
    let deployment = Deployment::start().await;
    let workers: Vec<_> = (0..10).map(|_| deployment.spawn("worker", &[])).collect();
    for worker in &workers {
        worker.wait_until_ready().await;
        assert!(!worker.service.output().contains("WARN"), "{}", worker.service.output());
    }
    let vote = deployment.ready("vote").await;
    let mut voters = Voter::arrive_many(&vote.url, 20).await;
    for voter in &mut voters {
        voter.insist(&[&vote.url], "a").await;
    }
    deployment.counts_exactly(&voters).await;
}

#[tokio::test]
async fn the_healthcheck_asks_the_service_on_its_own_machine() {
    let mut deployment = Deployment::start().await;
    let vote = deployment.ready("vote").await;
    let address = vote.management.trim_start_matches("http://").to_owned();
    let check = async |args: &[&str]| {
        let mut check = Service::spawn_with("vote", args, &[("MANAGEMENT_LISTEN", &address)]);
        (check.exit().await.success(), check.output())
    };
    assert!(check(&["healthcheck"]).await.0);
    assert!(check(&["healthcheck", "--ready"]).await.0);
    assert!(check(&["healthcheck", "--serving"]).await.0);
    deployment.redis.kill().await;
    eventually("vote to notice", async || (vote.readyz().await?.0 == 503).then_some(())).await;
    assert!(check(&["healthcheck"]).await.0, "an outage of Redis must not stop every vote");
    assert!(check(&["healthcheck", "--serving"]).await.0, "the page must say what is wrong");
    let (ready, said) = check(&["healthcheck", "--ready"]).await;
    assert!(!ready && said.contains("not ready"), "{said}");
    drop(vote);
    let (alive, said) = check(&["healthcheck"]).await;
    assert!(!alive && said.contains("cannot ask"), "{said}");
}

#[tokio::test]
async fn a_replica_serves_once_it_was_ready_and_until_it_stops() {
    let mut deployment = Deployment::start().await;
    deployment.redis.kill().await;
    let mut vote = deployment.spawn("vote", &[("DRAIN", "1h")]);
    vote.service.line("the queue is away").await;
    assert_eq!(vote.servez().await, (503, "not ready yet\n".to_owned()));
    deployment.redis.resume().await;
    vote.wait_until_ready().await;
    assert_eq!(vote.servez().await, (200, "serving\n".to_owned()));
    vote.service.terminate();
    vote.service.line("stopping in 1h").await;
    assert_eq!(vote.servez().await, (503, "stopping\n".to_owned()));
}

#[tokio::test]
async fn a_service_told_to_stop_turns_unready_serves_on_and_ends_well() {
    let deployment = Deployment::start().await;
    let mut vote = deployment.spawn("vote", &[("DRAIN", "1h")]);
    vote.wait_until_ready().await;
    let mut voter = Voter::arrive(&vote.url).await;
    vote.service.terminate();
    vote.service.line("stopping in 1h").await;
    let (status, said) = vote.readyz().await.unwrap();
    assert!(status == 503 && said.starts_with("stopping"), "{said}");
    assert_eq!(voter.vote(&vote.url, "a").await.unwrap().status(), 303, "it serves on while it drains");
    vote.service.terminate();
    assert!(vote.service.exit().await.success(), "a second signal ends the drain");
}

#[tokio::test]
async fn a_replica_is_called_by_its_host_name_unless_it_is_given_one() {
    let deployment = Deployment::start().await;
    let vote = deployment.spawn("vote", &[("REPLICA", "")]);
    vote.wait_until_ready().await;
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let page = reqwest::get(&vote.url).await.unwrap().text().await.unwrap();
    assert!(page.contains(&format!("Answered by {}<", host.trim())), "{page}");
}

#[tokio::test]
async fn a_worker_without_a_ledger_still_stops_when_told() {
    let deployment = Deployment::over(Redis::start().await, Postgres::reserve());
    let mut worker = deployment.spawn("worker", &[]);
    worker.service.line("the ledger is away").await;
    worker.service.terminate();
    assert!(worker.service.exit().await.success());
}
