//! Waits while a store is away.

use service::{Health, Store};
use store::{Outage, Unavailable};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::metrics::METRICS;

/// Waits for one store, until the worker is told to stop.
#[derive(Debug)]
pub(crate) struct Patience<'a> {
    store: Store,
    outage: Outage,
    shutdown: &'a CancellationToken,
}

impl<'a> Patience<'a> {
    pub(crate) fn with(store: Store, health: &Health, shutdown: &'a CancellationToken) -> Self {
        Self { store, outage: Outage::of(store, health), shutdown }
    }

    /// The store did what was asked.
    pub(crate) fn answered(&mut self) {
        self.outage.answered(Ok(Vec::new()));
    }

    /// The store did not do what was asked. Waits before the next try, and returns `None` on shutdown.
    pub(crate) async fn pause(&mut self, error: &Unavailable) -> Option<()> {
        METRICS.retries[self.store as usize].increment(1);
        self.shutdown.run_until_cancelled(sleep(self.outage.failed(error))).await
    }
}
