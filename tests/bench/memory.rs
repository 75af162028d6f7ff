//! What a service takes of the machine, and how soon it is there.

use std::time::{Duration, Instant};

use harness::Deployment;
use tokio::time::sleep;

use crate::load::load;
use crate::plot;
use crate::table::{Figure, Table};

/// A service that has nothing to do has come to rest.
const REST: Duration = Duration::from_secs(3);

const STARTS: usize = 5;

pub async fn measure(table: &mut Table) {
    let urna = Deployment::start().await;
    let services = urna.one_of_each().await;
    let services = [("vote", &services.0), ("worker", &services.1), ("result", &services.2)];
    sleep(REST).await;
    let idle = services.map(|(_, service)| service.service.resident() as f64);
    let picture = format!("--plot={}", plot::file("load.svg"));
    let load_of = ["--duration=15s", "--viewers=500", &picture];
    load(&services[0].1.url, &services[2].1.url, &load_of).await;
    for ((name, service), idle) in services.into_iter().zip(idle) {
        table.add_alone(&format!("{name}: memory, idle"), Figure::mb(idle / 1024.0), Some(12.0));
        let busy = Figure::mb(service.service.peak() as f64 / 1024.0);
        table.add_alone(&format!("{name}: memory, at most under load"), busy, None);
    }
    for name in ["vote", "worker", "result"] {
        let mut best = f64::MAX;
        for _ in 0..STARTS {
            let began = Instant::now();
            let replica = urna.spawn(name, &[]);
            while replica.readyz().await.is_none_or(|(status, _)| status != 200) {
                sleep(Duration::from_millis(1)).await;
            }
            best = best.min(began.elapsed().as_secs_f64() * 1000.0);
        }
        table.add_alone(&format!("{name}: start to ready"), Figure::ms(best), Some(100.0));
    }
}
