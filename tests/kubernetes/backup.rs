//! A ledger that is lost, and comes back from its copy.

use harness::{Voter, eventually, totals_of};
use serde_json::Value;

use crate::cluster::{Cluster, RESULT, VOTE};

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_ledger_comes_back_from_its_copy_and_status_says_what_it_cost() {
    let cluster = Cluster::with("urna-test-backup", &["backup"]).await;
    let mut voters = Voter::arrive_many(VOTE, 10).await;
    cluster.votes(&mut voters[..7], 7).await;
    for name in ["backup-1", "backup-2"] {
        cluster.kubectl(&["create", "job", name, "--from=cronjob/backup"]);
        cluster.kubectl(&["wait", "job", name, "--for=condition=Complete", "--timeout=120s"]);
    }
    cluster.votes(&mut voters, 10).await;

    cluster.kubectl(&["scale", "statefulset", "db", "--replicas=0"]);
    cluster.kubectl(&["delete", "persistentvolumeclaim", "data-db-0"]);
    cluster.kubectl(&["scale", "statefulset", "db", "--replicas=1"]);
    cluster.rolled_out("statefulset/db");

    let copies = cluster.script("restore.sh", &[]);
    let newest = copies.lines().rfind(|line| line.starts_with("urna-")).expect("a copy").to_owned();
    println!("{}", cluster.script("restore.sh", &[&newest]));
    totals_of(RESULT, "the votes of the copy", |totals| totals["total"] == 7).await;
    eventually("a page that says that votes are missing", async || {
        let status = reqwest::get(format!("{RESULT}/api/status")).await.ok()?.json::<Value>().await.ok()?;
        let hops = status["hops"].as_array()?;
        let trouble = hops.iter().find(|hop| hop["name"] == "db")?["trouble"].as_str()?.to_owned();
        ["went back", "was wiped"].iter().any(|words| trouble.contains(words)).then_some(())
    })
    .await;
    // Those whose votes were lost vote again, and count.
    cluster.votes(&mut voters, 10).await;
    cluster.verify();
}

impl Cluster {
    /// Lets the voters vote, and waits until so many votes are counted.
    async fn votes(&self, voters: &mut [Voter], total: u64) {
        for voter in voters {
            voter.insist(&[VOTE], "a").await;
        }
        totals_of(RESULT, "every vote", |totals| totals["total"] == total && totals["waiting"] == 0).await;
    }
}
