//! A connection to Redis that is made anew after it broke.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError, ScriptInvocation,
};

use crate::outage::Unavailable;
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
    live: Arc<Mutex<Option<Live>>>,
}

/// A connection that was made, told apart from the one made after it.
pub(super) type Live = Arc<MultiplexedConnection>;

impl Link {
    pub(super) fn new(settings: &RedisSettings, answer_within: Duration) -> anyhow::Result<Self> {
        Ok(Self { client: Arc::new(settings.client()?), answer_within, live: Arc::default() })
    }

    /// Another connection to the same Redis.
    pub(super) fn sibling(&self, answer_within: Duration) -> Self {
        Self { client: self.client.clone(), answer_within, live: Arc::default() }
    }

    /// The connection, if there is one.
    pub(super) fn current(&self) -> Option<Live> {
        self.slot().clone()
    }

    /// Runs a command, connecting first if need be.
    pub(super) async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        let live = self.connection().await?;
        let answer = command.query_async(&mut MultiplexedConnection::clone(&live)).await;
        answer.inspect_err(|error| self.noticed(&live, error))
    }

    /// Runs several commands in one round trip, connecting first if need be.
    pub(super) async fn run_all<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, RedisError> {
        let live = self.connection().await?;
        let answer = commands.query_async(&mut MultiplexedConnection::clone(&live)).await;
        answer.inspect_err(|error| self.noticed(&live, error))
    }

    /// Calls a script, connecting first if need be.
    pub(super) async fn call<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, RedisError> {
        self.call_on(self.connection().await?, script).await
    }

    /// Calls a script on the connection there is.
    pub(super) async fn call_on<T: FromRedisValue>(
        &self,
        live: Live,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, RedisError> {
        let answer = script.invoke_async(&mut MultiplexedConnection::clone(&live)).await;
        answer.inspect_err(|error| self.noticed(&live, error))
    }

    /// What an error means to whoever waits, with the address that may be wrong.
    pub(super) fn away(&self, error: &RedisError) -> Unavailable {
        Unavailable(format!("Redis at {} (REDIS_URL): {error}", self.client.get_connection_info().addr()))
    }

    /// Drops the connection, so that the next use makes a new one.
    pub(super) fn forget(&self) {
        *self.slot() = None;
    }

    /// Drops a connection after an error that says it is of no more use, unless
    /// it was replaced meanwhile: many callers may notice the same end.
    fn noticed(&self, live: &Live, error: &RedisError) {
        let mut slot = self.slot();
        if !is_answer(error) && slot.as_ref().is_some_and(|current| Arc::ptr_eq(current, live)) {
            *slot = None;
        }
    }

    async fn connection(&self) -> Result<Live, RedisError> {
        match self.current() {
            Some(live) => Ok(live),
            None => self.connect().await,
        }
    }

    async fn connect(&self) -> Result<Live, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_WITHIN))
            .set_response_timeout(Some(self.answer_within));
        let live = Arc::new(self.client.get_multiplexed_async_connection_with_config(&config).await?);
        *self.slot() = Some(live.clone());
        Ok(live)
    }

    fn slot(&self) -> MutexGuard<'_, Option<Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether Redis itself said no, so that nothing was done, and the connection is fine.
pub(super) fn is_answer(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension)
}
