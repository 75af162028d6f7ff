//! `load-test`: see its `--help`.

use std::process::ExitCode;

use load_test::Settings;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(false) => ExitCode::FAILURE,
        outcome => service::end("load-test", outcome.map(drop)),
    }
}

async fn run() -> anyhow::Result<bool> {
    let settings: Settings = service::parse()?;
    load_test::run(&settings).await
}
