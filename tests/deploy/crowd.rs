//! Thousands of slow clients on the deployment of compose.yaml, within the memory that it has.

use std::path::Path;

use harness::{Manner, Mob, Voter, client, eventually};

use crate::compose::Compose;
use crate::{MACHINE, ROOT, vote_and_count};

/// More connections than fit into the memory of a container.
const CONNECTIONS: usize = 13_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirteen_thousand_slow_connections_restart_nothing_and_keep_nobody_away() {
    // So many clients and the service need the whole machine.
    let _alone = MACHINE.write().await;
    let urna = Compose::of("compose.yaml", Path::new(ROOT));
    urna.up(&[]);
    let mut voters = Voter::arrive_many(&urna.vote, 3).await;
    for (service, url, key) in [("vote", &urna.vote, "a"), ("result", &urna.result, "b")] {
        // Not through the published port: Docker's own proxy would run out of files before.
        let address =
            format!("{{{{(index .NetworkSettings.Networks \"{}_public\").IPAddress}}}}", urna.project);
        let page = format!("http://{}:80", urna.inspect(service, &address));
        let mob = Mob::gather(&page, Manner::Heavy, CONNECTIONS);
        eventually("a page that is full", async || (mob.closed() >= CONNECTIONS).then_some(())).await;
        vote_and_count(&urna.vote, &urna.result, &mut voters, key).await;
        assert_eq!(client().get(url).send().await.unwrap().status(), 200);
        mob.stop_reconnecting();
        drop(mob);
        assert_eq!(urna.inspect(service, "{{.RestartCount}} {{.State.OOMKilled}}"), "0 false", "{service}");
    }
}
