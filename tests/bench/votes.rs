//! How many votes are recorded in a second, and how many pages are shown.

use std::process::Command;
use std::time::Instant;

use caller::{Caller, Site};
use harness::{Deployment, Embedded, Service, client, eventually};
use hyper::Request;
use redis::AsyncCommands;
use tempfile::TempDir;

use crate::bare::Bare;
use crate::load::{load, load_bare};
use crate::table::{Aim, Figure, Table};

/// Each pair is measured so often, one after the other, and the best of each is taken: what
/// disturbs a shared machine only ever makes it slower.
const ROUNDS: usize = 3;

const VOTES: &[&str] = &["--votes=40000", "--voters=40000", "--changes=0", "--viewers=0"];

const VOTES_CAST: u64 = 40_000;

const CONNECTIONS: usize = 50;

const PAGES: usize = 60_000;

pub async fn measure(table: &mut Table) {
    let urna = Deployment::start().await;
    let (vote, worker, result) = urna.one_of_each().await;
    let page = client().get(&vote.url).send().await.unwrap().text().await.unwrap();
    let bare = Bare::start(page).await;
    let (mut ours, mut handler, mut redis) = (0.0_f64, 0.0_f64, 0.0_f64);
    for _ in 0..ROUNDS {
        ours = ours.max(record(&urna, &worker.service, &vote.url, &result.url).await);
        handler = handler.max(load_bare(&bare.vote, &bare.result, VOTES).await.measures.recorded_per_second);
        redis = redis.max(redis_benchmark(&urna.redis.url()));
    }
    let what = "recorded votes, `appendfsync always`, 50 connections";
    let ours = Figure::per_second(ours);
    table.add(what, ours, ("bare axum handler", Figure::per_second(handler)), Aim::AtLeast(0.65));
    table.add("the same", ours, ("`redis-benchmark` XADD", Figure::per_second(redis)), Aim::AtLeast(0.8));

    let (mut ours, mut handler) = (0.0_f64, 0.0_f64);
    for _ in 0..ROUNDS {
        ours = ours.max(pages(&vote.url).await);
        handler = handler.max(pages(&bare.vote).await);
    }
    let handler = ("bare axum handler, same bytes", Figure::per_second(handler));
    table.add("ballot pages", Figure::per_second(ours), handler, Aim::AtLeast(0.85));
    embedded(table).await;
}

/// How many votes are recorded in a second. The worker counts them afterwards: how fast it is, is another row.
async fn record(urna: &Deployment, worker: &Service, vote: &str, result: &str) -> f64 {
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
    tokio::join!(load(vote, result, VOTES), counting).0.measures.recorded_per_second
}

async fn embedded(table: &mut Table) {
    let data = TempDir::new().unwrap();
    let urna = Embedded::start(data.path()).await;
    let recorded = load(&urna.vote, &urna.result, VOTES).await.measures.recorded_per_second;
    table.add_alone("recorded votes, embedded", Figure::per_second(recorded), None);
}

/// As many bytes as a ballot has, and as many clients as voters.
fn redis_benchmark(url: &str) -> f64 {
    let port = url.trim_end_matches('/').rsplit(':').next().unwrap();
    let fields = "poll nesquik-cola-cao voter d41d8cd98f00b204e9800998ecf8427e choice a ord 1700000000000 \
                  id d41d8cd98f00b204e9800998ecf8427e via vote-1";
    let output = Command::new("redis-benchmark")
        .args(["-p", port, "-c", "50", "-n", "60000", "--csv", "XADD", "bench", "*"])
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
    let visitors = (0..CONNECTIONS).map(|_| visit(site.clone()));
    let visits: Vec<_> = visitors.map(tokio::spawn).collect();
    for visit in visits {
        visit.await.unwrap();
    }
    PAGES as f64 / began.elapsed().as_secs_f64()
}

async fn visit(site: Site) {
    let mut caller = Caller::of(&site);
    for _ in 0..PAGES / CONNECTIONS {
        let answer = caller.ask(Request::default()).await.unwrap();
        assert_eq!(answer.status(), 200);
    }
}
