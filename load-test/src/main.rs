//! `load-test`: see its `--help`.

use std::process::ExitCode;

use clap::Parser;
use load_test::Settings;

#[tokio::main]
async fn main() -> ExitCode {
    match load_test::run(&Settings::parse()).await {
        Ok(false) => ExitCode::FAILURE,
        outcome => service::end("load-test", outcome.map(drop)),
    }
}
