//! What happens while a store is away: one line when it goes, one for each
//! further reason, one when it is back, and growing, jittered pauses between the tries.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// The first pause is short, because most outages are a restart.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause is what a student waits, at most, after a store is back.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// A store that restarts is away for two or three reasons, one after the other;
/// past this many, they are all alike and only their numbers differ.
const REASONS_MAX: usize = 5;

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
    /// The reasons that were logged.
    told: Vec<Unavailable>,
    pauses: ExponentialBackoff,
}

impl Outage {
    /// Follows `what`, which is taken to be well.
    pub fn of(what: &'static str) -> Self {
        Self { what, began: None, told: Vec::new(), pauses: pauses() }
    }

    /// It failed: says so if the reason is new, and returns the pause before the next try.
    pub fn failed(&mut self, error: &Unavailable) -> Duration {
        if self.began.is_none() {
            self.began = Some(Instant::now());
            tracing::warn!("{} is away, trying until it is back: {error}", self.what);
            self.told.push(error.clone());
        } else if self.told.len() < REASONS_MAX && !self.told.contains(error) {
            // A wrong password, say, after the start of a store that was awaited.
            tracing::warn!("{} is still away: {error}", self.what);
            self.told.push(error.clone());
        }
        self.pauses.next().unwrap_or(LONGEST_PAUSE)
    }

    /// It answered: says so if it had been away.
    pub fn over(&mut self) {
        if let Some(began) = self.began.take() {
            let away = began.elapsed();
            tracing::info!("{} is back after {:.1} s", self.what, away.as_secs_f64());
            self.pauses = pauses();
            self.told.clear();
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
