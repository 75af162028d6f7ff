//! A connection to Redis that is made anew after it broke.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError};

use crate::settings::RedisSettings;

/// A connection that takes longer than this is not coming.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// One connection, shared by its clones, and the way to make another.
///
/// The crate's own `ConnectionManager` hides when it connects; a voter must
/// not wait for that, and a probe must see it, so this says so openly.
#[derive(Clone, Debug)]
pub(super) struct Link {
    client: Arc<Client>,
    answer_within: Duration,
    live: Arc<Mutex<Option<MultiplexedConnection>>>,
}

impl Link {
    pub(super) fn new(settings: &RedisSettings, answer_within: Duration) -> anyhow::Result<Self> {
        Ok(Self { client: Arc::new(settings.client()?), answer_within, live: Arc::default() })
    }

    /// Another connection to the same Redis.
    pub(super) fn sibling(&self, answer_within: Duration) -> Self {
        Self { client: self.client.clone(), answer_within, live: Arc::default() }
    }

    /// The connection, if there is one.
    pub(super) fn current(&self) -> Option<MultiplexedConnection> {
        self.slot().clone()
    }

    /// Runs a command, connecting first if need be.
    pub(super) async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        let mut connection = self.connection().await?;
        let answer = command.query_async(&mut connection).await;
        answer.inspect_err(|error| self.noticed(error))
    }

    /// Runs several commands in one round trip, connecting first if need be.
    pub(super) async fn run_all<T: FromRedisValue>(&self, pipe: &Pipeline) -> Result<T, RedisError> {
        let mut connection = self.connection().await?;
        let answer = pipe.query_async(&mut connection).await;
        answer.inspect_err(|error| self.noticed(error))
    }

    /// Drops the connection after an error that says it is of no more use.
    pub(super) fn noticed(&self, error: &RedisError) {
        if !is_answer(error) {
            self.forget();
        }
    }

    /// Drops the connection, so that the next use makes a new one.
    pub(super) fn forget(&self) {
        *self.slot() = None;
    }

    async fn connection(&self) -> Result<MultiplexedConnection, RedisError> {
        match self.current() {
            Some(connection) => Ok(connection),
            None => self.connect().await,
        }
    }

    async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_WITHIN))
            .set_response_timeout(Some(self.answer_within));
        let connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        *self.slot() = Some(connection.clone());
        Ok(connection)
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<MultiplexedConnection>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether Redis itself said no, so that nothing was done, and the connection is fine.
pub(super) fn is_answer(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension)
}
