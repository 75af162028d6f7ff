//! Redis: its settings, and a connection that is opened again after it broke.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, ErrorKind, FromRedisValue, IntoConnectionInfo,
    Pipeline, RedisError, ScriptInvocation, TlsCertificates,
};
use service::{required, warn_if_demo};

use crate::Unavailable;
use crate::tls::{CA_FILE, ca_file};

/// Long enough for a slow fsync, and short enough that a voter still waits for the answer.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// An attempt to connect is given up after this time.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// The settings of Redis.
#[derive(Args, Clone, Debug, Default)]
pub struct RedisSettings {
    /// Redis, as redis://HOST:6379/ or, with TLS, rediss://HOST:6379/
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    redis_url: Option<String>,
    /// The password of Redis, if it is not in the URL
    #[arg(long, env = "REDIS_PASSWORD", hide_env_values = true)]
    redis_password: Option<String>,
}

impl RedisSettings {
    /// For tests and tools: Redis at this URL.
    pub fn at(url: &str) -> Self {
        Self { redis_url: Some(url.to_owned()), ..Self::default() }
    }

    /// A connection to that Redis. Its first use opens it.
    pub fn connection(&self) -> anyhow::Result<Connection> {
        let client = self.client()?;
        Ok(Connection { client: Arc::new(client), answer_within: ANSWER_WITHIN, current: Arc::default() })
    }

    fn client(&self) -> anyhow::Result<Client> {
        let url = required("REDIS_URL", self.redis_url.as_deref(), "redis://127.0.0.1:6379/")?;
        let mut info = address(url)?;
        if let Some(password) = &self.redis_password {
            warn_if_demo("REDIS_PASSWORD", password);
            let login = info.redis_settings().clone().set_password(password);
            info = info.set_redis_settings(login);
        }
        match ca_file().filter(|_| url.starts_with("rediss:")) {
            Some(path) => {
                let root_cert = std::fs::read(&path)
                    .with_context(|| format!("cannot read {} ({CA_FILE})", path.display()))?;
                let roots = TlsCertificates { client_tls: None, root_cert: Some(root_cert) };
                Client::build_with_tls(info, roots)
            }
            None => Client::open(info),
        }
        .context("REDIS_URL cannot be used")
    }
}

fn address(url: &str) -> anyhow::Result<ConnectionInfo> {
    ensure!(
        ["redis://", "rediss://"].iter().any(|scheme| url.starts_with(scheme)),
        "REDIS_URL must begin with redis:// or, for TLS, rediss://"
    );
    url.into_connection_info().context("REDIS_URL is not of the form redis://HOST:6379/")
}

/// A connection to Redis, shared by its clones. After it broke, the next use
/// opens it again.
///
/// The `redis` crate has a `ConnectionManager`, but that connects at a time of
/// its own choice. Here a voter must not wait for a connection, so
/// [`Connection::current`] never opens one. In `vote`, only the probe of the queue
/// does, so the probe checks every new connection.
#[derive(Clone, Debug)]
pub struct Connection {
    client: Arc<Client>,
    answer_within: Duration,
    current: Arc<Mutex<Option<Opened>>>,
}

/// An open connection. Its pointer distinguishes it from the connection that replaces it.
pub type Opened = Arc<MultiplexedConnection>;

impl Connection {
    /// Another connection to the same Redis.
    pub fn side_connection(&self) -> Self {
        self.with_answers_within(ANSWER_WITHIN)
    }

    /// A connection of its own that waits this long for an answer.
    pub fn with_answers_within(&self, answer_within: Duration) -> Self {
        Self { client: self.client.clone(), answer_within, current: Arc::default() }
    }

    /// The open connection, if there is one.
    pub fn current(&self) -> Option<Opened> {
        self.slot().clone()
    }

    /// Runs a command. Connects first if necessary.
    pub async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        let opened = self.opened().await?;
        let answer = command.query_async(&mut MultiplexedConnection::clone(&opened)).await;
        answer.inspect_err(|error| self.drop_if_broken(&opened, error))
    }

    /// Runs several commands in one round trip. Connects first if necessary.
    pub async fn run_all<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, RedisError> {
        self.run_all_on(self.opened().await?, commands).await
    }

    /// Runs several commands in one round trip on this open connection.
    pub async fn run_all_on<T: FromRedisValue>(
        &self,
        opened: Opened,
        commands: &Pipeline,
    ) -> Result<T, RedisError> {
        let answer = commands.query_async(&mut MultiplexedConnection::clone(&opened)).await;
        answer.inspect_err(|error| self.drop_if_broken(&opened, error))
    }

    /// Calls a script. Connects first if necessary.
    pub async fn call<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, RedisError> {
        self.call_on(self.opened().await?, script).await
    }

    /// Calls a script on this open connection.
    pub async fn call_on<T: FromRedisValue>(
        &self,
        opened: Opened,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, RedisError> {
        let answer = script.invoke_async(&mut MultiplexedConnection::clone(&opened)).await;
        answer.inspect_err(|error| self.drop_if_broken(&opened, error))
    }

    /// The error for the caller. It names the address, which may be wrong.
    pub fn unavailable(&self, error: RedisError) -> Unavailable {
        Unavailable(format!("Redis at {} (REDIS_URL): {error}", self.client.get_connection_info().addr()))
    }

    /// Drops the connection, so that the next use opens a new one.
    pub fn forget(&self) {
        *self.slot() = None;
    }

    /// Drops the connection if it is the one that broke. Many callers may notice
    /// the same broken connection, and one of them may have replaced it already.
    fn drop_if_broken(&self, opened: &Opened, error: &RedisError) {
        let mut slot = self.slot();
        if !is_answer(error) && slot.as_ref().is_some_and(|current| Arc::ptr_eq(current, opened)) {
            *slot = None;
        }
    }

    async fn opened(&self) -> Result<Opened, RedisError> {
        match self.current() {
            Some(opened) => Ok(opened),
            None => self.connect().await,
        }
    }

    async fn connect(&self) -> Result<Opened, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_WITHIN))
            .set_response_timeout(Some(self.answer_within));
        let opened = Arc::new(self.client.get_multiplexed_async_connection_with_config(&config).await?);
        *self.slot() = Some(opened.clone());
        Ok(opened)
    }

    fn slot(&self) -> MutexGuard<'_, Option<Opened>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the error is an answer of Redis, which refused the command. Then
/// nothing was done, and the connection still works.
pub fn is_answer(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension)
}

/// The answer of Redis to `TIME`: seconds since 1970, and microseconds.
pub type Time = (i64, i64);

/// This time in milliseconds since 1970.
pub fn in_ms((seconds, micros): Time) -> i64 {
    seconds * 1000 + micros / 1000
}
