//! The `result` service.

use std::process::ExitCode;

const ABOUT: &str = "The results page: streams the totals in PostgreSQL to every browser";

#[tokio::main]
async fn main() -> ExitCode {
    service::serve_page("result", ABOUT, result::NEEDS, result::Settings::config, result::serve).await
}
