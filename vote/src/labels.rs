//! Whether votes count for what voters read: the queue keeps the label that each option had when
//! the first vote of the poll was recorded.

use std::sync::atomic::{AtomicBool, Ordering};

use election::{Labels, Poll, Relabelled};
use queue::Queue;

/// This poll's labels, and those that the queue keeps.
#[derive(Debug, Default)]
pub(crate) struct LabelCheck {
    /// Whether the queue lacks a label, so that the next vote must bring them.
    lacks_some: AtomicBool,
    has_changed: AtomicBool,
}

impl LabelCheck {
    /// Whether options have other labels than those for which votes were recorded.
    pub(crate) fn has_changed(&self) -> bool {
        self.has_changed.load(Ordering::Relaxed)
    }

    /// Compares the poll with what the queue keeps, and returns the options that differ. A queue
    /// that was wiped keeps nothing. The ledger still has the votes, so a change stays one.
    pub(crate) fn compare(&self, poll: &Poll, kept: &Labels) -> Vec<Relabelled> {
        let lacks_some = poll.choices().any(|(choice, _)| !kept.contains_key(&choice));
        self.lacks_some.store(lacks_some, Ordering::Relaxed);
        let relabelled = poll.relabelled(kept);
        self.has_changed.fetch_or(!relabelled.is_empty(), Ordering::Relaxed);
        relabelled
    }

    /// Sends the labels to the queue with a vote, if it lacks some. They are not sent before:
    /// until somebody votes, a label may be corrected.
    pub(crate) async fn bring(&self, poll: &Poll, queue: &Queue) {
        if !self.lacks_some.load(Ordering::Relaxed) {
            return;
        }
        match queue.keep_labels(&poll.id, &poll.labels()).await {
            Ok(()) => self.lacks_some.store(false, Ordering::Relaxed),
            Err(error) => tracing::debug!("the labels are not kept: {error}"),
        }
    }
}
