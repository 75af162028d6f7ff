//! `load-test`, and what it reports.

use std::time::Duration;

use harness::Service;
use load_test::latency::Latency;
use load_test::report::Report;

/// No load here lasts for more than a minute.
const PATIENCE: Duration = Duration::from_secs(300);

/// Runs it against these pages. It must find every recorded vote counted once,
/// unless what it loads is no Urna.
pub async fn load(vote: &str, result: &str, arguments: &[&str]) -> Report {
    let report = load_bare(vote, result, arguments).await;
    assert!(report.truth.counted_once, "{report}");
    report
}

/// The same, of a server that counts nothing.
pub async fn load_bare(vote: &str, result: &str, arguments: &[&str]) -> Report {
    let arguments = [&["--json"], arguments].concat();
    let mut load =
        Service::spawn_with("load-test", &arguments, &[("VOTE_URL", vote), ("RESULT_URL", result)]);
    load.exit_within(PATIENCE).await;
    let said = load.output();
    // Progress comes before it.
    let report = &said[said.find("\n{").map_or(0, |at| at + 1)..];
    serde_json::from_str(report).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// What a report measured.
pub fn measured(latency: Option<Latency>) -> Latency {
    latency.expect("a latency, because votes were recorded and seen")
}
