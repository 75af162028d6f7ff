//! The clock that all replicas share.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

/// The queue's clock, carried on by this machine's monotonic one: a replica
/// whose wall clock is wrong must not make its votes outrank later ones.
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

    /// The time, once the queue has told it.
    pub(crate) fn now_ms(&self) -> Option<i64> {
        let at_origin_ms = self.at_origin_ms.get()?.load(Ordering::Relaxed);
        Some(at_origin_ms + self.since_origin_ms())
    }

    /// The queue read its clock at some moment of that round trip, so it now
    /// shows `now_ms` at least and `took` more at most: within that, what is
    /// known stays as it is, and a slow answer moves nothing without need.
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
