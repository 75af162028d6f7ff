//! Setbacks: a store was wiped, or restored from an older copy.
//!
//! Each store keeps what shows a setback of the other. A service could not keep
//! it: a service forgets everything when it ends, and most often a store is wiped
//! or restored while no service runs.
//!
//! The ledger keeps a number: how many votes it had counted when it was last
//! marked. The queue keeps a [`Mark`]: the last move of that number. A worker notes
//! the move in the queue, then makes it in the ledger, then closes it in the queue.
//! Wherever the worker dies in between, the number of a sound ledger is at one end
//! of the move. Votes that are counted meanwhile cannot hide a setback.
//!
//! There are two limits. An older queue is noticed only if votes were counted after
//! it was copied. And a worker that dies just after it listed a setback does not
//! log it.

mod ledger_side;
mod log;
mod watch;

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};
use service::Store;
use uuid::Uuid;

use self::ledger_side::LedgerSide;
pub use self::log::{QueueSide, SetbackLog};
pub use self::watch::SetbackWatch;

/// A store that was wiped, or restored from an older copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setback {
    /// When it was noticed, in milliseconds since 1970, on the queue's clock.
    pub at_ms: i64,
    /// The store that was wiped or set back.
    pub store: Store,
    /// What happened to it.
    #[serde(rename = "loss")]
    pub kind: SetbackKind,
    /// How many votes may be lost, if that is known. For the queue, it is the number
    /// that waited when last seen. For the ledger, it is the number of counted votes
    /// that are missing.
    pub exposed: Option<u64>,
}

/// What happened to a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SetbackKind {
    /// The store was wiped, or it is another store.
    #[serde(rename = "emptied")]
    Wiped,
    /// The store is an older copy of itself.
    Older,
}

/// What the queue knows about the ledger: the last move of the ledger's number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The ledger's epoch.
    pub ledger: Uuid,
    /// The number before the move, if there was one. Once the move is closed, it is
    /// the number after the move.
    pub from: Option<i64>,
    /// The number after the move.
    pub to: i64,
}

impl Mark {
    /// The move that brings the ledger's number up to date.
    fn of(ledger: &LedgerSide) -> Self {
        Self { ledger: ledger.epoch, from: ledger.marked, to: ledger.counted }
    }

    /// Whether the ledger may not have made this move yet.
    pub fn is_open(&self) -> bool {
        self.from != Some(self.to)
    }

    /// The mark after the ledger made this move.
    fn closed(self) -> Self {
        Self { from: Some(self.to), ..self }
    }
}

/// The setback that shows in what the queue says, and what the ledger says a moment
/// later. `waited` is how many votes waited in the queue before, if that is known.
fn setback(queue: &QueueSide, ledger: &LedgerSide, waited: Option<u64>) -> Option<Setback> {
    let setback = |store, kind, exposed| Some(Setback { at_ms: queue.now_ms, store, kind, exposed });
    let Some(mark) = &queue.mark else {
        return ledger.marked.and_then(|_| setback(Store::Queue, SetbackKind::Wiped, waited));
    };
    let is_in_place = [mark.from, Some(mark.to)].contains(&ledger.marked);
    let missing = |counted: i64| u64::try_from(mark.to - counted).ok();
    if mark.ledger != ledger.epoch {
        setback(Store::Ledger, SetbackKind::Wiped, missing(0))
    } else if ledger.marked > Some(mark.to) {
        setback(Store::Queue, SetbackKind::Older, waited)
    } else if !is_in_place {
        // The marked number tells what is missing. The count does not, because it may include
        // votes that were counted after the setback.
        setback(Store::Ledger, SetbackKind::Older, ledger.marked.and_then(missing))
    } else if ledger.counted < mark.to {
        setback(Store::Ledger, SetbackKind::Older, missing(ledger.counted))
    } else {
        None
    }
}

impl Display for Setback {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let store = self.store;
        match self.kind {
            SetbackKind::Wiped => write!(f, "the {store} was emptied, or is another one: ")?,
            SetbackKind::Older => write!(f, "the {store} is older than it was: ")?,
        }
        match (store, self.exposed) {
            (Store::Queue, Some(votes)) => {
                write!(f, "votes that were recorded and not counted are lost; {votes} waited when last seen")
            }
            (Store::Queue, None) => {
                f.write_str("votes that were recorded and not counted are lost; how many, nobody saw")
            }
            (Store::Ledger, Some(votes)) => write!(f, "votes that were counted are missing, some {votes}"),
            (Store::Ledger, None) => f.write_str("votes that were counted are missing"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What two stores say together: the ledger's number and count, and the queue's mark.
    fn said(marked: Option<i64>, counted: i64, mark: Option<(Option<i64>, i64)>) -> Option<String> {
        let epoch = Uuid::nil();
        let mark = mark.map(|(from, to)| Mark { ledger: epoch, from, to });
        let queue = QueueSide { text: String::new(), mark, waiting: 0, now_ms: 0 };
        setback(&queue, &LedgerSide { epoch, marked, counted }, Some(3)).map(|setback| setback.to_string())
    }

    #[test]
    fn stores_that_are_well_agree() {
        assert_eq!(said(None, 0, None), None, "two fresh ones");
        assert_eq!(said(None, 7, None), None, "a ledger from before there were marks");
        assert_eq!(said(None, 7, Some((None, 7))), None, "noted, and not made yet");
        assert_eq!(said(Some(7), 7, Some((None, 7))), None, "made, and not closed yet");
        assert_eq!(said(Some(7), 7, Some((Some(7), 7))), None);
        assert_eq!(said(Some(7), 1_000, Some((Some(7), 7))), None, "a ledger that counts on");
    }

    #[test]
    fn a_store_that_is_behind_is_named_whatever_was_counted_since() {
        let queue = "votes that were recorded and not counted are lost; 3 waited when last seen";
        let emptied = format!("the queue was emptied, or is another one: {queue}");
        let older = format!("the queue is older than it was: {queue}");
        assert_eq!(said(Some(0), 0, None), Some(emptied));
        assert_eq!(said(Some(20), 20, Some((Some(9), 9))), Some(older));
        let ledger = |votes| {
            let missing = format!("votes that were counted are missing, some {votes}");
            Some(format!("the ledger is older than it was: {missing}"))
        };
        assert_eq!(said(Some(9), 8, Some((Some(9), 9))), ledger(1), "older by less than a mark");
        assert_eq!(said(Some(7), 8, Some((Some(7), 9))), ledger(1), "the same, in the middle of a move");
        assert_eq!(said(Some(7), 8, Some((Some(9), 9))), ledger(2));
        assert_eq!(said(Some(7), 1_000, Some((Some(9), 9))), ledger(2), "behind a backlog");
        let unmarked = "the ledger is older than it was: votes that were counted are missing".to_owned();
        assert_eq!(said(None, 0, Some((Some(4), 4))), Some(unmarked), "from before there were marks");
    }
}
