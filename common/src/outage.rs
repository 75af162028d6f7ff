//! What happens while a store is away: one line when it goes, one when it
//! is back, and growing, jittered pauses between the tries.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// The first pause is short, because most outages are a restart.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause is what a student waits, at most, after a store is back.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// A store could not do what was asked, for a reason that may pass.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(pub String);

impl From<sqlx::Error> for Unavailable {
    fn from(error: sqlx::Error) -> Self {
        Self(match error {
            sqlx::Error::PoolTimedOut => "no connection in time".to_owned(),
            other => other.to_string(),
        })
    }
}

/// Follows one thing that can be away.
#[derive(Debug)]
pub struct Outage {
    what: &'static str,
    began: Option<Instant>,
    pauses: ExponentialBackoff,
}

impl Outage {
    /// Follows `what`, which is taken to be well.
    pub fn of(what: &'static str) -> Self {
        Self { what, began: None, pauses: pauses() }
    }

    /// It failed: says so if it had been well, and returns the pause before the next try.
    pub fn failed(&mut self, error: &Unavailable) -> Duration {
        if self.began.is_none() {
            self.began = Some(Instant::now());
            tracing::warn!("{} is away, trying until it is back: {error}", self.what);
        }
        self.pauses.next().unwrap_or(LONGEST_PAUSE)
    }

    /// It answered: says so if it had been away.
    pub fn over(&mut self) {
        if let Some(began) = self.began.take() {
            let away = began.elapsed();
            tracing::info!("{} is back after {:.1} s", self.what, away.as_secs_f64());
            self.pauses = pauses();
        }
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
