//! A Redis server for one test.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client};
use tempfile::TempDir;

use super::{PATIENCE, PORT_TAKEN, Service, free_port};

/// Redis prints this once it has loaded its data and answers every command.
const READY: &str = "Ready to accept connections";

/// Every acknowledged write is on disk, as in our deployments.
const DURABLE: &str = "--appendonly yes --appendfsync always --maxmemory-policy noeviction";

/// A Redis server for one test.
pub struct Redis {
    // Declared before the folder, because fields are dropped in this order.
    process: Option<Service>,
    folder: TempDir,
    port: u16,
    args: Vec<String>,
    env: Vec<(&'static str, PathBuf)>,
}

impl Redis {
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts the server with more arguments, which override ours.
    pub async fn start_with(args: &[&str]) -> Self {
        Self::start_on(args, Vec::new()).await
    }

    /// Starts the server with more arguments and with environment variables.
    pub async fn start_on(args: &[&str], env: Vec<(&'static str, PathBuf)>) -> Self {
        loop {
            let mut redis = Self::reserve();
            redis.env.clone_from(&env);
            redis.args.extend(args.iter().map(ToString::to_string));
            match redis.launch().await {
                Ok(()) => return redis,
                Err(output) => assert!(output.contains(PORT_TAKEN), "Redis failed:\n{output}"),
            }
        }
    }

    /// Reserves a port and a data folder, for a server that [`Redis::resume`] starts later.
    pub fn reserve() -> Self {
        Self {
            process: None,
            folder: TempDir::with_prefix("redis-").expect("a temporary folder"),
            port: free_port(),
            args: Vec::new(),
            env: Vec::new(),
        }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Sends SIGKILL to the server, and waits until it is gone.
    pub async fn kill(&mut self) {
        self.process = None;
    }

    /// Starts the server again, on the same port and data, and waits until it answers.
    pub async fn resume(&mut self) {
        if let Err(output) = self.launch().await {
            panic!("Redis did not resume:\n{output}");
        }
    }

    pub async fn connection(&self) -> MultiplexedConnection {
        let client = Client::open(self.url()).expect("a valid address");
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(PATIENCE));
        client.get_multiplexed_async_connection_with_config(&config).await.expect("a connection to Redis")
    }

    /// Freezes the server: connections stay open, but nothing is answered.
    pub fn pause(&self) {
        self.process().pause();
    }

    pub fn unpause(&self) {
        self.process().unpause();
    }

    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Everything that the server printed since its last start.
    pub fn output(&self) -> String {
        self.process().output()
    }

    /// Sends SIGTERM, and waits until the server has ended.
    pub async fn terminate(&mut self) {
        let mut process = self.process.take().expect("Redis is running");
        process.terminate();
        process.exit().await;
    }

    /// Deletes all data. The server must not be running.
    pub fn wipe(&mut self) {
        assert!(self.process.is_none(), "Redis is running");
        self.folder = TempDir::with_prefix("redis-").expect("a temporary folder");
    }

    fn process(&self) -> &Service {
        self.process.as_ref().expect("Redis is running")
    }

    async fn launch(&mut self) -> Result<(), String> {
        assert!(self.process.is_none(), "Redis is running already");
        let mut command = Command::new("redis-server");
        command
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string()])
            .arg("--dir")
            .arg(self.folder.path())
            .args(DURABLE.split(' '))
            .args(["--save", ""])
            .args(&self.args)
            .envs(self.env.iter().cloned());
        self.process = Some(Service::launch(command, READY).await?);
        Ok(())
    }
}
