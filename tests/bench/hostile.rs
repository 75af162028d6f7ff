//! What honest voters notice of thousands who only take connections.

use harness::{Deployment, Manner, Mob, eventually};
use load_test::latency::Latency;

use crate::load::{load, measured};
use crate::table::{Aim, Figure, Table};

/// As many votes as a large hall casts, and far less than the machine can take: what is measured is
/// how long each waits.
const HONEST: &[&str] = &["--rate=200", "--duration=20s", "--voters=4000", "--changes=0", "--viewers=10"];

/// Each is measured so often, one after the other, and the best of each is taken: what disturbs a
/// shared machine only ever makes it slower.
const ROUNDS: usize = 3;

const SLOW: [(Manner, usize); 3] =
    [(Manner::Silent, 2_200), (Manner::SlowHeaders, 1_500), (Manner::SlowBody, 1_500)];

const ENDLESS: [Manner; 3] = [Manner::EndlessAddress, Manner::EndlessHeader, Manner::EndlessBody];

const ENDLESS_OF_EACH: usize = 10;

/// Whoever is shown out comes again at once, five hundred a second, and the crowd itself runs on the
/// same processors.
const P99_FACTOR_MAX: f64 = 10.0;

const CONNECTIONS: usize = 5_000;

const STALLED: usize = 1_000;

pub async fn measure(table: &mut Table) {
    let urna = Deployment::start().await;
    let (vote, _worker, result) = urna.one_of_each().await;
    let crowded = [("slow connection", &vote, CONNECTIONS), ("stalled viewer", &result, STALLED)];
    let (mut alone, mut amid): (Option<Latency>, Option<Latency>) = (None, None);
    for round in 0..ROUNDS {
        better(&mut alone, measured(load(&vote.url, &result.url, HONEST).await.measures.vote));
        let before = crowded.map(|(_, replica, _)| replica.service.resident());
        let mob = gather(&vote.url, &result.url);
        for ((who, replica, connections), before) in crowded.into_iter().zip(before) {
            eventually(who, async || (replica.service.open_sockets() >= connections).then_some(())).await;
            if round == 0 {
                let each = (replica.service.resident() - before) as f64 / connections as f64;
                table.add_alone(&format!("memory of a {who}"), Figure::kib(each), Some(20.0));
            }
        }
        better(&mut amid, measured(load(&vote.url, &result.url, HONEST).await.measures.vote));
        drop(mob);
    }
    let [alone, amid] = [alone, amid].map(measured);
    let p99 = Aim::AtMost(P99_FACTOR_MAX);
    for (name, amid, alone, aim) in
        [("p50", amid.p50, alone.p50, Aim::None), ("p99", amid.p99, alone.p99, p99)]
    {
        let what = format!("a vote amid 5000 slow and 1000 stalled connections, {name}");
        table.add(&what, Figure::ms(amid), ("without them", Figure::ms(alone)), aim);
    }
    for (name, replica) in [("vote", &vote), ("result", &result)] {
        let most = Figure::mb(replica.service.peak() as f64 / 1024.0);
        table.add_alone(&format!("{name}: memory, at most amid them"), most, None);
    }
}

fn gather(vote: &str, result: &str) -> Vec<Mob> {
    let slow = SLOW.map(|(manner, size)| Mob::gather(vote, manner, size));
    let endless = ENDLESS.map(|manner| Mob::gather(vote, manner, ENDLESS_OF_EACH));
    let viewers = [
        Mob::gather(result, Manner::Stalled, STALLED),
        Mob::gather(result, Manner::EndlessFrame, ENDLESS_OF_EACH),
    ];
    slow.into_iter().chain(endless).chain(viewers).collect()
}

/// Keeps the one with the lower p99.
fn better(best: &mut Option<Latency>, latency: Latency) {
    *best = best.filter(|best| best.p99 <= latency.p99).or(Some(latency));
}
