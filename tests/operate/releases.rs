//! Programs and terminals see which replica and which release answers.

use std::collections::BTreeSet;

use harness::{Deployment, client};
use serde_json::{Value, json};

#[tokio::test]
async fn whoami_tells_a_terminal_and_a_program_which_replica_of_which_release_answers() {
    let urna = Deployment::start().await;
    for program in ["vote", "result"] {
        let canary = urna.spawn(program, &[("RELEASE", "canary"), ("NODE", "worker2"), ("REPLICA", "one")]);
        let nowhere = urna.spawn(program, &[("RELEASE", "stable"), ("REPLICA", "other")]);
        let mut answers = BTreeSet::new();
        for replica in [&canary, &nowhere] {
            replica.wait_until_ready().await;
            let url = format!("{}/api/whoami", replica.url);
            let answer = client().get(&url).send().await.unwrap();
            assert!(answer.headers().get("set-cookie").is_none(), "a terminal is no voter");
            assert_eq!(answer.headers()["cache-control"], "no-store");
            answers.insert(answer.text().await.unwrap());
            let answer = client().get(&url).header("accept", "application/json").send().await.unwrap();
            assert_eq!(answer.headers()["content-type"], "application/json");
            answers.insert(serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap().to_string());
        }
        let expected = [
            "one, release canary, on worker2\n".to_owned(),
            "other, release stable\n".to_owned(),
            json!({ "replica": "one", "node": "worker2", "release": "canary" }).to_string(),
            json!({ "replica": "other", "node": null, "release": "stable" }).to_string(),
        ];
        assert_eq!(answers, BTreeSet::from(expected), "{program}");
    }
}
