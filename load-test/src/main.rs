//! `load-test`: see its `--help`.

use std::process::ExitCode;

use clap::Parser;
use load_test::Settings;

#[tokio::main]
async fn main() -> ExitCode {
    match load_test::run(&Settings::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("load-test: {error:#}");
            ExitCode::FAILURE
        }
    }
}
