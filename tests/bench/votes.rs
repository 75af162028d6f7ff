//! How many votes are recorded in a second, and how many pages are shown.

use std::process::Command;
use std::time::Instant;

use caller::{Caller, Site};
use harness::{Deployment, Replica, Service, client, eventually};
use hyper::Request;
use redis::AsyncCommands;

use crate::bare::Bare;
use crate::load::{load, load_bare};
use crate::table::{Aim, Figure, Table};

/// Each pair is measured so often, one after the other, and the best of each is taken: what
/// disturbs a shared machine only ever makes it slower.
pub const ROUNDS: usize = 3;

const VOTES: &[&str] = &["--votes=40000", "--voters=40000", "--changes=0", "--viewers=0"];

const VOTES_CAST: u64 = 40_000;

/// So many voters at once, and how much of a bare handler and of Redis should be left then.
const CROWDS: [(usize, f64, f64); 3] = [(50, 0.5, 0.8), (256, 0.65, 1.0), (1024, 0.65, 1.0)];

/// How many visitors look at the page at once.
const VISITORS: usize = 50;

const PAGES: usize = 60_000;

pub async fn measure(table: &mut Table) {
    let urna = Deployment::start().await;
    let (vote, worker, result) = urna.one_of_each().await;
    let page = client().get(&vote.url).send().await.unwrap().text().await.unwrap();
    let bare = Bare::start(page).await;
    let mut costs = Vec::new();
    for crowd in CROWDS {
        costs.push(crowd_votes(table, &urna, [&vote, &worker, &result], &bare, crowd).await);
    }
    let [few, .., many] = costs[..] else { unreachable!("there are several crowds") };
    let what = "processor time of `vote` for each voter's page and vote, 1024 connections";
    table.add(what, many, ("50 connections", few), Aim::AtMost(1.2));
    ballot_pages(table, &vote.url, &bare).await;
}

/// Adds how many votes of such a crowd are recorded. Returns the processor time that each took of `vote`.
async fn crowd_votes(
    table: &mut Table,
    urna: &Deployment,
    [vote, worker, result]: [&Replica; 3],
    bare: &Bare,
    (crowd, of_bare, of_redis): (usize, f64, f64),
) -> Figure {
    let (mut ours, mut handler, mut redis, mut cost) = (0.0_f64, 0.0_f64, 0.0_f64, f64::MAX);
    let arguments = arguments(crowd);
    for _ in 0..ROUNDS {
        let before = vote.service.processor_time();
        ours = ours.max(record(urna, &worker.service, &vote.url, &result.url, &arguments).await);
        let spent = vote.service.processor_time() - before;
        cost = cost.min(spent.as_secs_f64() * 1e6 / VOTES_CAST as f64);
        let load = load_bare(&bare.vote, &bare.result, &arguments).await;
        handler = handler.max(load.measures.recorded_per_second);
        redis = redis.max(redis_benchmark(&urna.redis.url(), crowd));
    }
    let what = format!("recorded votes, `appendfsync always`, {crowd} connections");
    let [ours, handler, redis] = [ours, handler, redis].map(Figure::per_second);
    table.add(&what, ours, ("bare axum handler", handler), Aim::AtLeast(of_bare));
    table.add("the same", ours, ("`redis-benchmark` XADD", redis), Aim::AtLeast(of_redis));
    Figure::us(cost)
}

async fn ballot_pages(table: &mut Table, vote: &str, bare: &Bare) {
    let (mut ours, mut handler) = (0.0_f64, 0.0_f64);
    for _ in 0..ROUNDS {
        ours = ours.max(pages(vote).await);
        handler = handler.max(pages(&bare.vote).await);
    }
    let handler = ("bare axum handler, same bytes", Figure::per_second(handler));
    table.add("ballot pages", Figure::per_second(ours), handler, Aim::AtLeast(0.85));
}

/// Lets so many voters vote at once.
pub fn arguments(crowd: usize) -> Vec<String> {
    let concurrency = format!("--concurrency={crowd}");
    VOTES.iter().map(ToString::to_string).chain([concurrency]).collect()
}

/// How many votes are recorded in a second. The worker counts them afterwards: how fast it is, is another row.
async fn record(urna: &Deployment, worker: &Service, vote: &str, result: &str, arguments: &[String]) -> f64 {
    worker.pause();
    let counting = async {
        let mut redis = urna.redis.connection().await;
        eventually("all votes in the queue", async || {
            let waiting: u64 = redis.xlen("urna:votes").await.unwrap();
            (waiting >= VOTES_CAST).then_some(())
        })
        .await;
        worker.unpause();
    };
    tokio::join!(load(vote, result, arguments), counting).0.measures.recorded_per_second
}

/// As many bytes as a ballot has, and as many clients as voters.
fn redis_benchmark(url: &str, clients: usize) -> f64 {
    let port = url.trim_end_matches('/').rsplit(':').next().unwrap();
    let fields = "poll nesquik-cola-cao voter d41d8cd98f00b204e9800998ecf8427e choice a ord 1700000000000 \
                  id d41d8cd98f00b204e9800998ecf8427e via vote-1";
    let output = Command::new("redis-benchmark")
        .args(["-p", port, "-c", &clients.to_string(), "-n", "60000", "--csv", "XADD", "bench", "*"])
        .args(fields.split_whitespace())
        .output()
        .expect("redis-benchmark, which comes with redis-server");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let rate = said.lines().last().and_then(|line| line.rsplit("\",\"").nth(6).map(str::to_owned));
    rate.and_then(|rate| rate.trim_matches('"').parse().ok()).unwrap_or_else(|| panic!("{said}"))
}

/// Pages a second, over as many connections, each of which asks again when it has its answer.
async fn pages(url: &str) -> f64 {
    let site = Site::new(&url.parse().unwrap()).unwrap();
    let began = Instant::now();
    let visitors = (0..VISITORS).map(|_| visit(site.clone()));
    let visits: Vec<_> = visitors.map(tokio::spawn).collect();
    for visit in visits {
        visit.await.unwrap();
    }
    PAGES as f64 / began.elapsed().as_secs_f64()
}

async fn visit(site: Site) {
    let mut caller = Caller::of(&site);
    for _ in 0..PAGES / VISITORS {
        let answer = caller.ask(Request::default()).await.unwrap();
        assert_eq!(answer.status(), 200);
    }
}
