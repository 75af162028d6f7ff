//! The clock that all replicas share.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

/// Shows the time of the queue's clock. Between two answers of the queue, this
/// machine's monotonic clock carries it on. The wall clock is not used: if it is
/// wrong, the votes of this replica must not outrank later ones.
#[derive(Debug)]
pub(crate) struct Clock {
    origin: Instant,
    /// The queue's time at `origin`, in milliseconds since 1970.
    at_origin_ms: OnceLock<AtomicI64>,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { origin: Instant::now(), at_origin_ms: OnceLock::new() }
    }

    /// The time, if the queue has told it yet.
    pub(crate) fn now_ms(&self) -> Option<i64> {
        let at_origin_ms = self.at_origin_ms.get()?.load(Ordering::Relaxed);
        Some(at_origin_ms + self.since_origin_ms())
    }

    /// Sets the clock by an answer that took `took`. The queue's clock now shows at
    /// least `now_ms`, and at most `took` more. If our clock is within that range, it
    /// stays as it is, so a slow answer does not move it needlessly.
    pub(crate) fn set(&self, now_ms: i64, took: Duration) {
        let latest_ms = now_ms + took.as_millis() as i64;
        let known_ms = self.now_ms().unwrap_or(now_ms).clamp(now_ms, latest_ms);
        let at_origin_ms = known_ms - self.since_origin_ms();
        self.at_origin_ms.get_or_init(|| AtomicI64::new(at_origin_ms)).store(at_origin_ms, Ordering::Relaxed);
    }

    fn since_origin_ms(&self) -> i64 {
        self.origin.elapsed().as_millis() as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_no_time_before_the_queue_did() {
        assert_eq!(Clock::new().now_ms(), None);
    }

    #[test]
    fn it_goes_on_from_what_the_queue_said() {
        let clock = Clock::new();
        clock.set(5_000_000, Duration::ZERO);
        assert!((5_000_000..5_060_000).contains(&clock.now_ms().unwrap()));
    }

    #[test]
    fn a_slow_answer_moves_it_only_as_far_as_it_must() {
        const HOUR: i64 = 3_600_000;
        let (clock, slow) = (Clock::new(), Duration::from_millis(HOUR as u64));
        clock.set(10 * HOUR, Duration::ZERO);
        let known = clock.now_ms().unwrap();
        clock.set(known - HOUR / 2, slow);
        assert!(clock.now_ms().unwrap() < known + 60_000, "within the answer, nothing moves");
        clock.set(20 * HOUR, slow);
        assert!(
            (20 * HOUR..20 * HOUR + 60_000).contains(&clock.now_ms().unwrap()),
            "the queue's clock went ahead"
        );
        clock.set(HOUR, slow);
        assert!(
            (2 * HOUR..2 * HOUR + 60_000).contains(&clock.now_ms().unwrap()),
            "the queue's clock went back"
        );
    }
}
