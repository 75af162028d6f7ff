//! The open connections of a service. Their number is bounded, so that no crowd
//! of clients can take all of its memory. At the bound, a newcomer gets the place
//! of a connection that keeps the service waiting.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// A connection is spared for this long, so that a client has time to send its request, however many others come
/// meanwhile and however busy the machine is. It also bounds how many come and go in a second.
const SPARED_FOR: Duration = Duration::from_secs(3);

/// How long a newcomer waits for a place before one more connection is closed.
/// While every other client is being answered or spared, none can be closed.
const SHED_AGAIN_AFTER: Duration = Duration::from_millis(100);

crate::metrics! {
    /// Connections that kept the service waiting, and were closed to make room for others.
    shed: Counter = "urna_connections_shed_total",
}

/// The open connections.
#[derive(Debug)]
pub(super) struct Connections {
    free: Arc<Semaphore>,
    /// The connections from which no whole request has arrived since they were
    /// opened or last answered. The one that has waited longest is closed first.
    waiting: Mutex<BTreeMap<Rank, Waiting>>,
    next: AtomicU64,
    spared_for: Duration,
}

/// Since when a connection has waited, and how it learns that it must close.
type Waiting = (Instant, Arc<Notify>);

/// A connection's turn to be closed. Whether it was ever answered does not count: slow
/// clients may have been, too, and then every newcomer would be closed before them.
type Rank = u64;

impl Connections {
    pub(super) fn at_most(max: usize) -> Arc<Self> {
        Self::sparing(SPARED_FOR, max)
    }

    fn sparing(spared_for: Duration, max: usize) -> Arc<Self> {
        LazyLock::force(&METRICS);
        Arc::new(Self {
            free: Arc::new(Semaphore::new(max)),
            waiting: Mutex::default(),
            next: AtomicU64::new(0),
            spared_for,
        })
    }

    /// A place for a newcomer, if necessary that of another connection.
    pub(super) async fn place(self: &Arc<Self>) -> Arc<Place> {
        loop {
            if let Some(place) = self.free_place() {
                return place;
            }
            self.shed_one();
            if let Ok(Ok(permit)) = timeout(SHED_AGAIN_AFTER, self.free.clone().acquire_owned()).await {
                return self.take(permit);
            }
        }
    }

    /// A place that nobody has.
    pub(super) fn free_place(self: &Arc<Self>) -> Option<Arc<Place>> {
        Some(self.take(self.free.clone().try_acquire_owned().ok()?))
    }

    fn take(self: &Arc<Self>, permit: OwnedSemaphorePermit) -> Arc<Place> {
        let place = Place {
            connections: self.clone(),
            shed: Arc::default(),
            rank: Mutex::default(),
            _permit: permit,
        };
        place.wait();
        Arc::new(place)
    }

    fn shed_one(&self) {
        let mut waiting = lock(&self.waiting);
        let longest = waiting.first_entry().filter(|entry| entry.get().0.elapsed() >= self.spared_for);
        if let Some(entry) = longest {
            METRICS.shed.increment(1);
            entry.remove().1.notify_one();
        }
    }
}

/// The place of one connection. It is free again once nobody holds it: neither the
/// HTTP connection nor the WebSocket that it became.
#[derive(Debug)]
pub(super) struct Place {
    connections: Arc<Connections>,
    shed: Arc<Notify>,
    /// The rank among the waiting connections, if it is one of them.
    rank: Mutex<Option<Rank>>,
    _permit: OwnedSemaphorePermit,
}

impl Place {
    /// Waits until the connection must be closed, because a newcomer needs its place.
    pub(super) async fn shed(&self) {
        loop {
            self.shed.notified().await;
            // A request may have arrived meanwhile. Then another connection will be closed.
            if lock(&self.rank).is_some() {
                return;
            }
        }
    }

    /// A whole request has arrived, so the connection is not closed before the answer.
    pub(super) fn asked(&self) {
        if let Some(rank) = lock(&self.rank).take() {
            lock(&self.connections.waiting).remove(&rank);
        }
    }

    /// The request was answered, and the connection waits for the next one.
    pub(super) fn answered(&self) {
        self.asked();
        self.wait();
    }

    fn wait(&self) {
        let rank = self.connections.next.fetch_add(1, Ordering::Relaxed);
        *lock(&self.rank) = Some(rank);
        lock(&self.connections.waiting).insert(rank, (Instant::now(), self.shed.clone()));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.asked();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_newcomer_takes_the_place_of_the_connection_that_has_waited_longest() {
        let connections = Connections::sparing(Duration::ZERO, 3);
        let viewer = connections.place().await;
        viewer.asked();
        let answered = connections.place().await;
        let silent = connections.place().await;
        answered.asked();
        answered.answered();
        let newcomer = tokio::spawn({
            let connections = connections.clone();
            async move { connections.place().await }
        });
        silent.shed().await;
        assert!(answered.shed().now_or_never().is_none());
        drop(silent);
        let newcomer = newcomer.await.unwrap();
        // The newcomer has waited for a shorter time than the one that was answered.
        let another = tokio::spawn(async move { connections.place().await });
        answered.shed().await;
        assert!(newcomer.shed().now_or_never().is_none());
        drop(answered);
        another.await.unwrap();
    }

    #[tokio::test]
    async fn a_newcomer_waits_while_all_others_are_spared() {
        let connections = Connections::sparing(Duration::from_secs(3600), 1);
        let spared = connections.place().await;
        let newcomer = timeout(2 * SHED_AGAIN_AFTER, connections.place()).await;
        assert!(newcomer.is_err() && spared.shed().now_or_never().is_none());
    }
}
