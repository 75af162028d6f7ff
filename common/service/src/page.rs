//! The program of a service that serves a page: its command line, and its run.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::health::{Command, Health, Store};
use crate::process::{bind, end, parse_as, run, start_log};
use crate::settings::ReplicaSettings;

/// The command line of such a service.
#[derive(Parser)]
#[command(version)]
struct Cli<Settings: Args> {
    #[command(subcommand)]
    command: Option<Command>,
    /// The address and port on which the page is served
    #[arg(long, env = "LISTEN", default_value = "0.0.0.0:80")]
    listen: SocketAddr,
    #[command(flatten)]
    replica: ReplicaSettings,
    #[command(flatten)]
    settings: Settings,
}

/// Runs the service `name`, which needs these stores. `about` explains it on its command
/// line, `config` checks its settings, and `serve` serves its page until the shutdown.
pub async fn serve_page<Settings: Args, Config, Serving: Future<Output = ()>>(
    name: &'static str,
    about: &'static str,
    needs: &[Store],
    config: impl FnOnce(Settings, &ReplicaSettings) -> anyhow::Result<Config>,
    serve: impl FnOnce(TcpListener, Config, Health, CancellationToken) -> Serving,
) -> ExitCode {
    let served = async {
        let cli: Cli<Settings> = parse_as(Cli::<Settings>::command().name(name).about(about))?;
        if let Some(command) = cli.command {
            return command.run(cli.replica.management_listen).await;
        }
        start_log();
        let config = config(cli.settings, &cli.replica)?;
        let listener = bind(cli.listen, "LISTEN").await?;
        run(&cli.replica, needs, |health, shutdown| serve(listener, config, health, shutdown)).await
    };
    end(name, served.await)
}
