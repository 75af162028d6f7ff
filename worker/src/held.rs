//! The entries that this worker holds: it took them, and has not settled them yet.
//!
//! Other workers claim entries that nobody renewed for 5 s. A slow ledger may need
//! longer for a batch. If others then took over, the ledger would get the same work
//! twice, just when it is slow. So a worker renews what it holds, unless it cannot reach the ledger.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use queue::{Delivery, EntryId, Queue};
use tokio::time::sleep;

/// An entry is renewed at most 2 s after it was taken or last renewed. Another worker
/// claims it only after 5 s, so one late renewal does no harm.
const RENEW_EVERY: Duration = Duration::from_secs(1);

/// The entries that this worker holds, and since when.
#[derive(Debug, Default)]
pub(crate) struct Held {
    entries: Mutex<HashMap<EntryId, Instant>>,
    /// Whether other workers may claim them, because this one cannot count them.
    is_stuck: AtomicBool,
}

impl Held {
    /// Holds the entries of a batch. Returns those that were not held before: after the
    /// whole process was paused, a worker may claim entries that it still works on.
    pub(crate) fn hold(&self, mut batch: Vec<Delivery>) -> Vec<Delivery> {
        let (mut held, now) = (self.entries(), Instant::now());
        batch.retain(|delivery| held.insert(delivery.entry.clone(), now).is_none());
        batch
    }

    /// Releases entries: they were settled or buried, or another worker may claim them.
    pub(crate) fn release<'a>(&self, entries: impl IntoIterator<Item = &'a EntryId>) {
        let mut held = self.entries();
        for entry in entries {
            held.remove(entry);
        }
    }

    /// Keeps other workers from claiming the held entries, or lets them.
    pub(crate) fn keep(&self, keep: bool) {
        self.is_stuck.store(!keep, Ordering::Relaxed);
    }

    /// Renews the held entries for ever, in the name of this consumer, unless others may claim
    /// them. Most entries are settled long before their first renewal.
    pub(crate) async fn renew(&self, queue: &Queue, consumer: &str) -> Infallible {
        loop {
            sleep(RENEW_EVERY).await;
            if self.is_stuck.load(Ordering::Relaxed) {
                continue;
            }
            let old = self.held_for(RENEW_EVERY);
            if let Err(error) = queue.renew(consumer, &old).await {
                tracing::debug!("could not renew {} entries: {error}", old.len());
            }
        }
    }

    fn held_for(&self, time: Duration) -> Vec<EntryId> {
        let held = self.entries();
        held.iter().filter(|(_, since)| since.elapsed() >= time).map(|(entry, _)| entry.clone()).collect()
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<EntryId, Instant>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_held_once_until_it_is_released() {
        let held = Held::default();
        let entry = EntryId("1-0".to_owned());
        let delivery = || vec![Delivery { entry: entry.clone(), ballot: Err("a test".to_owned()) }];
        assert_eq!(held.hold(delivery()).len(), 1);
        assert_eq!(held.hold(delivery()).len(), 0);
        assert_eq!(held.held_for(Duration::ZERO), std::slice::from_ref(&entry));
        held.release([&entry]);
        assert_eq!(held.hold(delivery()).len(), 1);
    }
}
