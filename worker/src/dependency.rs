//! A store as the worker sees it: away now and then, and always back.

use common::health::{Health, Part};
use common::outage::{Outage, Unavailable};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::figures::FIGURES;

/// What the worker cannot work without.
#[derive(Debug)]
pub(crate) struct Dependency<'a> {
    part: Part,
    outage: Outage,
    health: &'a Health,
    shutdown: &'a CancellationToken,
}

impl<'a> Dependency<'a> {
    pub(crate) fn new(
        part: Part,
        name: &'static str,
        health: &'a Health,
        shutdown: &'a CancellationToken,
    ) -> Self {
        Self { part, outage: Outage::of(name), health, shutdown }
    }

    /// It did what was asked.
    pub(crate) fn answered(&mut self) {
        self.outage.over();
        self.health.ready(self.part, Vec::new());
    }

    /// It could not: waits before the next try; `None` on shutdown.
    pub(crate) async fn pause(&mut self, error: &Unavailable) -> Option<()> {
        self.health.unready(self.part, error.to_string());
        FIGURES.retries(self.part).increment(1);
        self.shutdown.run_until_cancelled(sleep(self.outage.failed(error))).await
    }
}
