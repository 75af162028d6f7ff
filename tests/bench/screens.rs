//! How long a vote takes to the screens, and what a viewer costs.

use std::time::{Duration, Instant};

use election::{Ballot, Choice, VoterId, random_uuid};
use harness::{Deployment, Embedded, client};
use ledger::Ledger;
use ledger::PostgresLedger;
use load_test::latency::Times;
use queue::Queue;
use queue::RedisQueue;
use store::postgres::PostgresSettings;
use store::redis::RedisSettings;
use tempfile::TempDir;
use tokio::time::interval;

use crate::bare::Bare;
use crate::load::{load, load_bare, measured};
use crate::plot::{self, Curve};
use crate::table::{Aim, Figure, Table};

/// Slower than the screens are drawn, so that each vote is alone.
const IDLE: &[&str] =
    &["--rate=10", "--duration=20s", "--viewers=1", "--concurrency=5", "--voters=300", "--changes=0"];

const PARTS: usize = 200;

pub async fn measure(table: &mut Table) {
    idle(table).await;
    let mut curves =
        ["Urna", "bare tokio-tungstenite"].map(|name| Curve { name: name.to_owned(), points: Vec::new() });
    for viewers in [1_000, 5_000, 10_000] {
        let spreads = crowd(table, viewers).await;
        for (curve, spread) in curves.iter_mut().zip(spreads) {
            curve.points.push((viewers as f64, spread.value));
        }
    }
    let caption = "From the first screen to the last one, p99 in milliseconds";
    plot::draw("viewers.svg", caption, "viewers", &curves);
}

/// One vote at a time, against the sum of what it must wait for.
async fn idle(table: &mut Table) {
    let urna = Deployment::start().await;
    let (vote, worker, result) = urna.one_of_each().await;
    let screens = load(&vote.url, &result.url, IDLE).await.screens;
    drop(worker);
    let bare = Bare::start(String::new()).await;
    let parts = parts(&urna, &bare).await;
    let ours = measured(screens.vote_to_screen);
    for (name, quantile, ours) in [("p50", 0.5, ours.p50), ("p99", 0.99, ours.p99)] {
        let ours = Figure::ms(ours);
        let sum = Figure::ms(parts.ms(quantile));
        let what = format!("vote → screen, idle, {name}");
        table.add(&what, ours, ("append + commit + round trip", sum), Aim::AtMost(3.0));
    }
    let data = TempDir::new().unwrap();
    let urna = Embedded::start(data.path()).await;
    let screens = load(&urna.vote, &urna.result, IDLE).await.screens;
    table.add_alone(
        "vote → screen, idle, embedded, p50",
        Figure::ms(measured(screens.vote_to_screen).p50),
        None,
    );
}

/// A steady stream of votes before so many viewers: how long from the first screen to the last one,
/// ours and the bare one's.
async fn crowd(table: &mut Table, viewers: usize) -> [Figure; 2] {
    let seats = format!("--viewers={viewers}");
    let stream = ["--rate=4", "--duration=25s", "--concurrency=5", "--voters=200", "--changes=0", &seats];
    let urna = Deployment::start().await;
    let (vote, _worker, result) = urna.one_of_each().await;
    let before = result.service.resident();
    let ours = load(&vote.url, &result.url, &stream).await;
    let each = (result.service.peak() - before) as f64 / viewers as f64;
    let bare = Bare::start(String::new()).await;
    let plain = load_bare(&bare.vote, &bare.result, &stream).await;
    let spreads = [ours, plain].map(|load| Figure::ms(measured(load.screens.first_to_last_screen).p99));
    let what = format!("{viewers} viewers: first → last screen, p99");
    table.add(&what, spreads[0], ("bare tokio-tungstenite", spreads[1]), Aim::AtMost(1.5));
    table.add_alone(&format!("{viewers} viewers: memory each"), Figure::kib(each), Some(20.0));
    spreads
}

/// What a vote must at least wait for, one after the other, and as seldom as the votes come, so
/// that processors and disks are as sleepy.
async fn parts(urna: &Deployment, bare: &Bare) -> Times {
    let queue = Queue::Redis(RedisQueue::new(RedisSettings::at(&urna.redis.url()).connection().unwrap()));
    let ledger = PostgresLedger::open(&PostgresSettings::at(&urna.postgres.url())).unwrap();
    let ledger = Ledger::Postgres(ledger);
    queue.probe().await.unwrap();
    ledger.check().await.unwrap();
    let mut times = Times::default();
    let mut ticks = interval(Duration::from_millis(100));
    for _ in 0..PARTS {
        ticks.tick().await;
        let began = Instant::now();
        queue.append(ballot(), u64::MAX).await.unwrap();
        assert_eq!(ledger.record(&[&ballot()]).await.unwrap(), 1);
        client().get(&bare.vote).send().await.unwrap();
        times.add(began.elapsed());
    }
    times
}

fn ballot() -> Ballot {
    Ballot {
        poll: "nesquik-cola-cao".parse().unwrap(),
        voter: VoterId::draw(),
        choice: Choice::at(0).unwrap(),
        ord: 1,
        id: random_uuid(),
        via: "bench".to_owned(),
    }
}
