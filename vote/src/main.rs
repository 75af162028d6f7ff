//! The `vote` service.

use std::process::ExitCode;

const ABOUT: &str = "The ballot page: takes votes and appends them to the queue in Redis";

#[tokio::main]
async fn main() -> ExitCode {
    service::serve_page("vote", ABOUT, vote::NEEDS, vote::Settings::config, vote::serve).await
}
