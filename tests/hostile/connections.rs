//! Thousands of hostile connections, which honest voters must not notice.

use std::fs;

use harness::{Deployment, Manner, Mob, Replica, Voter, eventually, totals_of};

/// The number of clients of each kind: 5,210 in all.
const SLOW: [(Manner, usize); 6] = [
    (Manner::Silent, 2_200),
    (Manner::SlowHeaders, 1_500),
    (Manner::SlowBody, 1_500),
    (Manner::EndlessAddress, 3),
    (Manner::EndlessHeader, 3),
    (Manner::EndlessBody, 4),
];

/// At least this many connections are open at any time. A disconnected client reconnects after a second.
const OPEN: usize = 4_500;

const STALLED: usize = 1_000;

/// Twice the memory that `connections_max` assumes for a connection: a debug build needs more, and
/// connections that come and go fragment the memory.
const KIB_EACH: u64 = 40;

/// An idle service has about a dozen open sockets and files.
const OPEN_AT_REST: usize = 100;

/// This process holds one end of every connection, and opens at most this many files.
const FILES: u64 = 8_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn among_thousands_who_only_take_connections_every_honest_vote_counts() {
    assert!(
        may_open() >= FILES,
        "this test opens {FILES} files, and the limit is {}: raise it with ulimit -n, or its hard limit in /etc/security/limits.conf",
        may_open()
    );
    let deployment = Deployment::start().await;
    let (vote, _worker, result) = deployment.one_of_each().await;
    let before = [&vote, &result].map(|replica| replica.service.resident());
    let viewers = [
        Mob::gather(&result.url, Manner::Stalled, STALLED),
        Mob::gather(&result.url, Manner::EndlessFrame, 10),
    ];
    let slow = SLOW.map(|(manner, size)| Mob::gather(&vote.url, manner, size));
    are_open(&vote, OPEN).await;
    are_open(&result, STALLED).await;

    let mut voters = Voter::arrive_many(&vote.url, 30).await;
    for voter in &mut voters {
        voter.insist(&[&vote.url], "a").await;
        voter.insist(&[&vote.url], "b").await;
    }
    deployment.counts_exactly(&voters).await;
    totals_of(&result.url, "their votes", |totals| totals["options"][1]["votes"] == voters.len()).await;
    are_open(&vote, OPEN).await;

    for (replica, before, connections) in [(&vote, before[0], OPEN), (&result, before[1], STALLED)] {
        let more = replica.service.peak() - before;
        let said = replica.service.output();
        assert!(more <= KIB_EACH * connections as u64, "{more} KiB for {connections} connections");
        assert!(!said.contains("panicked"), "{said}");
    }
    // The server disconnects a silent client after 10 s, and a viewer who misses two pings, 25 s apart.
    viewers.iter().chain(&slow).for_each(Mob::stop_reconnecting);
    for replica in [&vote, &result] {
        eventually("the end of all hostile connections", async || {
            (replica.service.open_sockets() <= OPEN_AT_REST).then_some(())
        })
        .await;
    }
}

/// Room for 118 connections.
const FEW_FILES: u32 = 300;

/// Several times as many.
const TOO_MANY: usize = 600;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_limit_a_newcomer_takes_the_place_of_a_client_that_never_asked() {
    let deployment = Deployment::start().await;
    let _worker = deployment.ready("worker").await;
    let [vote, result] = ["vote", "result"].map(|program| deployment.spawn_limited(program, FEW_FILES));
    for replica in [&vote, &result] {
        replica.wait_until_ready().await;
    }
    let viewers = Mob::gather(&result.url, Manner::Stalled, TOO_MANY);
    let slow = [&vote, &result].map(|replica| {
        [Manner::Silent, Manner::SlowHeaders, Manner::SlowBody]
            .map(|manner| Mob::gather(&replica.url, manner, TOO_MANY))
    });
    for replica in [&vote, &result] {
        eventually("connections that make room for others", async || {
            (replica.metric("urna_connections_shed_total").await? > TOO_MANY as f64).then_some(())
        })
        .await;
    }
    let mut voters = Voter::arrive_many(&vote.url, 30).await;
    for voter in &mut voters {
        voter.insist(&[&vote.url], "a").await;
    }
    deployment.counts_exactly(&voters).await;
    totals_of(&result.url, "their votes", |totals| totals["options"][0]["votes"] == voters.len()).await;
    for replica in [&vote, &result] {
        assert!(replica.service.open_sockets() < FEW_FILES as usize);
        assert!(!replica.service.output().contains("panicked"), "{}", replica.service.output());
    }
    slow.iter().flatten().chain([&viewers]).for_each(Mob::stop_reconnecting);
}

async fn are_open(replica: &Replica, connections: usize) {
    eventually(&format!("{connections} connections"), async || {
        (replica.service.open_sockets() >= connections).then_some(())
    })
    .await;
}

/// How many files this process may have open.
fn may_open() -> u64 {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap_or(u64::MAX)
}
