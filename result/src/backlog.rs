//! Asks the queue how many votes wait. The queue may be away while the ledger works.

use std::time::Duration;

use queue::Queue;
use service::{Health, Store};
use store::{Outage, Unavailable};
use tokio::time::{Instant, timeout};

/// The totals wait at most this long for the backlog.
const COUNTED_WITHIN: Duration = Duration::from_millis(500);

/// The votes that are recorded and not counted yet.
#[derive(Debug)]
pub(crate) struct Backlog<'a> {
    queue: &'a Queue,
    outage: Outage,
    ask_at: Instant,
}

impl<'a> Backlog<'a> {
    pub(crate) fn of(queue: &'a Queue, health: &Health) -> Self {
        Self { queue, outage: Outage::of(Store::Queue, health), ask_at: Instant::now() }
    }

    /// How many votes wait, unless the queue is away.
    pub(crate) async fn count(&mut self) -> Option<u64> {
        if Instant::now() < self.ask_at {
            return None;
        }
        // The timeout ends only the wait. The query itself must run to its end, because only then
        // does the queue notice a broken connection.
        let queue = self.queue.clone();
        let asked = tokio::spawn(async move { queue.depth().await });
        let late = || Err(Unavailable(format!("no answer within {COUNTED_WITHIN:?}")));
        let answer = timeout(COUNTED_WITHIN, asked).await.ok().and_then(Result::ok);
        match answer.unwrap_or_else(late) {
            Ok(depth) => {
                self.outage.answered(Ok(Vec::new()));
                Some(depth.uncounted())
            }
            Err(error) => {
                self.ask_at = Instant::now() + self.outage.failed(&error);
                None
            }
        }
    }
}
