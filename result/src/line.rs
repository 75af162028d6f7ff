//! The votes that wait in the queue, which may be away while the ledger is well.

use std::time::Duration;

use common::outage::{Outage, Unavailable};
use common::queue::Queue;
use tokio::time::{Instant, timeout};

/// The totals wait no longer than this for the number of votes that wait.
const COUNTED_WITHIN: Duration = Duration::from_millis(500);

/// The votes that wait.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    queue: &'a Queue,
    outage: Outage,
    ask_at: Instant,
}

impl<'a> Line<'a> {
    pub(crate) fn in_front_of(queue: &'a Queue) -> Self {
        Self { queue, outage: Outage::of("the queue"), ask_at: Instant::now() }
    }

    /// How many they are, unless the queue is away.
    pub(crate) async fn length(&mut self) -> Option<u64> {
        if Instant::now() < self.ask_at {
            return None;
        }
        // Only the waiting is cut short: the question itself must end, for that
        // is how the queue learns that its connection is broken.
        let queue = self.queue.clone();
        let asked = tokio::spawn(async move { queue.depth().await });
        let late = || Err(Unavailable(format!("no answer within {COUNTED_WITHIN:?}")));
        let answer = timeout(COUNTED_WITHIN, asked).await.ok().and_then(Result::ok);
        match answer.unwrap_or_else(late) {
            Ok(depth) => {
                self.outage.over();
                Some(depth.uncounted())
            }
            Err(error) => {
                self.ask_at = Instant::now() + self.outage.failed(&error);
                None
            }
        }
    }
}
