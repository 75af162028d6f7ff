//! The stores of `docker compose`: who may use their volumes, and who may do what in them.

use std::fs;
use std::path::Path;

use harness::{Voter, eventually};
use tempfile::TempDir;

use crate::compose::{Compose, STORES};
use crate::{ROOT, turn, vote_and_count};

#[tokio::test]
async fn a_second_deployment_on_the_same_volumes_does_not_start_its_stores_and_says_why() {
    let (_turn, first) = (turn().await, Compose::of("compose.yaml", Path::new(ROOT)));
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
    // Docker waits longer and longer before it starts a container again that failed.
    second.up(&["--force-recreate"]);
    vote_and_count(&second.vote, &second.result, &mut voters, "b").await;
}
