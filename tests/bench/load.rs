//! `load-test`, and its summary.

use std::time::Duration;

use harness::Service;
use load_test::latency::Latency;
use load_test::summary::Summary;

/// No load here lasts for more than a minute.
const PATIENCE: Duration = Duration::from_secs(300);

/// Runs it against these pages. It must find every recorded vote counted once,
/// unless what it loads is no Urna.
pub async fn load(vote: &str, result: &str, arguments: &[impl AsRef<str>]) -> Summary {
    let summary = load_bare(vote, result, arguments).await;
    assert!(summary.truth.counted_once, "{summary}");
    summary
}

/// The same, of a server that counts nothing.
pub async fn load_bare(vote: &str, result: &str, arguments: &[impl AsRef<str>]) -> Summary {
    let arguments: Vec<&str> = ["--json"].into_iter().chain(arguments.iter().map(AsRef::as_ref)).collect();
    let mut load =
        Service::spawn_with("load-test", &arguments, &[("VOTE_URL", vote), ("RESULT_URL", result)]);
    load.exit_within(PATIENCE).await;
    let said = load.output();
    // Progress comes before it.
    let summary = &said[said.find("\n{").map_or(0, |at| at + 1)..];
    serde_json::from_str(summary).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// What a load measured.
pub fn measured(latency: Option<Latency>) -> Latency {
    latency.expect("a latency, because votes were recorded and seen")
}
