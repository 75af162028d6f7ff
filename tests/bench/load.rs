//! `load-test`, and what it reports.

use std::time::Duration;

use harness::Service;
use serde_json::Value;

/// No load here lasts for more than a minute.
const PATIENCE: Duration = Duration::from_secs(300);

/// Runs it against these pages. It must find every recorded vote counted once,
/// unless what it loads is no Urna.
pub async fn load(vote: &str, result: &str, arguments: &[&str]) -> Value {
    let report = load_bare(vote, result, arguments).await;
    assert_eq!(report["truth"]["counted_once"], true, "{report:#}");
    report
}

/// The same, of a server that counts nothing.
pub async fn load_bare(vote: &str, result: &str, arguments: &[&str]) -> Value {
    let arguments = [&["--json"], arguments].concat();
    let mut load =
        Service::spawn_with("load-test", &arguments, &[("VOTE_URL", vote), ("RESULT_URL", result)]);
    load.exit_within(PATIENCE).await;
    let said = load.output();
    // Progress comes before it.
    let report = &said[said.find("\n{").map_or(0, |at| at + 1)..];
    serde_json::from_str(report).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// A number in a report.
pub fn number(report: &Value, path: &str) -> f64 {
    let value = report.pointer(path).and_then(Value::as_f64);
    value.unwrap_or_else(|| panic!("no {path} in {report:#}"))
}
