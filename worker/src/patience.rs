//! Waits while a store is away.

use std::time::Duration;

use service::metrics::{Counter, Metric};
use service::{Health, Store};
use store::{Outage, Unavailable};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Waits for one store, until the worker is told to stop.
#[derive(Debug)]
pub(crate) struct Patience<'a> {
    retries: Counter,
    outage: Outage,
    shutdown: &'a CancellationToken,
}

impl<'a> Patience<'a> {
    pub(crate) fn with(store: Store, health: &Health, shutdown: &'a CancellationToken) -> Self {
        let help = "Tries that failed because a store was away.";
        let retries = Counter::registered("urna_worker_retries_total", help, &[("part", store.name())]);
        Self { retries, outage: Outage::of(store, health), shutdown }
    }

    /// The store did what was asked, perhaps with warnings.
    pub(crate) fn answered(&mut self, warnings: Vec<String>) {
        self.outage.answered(Ok(warnings));
    }

    /// The store did not do what was asked. Waits before the next try, and returns `None` on shutdown.
    pub(crate) async fn pause(&mut self, error: &Unavailable) -> Option<()> {
        self.retries.increment(1);
        let pause = self.outage.failed(error);
        self.wait(pause).await
    }

    /// Waits for this time, and returns `None` on shutdown.
    pub(crate) async fn wait(&self, time: Duration) -> Option<()> {
        self.shutdown.run_until_cancelled(sleep(time)).await
    }
}
