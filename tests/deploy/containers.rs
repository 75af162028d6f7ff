//! `docker compose`: the deployment a course begins with.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use harness::{Voter, client, eventually, map_tells, totals_of};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::connect_async;

use crate::compose::{Compose, SERVICES, STORES};
use crate::{COMPOSE, ROOT, end_well, turn, vote_all_along, vote_and_count};

/// Every timeout towards clients is 10 s. The defaults of nginx are 60 s and more.
const DROPPED_WITHIN: Duration = Duration::from_secs(40);

/// The rights that a container gives up, in the format of `docker inspect`.
const GUARDS: &str = "{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}} {{ne .Config.User \"\"}}";
const GUARDED: &str = "true [ALL] [no-new-privileges:true] true";

#[tokio::test]
async fn every_recorded_vote_is_counted_once_whatever_happens_to_the_containers() {
    let (_turn, urna) = (turn(&COMPOSE).await, Compose::of("compose.yaml", Path::new(ROOT)));
    urna.up(&[]);
    let mut voters = Voter::arrive_many(&urna.vote, 3).await;
    vote_and_count(&urna.vote, &urna.result, &mut voters, "a").await;
    for service in SERVICES.iter().chain(&STORES) {
        urna.compose(&["restart", service]);
        vote_and_count(&urna.vote, &urna.result, &mut voters, "b").await;
        vote_and_count(&urna.vote, &urna.result, &mut voters, "a").await;
    }
    for service in SERVICES {
        let start = urna.inspect(service, "{{.State.StartedAt}}");
        urna.compose(&["exec", "-T", service, &format!("/{service}"), "crash"]);
        urna.restarted(service, &start).await;
        vote_and_count(&urna.vote, &urna.result, &mut voters, "b").await;
    }
    map_tells(&urna.result, "restarted").await;
    for store in STORES {
        let start = urna.inspect(store, "{{.State.StartedAt}}");
        kill_9(&urna, &urna.inspect(store, "{{.State.Pid}}"));
        urna.restarted(store, &start).await;
        vote_and_count(&urna.vote, &urna.result, &mut voters, "a").await;
    }
    urna.compose(&["kill"]);
    urna.up(&[]);
    vote_and_count(&urna.vote, &urna.result, &mut voters, "b").await;
    urna.compose(&["down"]);
    urna.up(&[]);
    let kept = |totals: &serde_json::Value| totals["options"][1]["votes"] == 3;
    totals_of(&urna.result, "the votes from before the containers were removed", kept).await;
    vote_and_count(&urna.vote, &urna.result, &mut voters, "a").await;
    urna.compose(&["exec", "-T", "worker", "/worker", "verify"]);
}

#[tokio::test]
async fn the_world_reaches_two_pages_and_nothing_reaches_the_world() {
    let (_turn, urna) = (turn(&COMPOSE).await, Compose::of("compose.yaml", Path::new(ROOT)));
    urna.up(&[]);
    let published = urna.compose(&["ps", "--format", "{{.Ports}}"]);
    let ports: BTreeSet<&str> =
        published.split("->").filter_map(|part| part.rsplit_once(':')).map(|(_, port)| port).collect();
    let pages = [&urna.vote, &urna.result].map(|url| url.rsplit_once(':').unwrap().1);
    assert_eq!(ports, BTreeSet::from(pages), "{published}");

    let address = format!("{{{{(index .NetworkSettings.Networks \"{}_private\").IPAddress}}}}", urna.project);
    for (service, port) in [("redis", 6379), ("db", 5432), ("worker", 9000)] {
        let dial = |host: &str| format!("timeout 10 redis-cli -h {host} -p {port} -t 3 ping 2>&1 || true");
        let (by_name, by_address) = (dial(service), dial(&urna.inspect(service, &address)));
        for inside in [urna.probe("private", &by_name), urna.probe("private", &by_address)] {
            // PostgreSQL and the worker do not speak Redis's protocol, but they accept the connection.
            let refused = inside.contains("Could not connect");
            assert!(!refused && (service != "redis" || inside.contains("NOAUTH")), "{service}: {inside}");
        }
        let unknown = urna.probe("public", &by_name);
        assert!(
            unknown.contains("Could not connect"),
            "{service} has a name on the public network: {unknown}"
        );
        let reached = urna.probe("public", &format!("{by_address}; echo the end"));
        let nothing = reached.trim() == "the end" || reached.contains("Could not connect");
        assert!(nothing, "{service} was reached from the public network: {reached}");
    }
    // The private network has no default route, so the result does not depend on this machine's network.
    let ways_out = "awk '$2 == \"00000000\"' /proc/net/route | wc -l";
    assert_eq!(urna.probe("public", ways_out).trim(), "1");
    assert_eq!(urna.probe("private", ways_out).trim(), "0");
}

#[tokio::test]
async fn containers_give_up_what_they_do_not_need() {
    let (_turn, urna) = (turn(&COMPOSE).await, Compose::of("compose.yaml", Path::new(ROOT)));
    urna.up(&[]);
    for service in SERVICES.iter().chain(&STORES) {
        assert_eq!(urna.inspect(service, GUARDS), GUARDED, "{service}");
    }
    for service in SERVICES {
        let image = format!("urna-{service}");
        let size = urna.run("docker", &["image", "inspect", "--format", "{{.Size}}", &image]);
        let size = size.trim().parse::<u64>().unwrap();
        assert!(size <= 10_000_000, "the image of {service} has {size} bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_come_and_go_behind_one_door_and_no_request_fails() {
    let (_turn, urna) =
        (turn(&COMPOSE).await, Compose::of("compose.yaml:compose/scale.yaml", Path::new(ROOT)));
    urna.up(&["--scale", "vote=1", "--scale", "result=1"]);
    wait_for_replicas(&urna, 1).await;
    assert_eq!(urna.inspect("door", GUARDS), GUARDED);
    votes_as_a_phone_does(&urna).await;
    let mut voter = Voter::arrive(&urna.vote).await;
    for (replicas, key) in [("3", "b"), ("1", "a")] {
        let scale = async {
            let (vote, result) = (format!("vote={replicas}"), format!("result={replicas}"));
            tokio::task::block_in_place(|| urna.up(&["--scale", &vote, "--scale", &result]));
        };
        let load = tokio::spawn(vote_all_along(urna.vote.clone(), urna.result.clone(), voter.clone(), key));
        scale.await;
        wait_for_replicas(&urna, replicas.parse().unwrap()).await;
        end_well(load).await;
    }
    urna.up(&["--scale", "vote=3"]);
    wait_for_replicas(&urna, 3).await;
    urna.run("docker", &["kill", &format!("{}-vote-2", urna.project)]);
    wait_for_replicas(&urna, 2).await;

    let (mut socket, _) = connect_async(format!("{}/ws", urna.result.replace("http", "ws"))).await.unwrap();
    assert!(socket.next().await.unwrap().unwrap().to_text().unwrap().contains("\"total\":"));
    voter.insist(&[&urna.vote], "a").await;
    let said = urna.compose(&["run", "-T", "--rm", "load-test", "--votes=2000"]);
    assert!(said.contains("recorded            2,000"), "{said}");
}

#[tokio::test]
async fn behind_the_door_a_client_that_says_no_more_is_dropped_as_without_it() {
    let (_turn, urna) =
        (turn(&COMPOSE).await, Compose::of("compose.yaml:compose/scale.yaml", Path::new(ROOT)));
    urna.up(&["--scale", "vote=1", "--scale", "result=1"]);
    for page in [&urna.vote, &urna.result] {
        let ends = ["", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nhost: urna\r\n\r\n"].map(async |said| {
            let mut client = TcpStream::connect(page.trim_start_matches("http://")).await.unwrap();
            client.write_all(said.as_bytes()).await.unwrap();
            // An answer, if there is one, and then the end, which may be a reset.
            let end = timeout(DROPPED_WITHIN, client.read_to_end(&mut Vec::new())).await;
            assert!(end.is_ok(), "{page} still waits after {said:?}");
        });
        join_all(ends).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_votes_while_the_worker_crashes_again_and_again() {
    let (_turn, urna) = (turn(&COMPOSE).await, Arc::new(Compose::of("compose.yaml", Path::new(ROOT))));
    // This also starts the services that the load test depends on.
    let load = tokio::task::spawn_blocking({
        let urna = urna.clone();
        move || urna.compose(&["run", "-T", "--rm", "load-test", "--duration=10s", "--rate=500"])
    });
    for votes in [500, 1_500, 2_500] {
        totals_of(&urna.result, "the crowd", |totals| totals["total"].as_i64() > Some(votes)).await;
        urna.compose(&["exec", "-T", "worker", "/worker", "crash"]);
    }
    let said = load.await.unwrap();
    assert!(said.contains("recorded            5,000"), "{said}");
    assert!(said.contains("Compared: every ballot"), "{said}");
}

#[tokio::test]
async fn valkey_takes_the_place_of_redis() {
    let (_turn, urna) =
        (turn(&COMPOSE).await, Compose::of("compose.yaml:compose/valkey.yaml", Path::new(ROOT)));
    urna.up(&[]);
    let mut voters = Voter::arrive_many(&urna.vote, 2).await;
    vote_and_count(&urna.vote, &urna.result, &mut voters, "a").await;
}

#[tokio::test]
async fn prometheus_finds_every_replica_and_notices_that_votes_wait() {
    let (_turn, urna) =
        (turn(&COMPOSE).await, Compose::of("compose.yaml:compose/observe.yaml", Path::new(ROOT)));
    urna.up(&["--scale", "worker=2"]);
    assert_eq!(urna.inspect("prometheus", GUARDS), GUARDED);
    for (job, replicas) in [("vote", 1), ("worker", 2), ("result", 1)] {
        let query = format!(r#"count(up{{job="{job}"}} == 1)"#);
        answers(&urna, &query, &format!("=> {replicas} @")).await;
    }
    urna.compose(&["stop", "worker"]);
    let mut voters = Voter::arrive_many(&urna.vote, 2).await;
    for voter in &mut voters {
        voter.insist(&[&urna.vote], "a").await;
    }
    answers(&urna, r#"max(urna_queue_ballots{state="waiting"})"#, "=> 2 @").await;
    answers(&urna, r#"ALERTS{alertname="NoWorker"}"#, r#"alertstate="pending""#).await;
}

/// Waits until the answer of Prometheus contains the expected text.
async fn answers(urna: &Compose, query: &str, expected: &str) {
    let ask = ["exec", "-T", "prometheus", "promtool", "query", "instant", "http://127.0.0.1:9090", query];
    eventually(&format!("{query} {expected}"), async || urna.compose(&ask).contains(expected).then_some(()))
        .await;
}

/// Kills a process from outside: a SIGKILL from inside cannot end a container's first process.
fn kill_9(urna: &Compose, pid: &str) {
    let kill = format!("kill -9 {pid}");
    urna.run(
        "docker",
        &["run", "--rm", "--privileged", "--pid=host", "--entrypoint=sh", "redis:8-alpine", "-c", &kill],
    );
}

/// A phone in a classroom votes over plain HTTP: it sends `Origin`, but no `Sec-Fetch-Site`.
async fn votes_as_a_phone_does(urna: &Compose) {
    let phone = Voter::arrive(&urna.vote).await;
    let form = client().post(&urna.vote).header("content-type", "application/x-www-form-urlencoded");
    let answer = form.header("cookie", phone.cookie).header("origin", &urna.vote).body("vote=b").send().await;
    assert_eq!(answer.unwrap().status(), 303);
    let page = client().get(&urna.result).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("http://127.0.0.1:8000/"), "the link leads to where the browser came from: {page}");
}

async fn wait_for_replicas(urna: &Compose, count: usize) {
    eventually(&format!("{count} replicas behind the door"), async || {
        let mut seen = BTreeSet::new();
        for _ in 0..12 * count {
            let page = client().get(&urna.vote).send().await.ok()?.text().await.ok()?;
            seen.insert(page.split("Answered by ").nth(1)?.split('<').next()?.to_owned());
        }
        (seen.len() == count).then_some(())
    })
    .await;
}
