//! The fault that a program has now, and how its pages and its worker suffer from it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use tokio::sync::watch;
use tokio::time::timeout;

use super::order::{Common, Fault};

crate::metrics! {
    /// 1 while this replica has this fault on purpose, otherwise 0.
    cpu: Gauge = "urna_fault" {fault = "cpu"},
    errors: Gauge = "urna_fault" {fault = "errors"},
    memory: Gauge = "urna_fault" {fault = "memory"},
    slow: Gauge = "urna_fault" {fault = "slow"},
    unready: Gauge = "urna_fault" {fault = "unready"},
}

/// The fault that this program has on purpose. All clones stand for the same one.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    now: Arc<watch::Sender<Option<Fault>>>,
    tries: Arc<AtomicU64>,
}

/// Lets a page suffer: its answers are slow, or `failed`, as ordered. Only requests that change
/// nothing are answered so. Whoever handles others knows what a failure means, and asks [`Faults`].
pub fn befall(page: Router, faults: Faults, failed: fn() -> Response) -> Router {
    page.layer(from_fn_with_state((faults, failed), suffer))
}

impl Faults {
    /// The fault, as on the command line.
    pub fn name(&self) -> Option<String> {
        self.now().map(|fault| fault.to_string())
    }

    /// Waits until another fault begins, or this one ends. Returns the name of what is then.
    pub async fn change(&self, from: Option<&str>) -> Option<String> {
        let mut changes = self.now.subscribe();
        // The sender is ours, so it is never gone.
        let _ = changes.wait_for(|now| now.map(|fault| fault.to_string()).as_deref() != from).await;
        self.name()
    }

    /// Holds back an answer or a batch for the time that was ordered, or until the fault ends.
    pub async fn hold(&self) {
        let held = self.now();
        if let Some(Fault::Common(Common::Slow { by })) = held {
            let mut changes = self.now.subscribe();
            let _ = timeout(by, changes.wait_for(|now| *now != held)).await;
        }
    }

    /// Whether this request, or this try to record a batch, must fail.
    pub fn fails(&self) -> bool {
        let Some(Fault::Common(Common::Errors { share })) = self.now() else { return false };
        share.hits(self.tries.fetch_add(1, Ordering::Relaxed))
    }

    /// Whether load balancers must be told to send nothing.
    pub(crate) fn is_unready(&self) -> bool {
        self.now() == Some(Fault::Unready)
    }

    /// Begins a fault, or ends the last one.
    pub(super) fn set(&self, fault: Option<Fault>) {
        let former = self.now.send_replace(fault);
        METRICS.show(fault);
        match (former, fault) {
            (_, Some(fault)) => tracing::warn!("a fault on purpose begins: {fault}"),
            (Some(former), None) => tracing::warn!("the fault on purpose has ended: {former}"),
            (None, None) => {}
        }
    }

    fn now(&self) -> Option<Fault> {
        *self.now.borrow()
    }
}

async fn suffer(
    State((faults, failed)): State<(Faults, fn() -> Response)>,
    request: Request,
    next: Next,
) -> Response {
    if !request.method().is_safe() {
        return next.run(request).await;
    }
    let answer = if faults.fails() { failed() } else { next.run(request).await };
    faults.hold().await;
    answer
}

impl Metrics {
    fn show(&self, fault: Option<Fault>) {
        let is = |wanted: fn(&Fault) -> bool| u8::from(fault.as_ref().is_some_and(wanted));
        self.cpu.set(is(|fault| *fault == Fault::Cpu));
        self.errors.set(is(|fault| matches!(fault, Fault::Common(Common::Errors { .. }))));
        self.memory.set(is(|fault| *fault == Fault::Memory));
        self.slow.set(is(|fault| matches!(fault, Fault::Common(Common::Slow { .. }))));
        self.unready.set(is(|fault| *fault == Fault::Unready));
    }
}
