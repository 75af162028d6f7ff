//! The stores of `docker compose`: who may use their volumes, and who may do what in them.

use std::fs;
use std::path::Path;

use harness::{Voter, eventually};
use tempfile::TempDir;

use crate::compose::{Compose, SERVICES, STORES};
use crate::{COMPOSE, ROOT, turn, vote_and_count};

#[tokio::test]
async fn a_second_deployment_on_the_same_volumes_does_not_start_its_stores_and_says_why() {
    let (_turn, first) = (turn(&COMPOSE).await, Compose::of("compose.yaml", Path::new(ROOT)));
    first.up(&STORES);
    let folder = TempDir::new().unwrap();
    let overlay = folder.path().join("same-volumes.yaml");
    let volumes = ["redis-data", "db-data"]
        .map(|volume| format!("  {volume}: {{ external: true, name: {}_{volume} }}\n", first.project));
    fs::write(&overlay, format!("volumes:\n{}", volumes.concat())).unwrap();
    let second = Compose::of(&format!("compose.yaml:{}", overlay.display()), Path::new(ROOT));
    second.compose(&[&["up", "--detach"][..], &STORES].concat());
    for store in STORES {
        let reason = "uses this volume, so this one does not start: end that deployment first.";
        eventually(&format!("{store} to say why it does not start"), async || {
            second.compose(&["logs", store]).contains(reason).then_some(())
        })
        .await;
    }

    first.up(&[]);
    let mut voters = Voter::arrive_many(&first.vote, 2).await;
    vote_and_count(&first.vote, &first.result, &mut voters, "a").await;
    first.compose(&["down"]);
    // Docker waits longer and longer before it starts a failed container again.
    second.up(&["--force-recreate"]);
    vote_and_count(&second.vote, &second.result, &mut voters, "b").await;
}

#[tokio::test]
async fn a_service_can_do_no_more_in_a_store_than_it_does() {
    let (_turn, urna) = (turn(&COMPOSE).await, Compose::of("compose.yaml", Path::new(ROOT)));
    urna.up(&[]);
    let mut voters = Voter::arrive_many(&urna.vote, 2).await;
    vote_and_count(&urna.vote, &urna.result, &mut voters, "a").await;
    redis(&urna, "default", "XADD urna:votes * no ballot");
    eventually("a dead letter", async || {
        (redis(&urna, "default", "XLEN urna:dead").trim() == "1").then_some(())
    })
    .await;
    // Services need rights for their last commands, too.
    urna.compose(&[&["restart"][..], &SERVICES].concat());
    vote_and_count(&urna.vote, &urna.result, &mut voters, "b").await;
    let refused = redis(&urna, "default", "ACL LOG");
    assert_eq!(refused.trim(), "", "the services were refused what they do");

    const READ: &str = "XREADGROUP GROUP workers me STREAMS urna:votes >";
    for (user, commands) in [
        (
            "vote",
            &[
                "FLUSHALL",
                "XDEL urna:votes 1-1",
                "CONFIG SET appendonly no",
                READ,
                "SETEX urna:votes 1 x",
                "HSET urna:labels key label",
                "HDEL urna:labels key",
            ][..],
        ),
        ("worker", &["FLUSHALL", "CONFIG SET appendonly no", "ACL LIST"]),
        ("result", &["FLUSHALL", "XADD urna:votes * choice a", "LTRIM urna:setbacks 1 0", READ]),
    ] {
        for command in commands {
            let said = redis(&urna, user, command);
            assert!(said.contains("NOPERM"), "{user}: {command}: {said}");
        }
    }
    for statement in [
        "INSERT INTO totals (poll, choice, votes, changes) VALUES ('p', 'a', 1, 0)",
        "UPDATE totals SET votes = 0",
        "DELETE FROM ballots",
        "CREATE TABLE mine ()",
    ] {
        let (succeeded, said) = sql(&urna, statement);
        assert!(!succeeded && said.contains("permission denied"), "{statement}: {said}");
    }
    assert!(sql(&urna, "SELECT sum(votes) FROM totals").1.contains('2'));
    assert!(sql(&urna, "SELECT label FROM labels").1.contains("Nesquik"));
}

/// What Redis says to a user's command.
fn redis(urna: &Compose, user: &str, command: &str) -> String {
    let secret =
        if user == "default" { "redis_password".to_owned() } else { format!("{user}_redis_password") };
    let ask = format!("REDISCLI_AUTH=$(cat /run/secrets/{secret}) redis-cli --user {user} {command}");
    urna.compose(&["exec", "-T", "redis", "sh", "-c", &ask.replace('>', "\\>").replace('*', "\\*")])
}

/// Runs a statement as the role that may only read.
fn sql(urna: &Compose, statement: &str) -> (bool, String) {
    let psql =
        ["compose", "exec", "-T", "db", "psql", "--username=urna_reader", "--dbname=urna", "--command"];
    urna.attempt("docker", &[&psql[..], &[statement]].concat())
}
