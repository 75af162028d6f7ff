//! What happens while a store is away. The log gets one line when the outage
//! begins, one for each further reason, and one when the store is back. The
//! service's health shows the reason. The pauses between two tries grow, with
//! jitter.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use service::health::{Health, Readiness, Store};

/// The first pause is short, because most outages are a restart.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// After a store is back, people wait at most this long for the next try.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// How many reasons of one outage are logged. A restart of a store gives two or
/// three. After this many, further ones differ only in their numbers.
const REASONS_MAX: usize = 5;

/// A store could not do what was asked, but may be able to later.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(pub String);

/// Why nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The store cannot write now. The same data can be written later.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The store took too long, and the write was given up. A smaller one may succeed.
    #[error(transparent)]
    TooSlow(Unavailable),
    /// The store works, but will never accept some of this data.
    #[error("rejected: {0}")]
    Rejected(String),
}

/// A read has no data that could be rejected, so every failed read may succeed later.
impl From<WriteError> for Unavailable {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Unavailable(error) | WriteError::TooSlow(error) => error,
            WriteError::Rejected(reason) => Self(reason),
        }
    }
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
impl From<sqlx::Error> for Unavailable {
    fn from(error: sqlx::Error) -> Self {
        Self(match error {
            sqlx::Error::PoolTimedOut => "no connection in time".to_owned(),
            other => other.to_string(),
        })
    }
}

/// Follows one store through its outages.
#[derive(Debug)]
pub struct Outage {
    store: Store,
    health: Health,
    began: Option<Instant>,
    logged: Vec<Unavailable>,
    pauses: ExponentialBackoff,
}

impl Outage {
    /// Follows a store, which counts as well until it fails, and reports to this health.
    pub fn of(store: Store, health: &Health) -> Self {
        Self { store, health: health.clone(), began: None, logged: Vec::new(), pauses: pauses() }
    }

    /// The store answered. Its answer may still show that it cannot be used.
    pub fn answered(&mut self, readiness: Readiness) {
        self.health.report(self.store, readiness);
        if let Some(began) = self.began.take() {
            let away = began.elapsed();
            tracing::info!("the {} is back after {:.1} s", self.store, away.as_secs_f64());
            self.pauses = pauses();
            self.logged.clear();
        }
    }

    /// The store did not do what was asked. Returns the pause before the next try.
    pub fn failed(&mut self, error: &Unavailable) -> Duration {
        self.health.report(self.store, Err(error.to_string()));
        self.pause(error)
    }

    /// The store did not do what was asked, but the service can go on with what
    /// it knows: `how` says how. Returns the pause before the next try.
    pub fn bridged(&mut self, error: &Unavailable, how: &str) -> Duration {
        self.health.report(self.store, Ok(vec![format!("away, and {how}: {error}")]));
        self.pause(error)
    }

    fn pause(&mut self, error: &Unavailable) -> Duration {
        if self.began.is_none() {
            self.began = Some(Instant::now());
            tracing::warn!("the {} is away, trying until it is back: {error}", self.store);
            self.logged.push(error.clone());
        } else if self.logged.len() < REASONS_MAX && !self.logged.contains(error) {
            // For example, the store has started meanwhile, and refuses the password.
            tracing::warn!("the {} is still away: {error}", self.store);
            self.logged.push(error.clone());
        }
        self.pauses.next().unwrap_or(LONGEST_PAUSE)
    }
}

fn pauses() -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(FIRST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .with_jitter()
        .without_max_times()
        .build()
}
