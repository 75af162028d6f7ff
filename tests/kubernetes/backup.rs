//! A ledger that is lost, and comes back from its copy.

use std::path::Path;

use harness::{Voter, eventually, totals_of};
use serde_json::Value;

use crate::ROOT;
use crate::cluster::{Cluster, RESULT, VOTE};

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_ledger_comes_back_from_its_copy_and_status_says_what_it_cost() {
    let cluster = Cluster::with("urna-test-backup", &["backup"]).await;
    let mut voters = Voter::arrive_many(VOTE, 10).await;
    cluster.votes(&mut voters[..7], 7).await;
    cluster.copies_the_ledger();
    cluster.votes(&mut voters, 10).await;
    cluster.loses_the_ledger();
    cluster.sql("CREATE TABLE later ()");

    cluster.refuses_an_unknown_copy();
    println!("{}", cluster.script("restore.sh", &[&cluster.newest_copy()]));
    totals_of(RESULT, "the votes of the copy", |totals| totals["total"] == 7).await;
    cluster.says_that_votes_are_missing().await;
    assert!(!cluster.sql("\\d").contains("later"), "what was added after the copy is still there");
    // Those whose votes were lost vote again, and count.
    cluster.votes(&mut voters, 10).await;
    cluster.verify();
}

impl Cluster {
    /// Lets the voters vote, and waits until `total` votes are counted.
    async fn votes(&self, voters: &mut [Voter], total: u64) {
        for voter in voters {
            voter.insist(&[VOTE], "a").await;
        }
        totals_of(RESULT, "every vote", |totals| totals["total"] == total && totals["waiting"] == 0).await;
    }

    fn copies_the_ledger(&self) {
        for name in ["backup-1", "backup-2"] {
            self.kubectl(&["create", "job", name, "--from=cronjob/backup"]);
            self.kubectl(&["wait", "job", name, "--for=condition=Complete", "--timeout=120s"]);
        }
    }

    fn loses_the_ledger(&self) {
        self.kubectl(&["scale", "statefulset", "db", "--replicas=0"]);
        self.kubectl(&["delete", "persistentvolumeclaim", "data-db-0"]);
        self.kubectl(&["scale", "statefulset", "db", "--replicas=1"]);
        self.rolled_out("statefulset/db");
    }

    fn newest_copy(&self) -> String {
        let copies = self.script("restore.sh", &[]);
        copies.lines().rfind(|line| line.starts_with("urna-")).expect("a copy").to_owned()
    }

    /// A restore of an unknown copy fails, and the workers come back nevertheless.
    fn refuses_an_unknown_copy(&self) {
        let folder = Path::new(ROOT).join("kubernetes");
        let (restored, output) = self.attempt_script(&folder, "restore.sh", &["no-such-copy"]);
        assert!(!restored && output.contains("There is no copy 'no-such-copy'"), "{output}");
        assert_eq!(self.get("deployment/worker")["spec"]["replicas"], 1);
    }

    async fn says_that_votes_are_missing(&self) {
        eventually("a page that says that votes are missing", async || {
            let status = reqwest::get(format!("{RESULT}/api/status")).await.ok()?;
            let status = status.json::<Value>().await.ok()?;
            let ledger = status["hops"].as_array()?.iter().find(|hop| hop["name"] == "db")?;
            let trouble = ledger["trouble"].as_str()?;
            ["went back", "was wiped"].iter().any(|words| trouble.contains(words)).then_some(())
        })
        .await;
    }

    /// Runs a command of SQL as the owner of the ledger, and returns what PostgreSQL answers.
    fn sql(&self, command: &str) -> String {
        let ask =
            "PGPASSWORD=$(cat /run/secrets/database_password) psql --username=urna --host=127.0.0.1 urna";
        self.kubectl(&["exec", "db-0", "--", "sh", "-c", &format!("{ask} --command='{command}'")])
    }
}
