//! Setbacks: a store that was emptied, or is older than it was.
//!
//! Each store vouches for the other, because what a service remembers ends
//! with the service. The ledger keeps a number: how many votes it had counted
//! when it was last marked. The queue keeps a [`Mark`], the last move of that
//! number: noted before the ledger makes it and closed after, so that whoever
//! dies in between, a sound ledger is where the mark says, and no backlog that
//! is counted meanwhile can hide a setback.
//!
//! Two limits: an older queue is noticed only if something was counted after it
//! was copied, and a worker that dies just after it listed a setback logs none.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::health::Part;

/// A store that was emptied, or is older than it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setback {
    /// When it was noticed, in milliseconds since 1970, on the queue's clock.
    pub at_ms: i64,
    /// Which store.
    pub store: Part,
    /// What became of it.
    pub loss: Loss,
    /// What is exposed, as far as it was seen within the last seconds. Of the
    /// queue: the votes that waited. Of the ledger: the counted ones it lacks.
    pub exposed: Option<u64>,
}

/// What became of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Loss {
    /// It was emptied, or is another one.
    Emptied,
    /// It is the same, as it was some time ago.
    Older,
}

/// What the queue knows of the ledger: the last move of its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The ledger's epoch.
    pub ledger: Uuid,
    /// The number before, none if no queue had fed that ledger; once the move
    /// is made, the number after.
    pub from: Option<i64>,
    /// The number after.
    pub to: i64,
}

/// What the queue says: its mark, and what waits.
#[derive(Clone, Debug)]
pub struct QueueWord {
    /// The mark as it is written, to replace this one and no other.
    pub text: String,
    /// What it says; none in a queue that has fed no ledger.
    pub mark: Option<Mark>,
    /// How many votes wait.
    pub waiting: u64,
    /// The queue's clock, in milliseconds since 1970.
    pub now_ms: i64,
}

/// What the ledger says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerWord {
    /// Names this ledger: a wiped one gets another.
    pub epoch: Uuid,
    /// Its number; none if no queue has fed it.
    pub marked: Option<i64>,
    /// How many votes it has counted, changes of mind included.
    pub counted: i64,
}

impl Mark {
    /// The move that brings the ledger's number up to date.
    pub fn of(ledger: &LedgerWord) -> Self {
        Self { ledger: ledger.epoch, from: ledger.marked, to: ledger.counted }
    }

    /// Whether nobody knows yet that the ledger made this move.
    pub fn is_open(&self) -> bool {
        self.from != Some(self.to)
    }

    /// The same, once the ledger made this move.
    pub fn closed(self) -> Self {
        Self { from: Some(self.to), ..self }
    }
}

impl QueueWord {
    /// What is wrong if the ledger says this, a moment later. `waited` is how
    /// many votes were seen to wait before.
    pub fn setback(&self, ledger: &LedgerWord, waited: Option<u64>) -> Option<Setback> {
        let setback = |store, loss, exposed| Some(Setback { at_ms: self.now_ms, store, loss, exposed });
        let Some(mark) = &self.mark else {
            return ledger.marked.and_then(|_| setback(Part::Queue, Loss::Emptied, waited));
        };
        let is_in_place = [mark.from, Some(mark.to)].contains(&ledger.marked);
        let missing = |counted: i64| u64::try_from(mark.to - counted).ok();
        if mark.ledger != ledger.epoch {
            setback(Part::Ledger, Loss::Emptied, missing(0))
        } else if ledger.marked > Some(mark.to) {
            setback(Part::Queue, Loss::Older, waited)
        } else if !is_in_place {
            // Not what it has counted, for that may be what waited meanwhile.
            setback(Part::Ledger, Loss::Older, ledger.marked.and_then(missing))
        } else if ledger.counted < mark.to {
            setback(Part::Ledger, Loss::Older, missing(ledger.counted))
        } else {
            None
        }
    }
}

impl Display for Setback {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let store = self.store;
        match self.loss {
            Loss::Emptied => write!(f, "the {store} was emptied, or is another one: ")?,
            Loss::Older => write!(f, "the {store} is older than it was: ")?,
        }
        match (store, self.exposed) {
            (Part::Queue, Some(votes)) => {
                write!(f, "votes that were recorded and not counted are lost; {votes} waited when last seen")
            }
            (Part::Queue, None) => {
                f.write_str("votes that were recorded and not counted are lost; how many, nobody saw")
            }
            (Part::Ledger, Some(votes)) => write!(f, "votes that were counted are missing, some {votes}"),
            (Part::Ledger, None) => f.write_str("votes that were counted are missing"),
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
        let queue = QueueWord { text: String::new(), mark, waiting: 0, now_ms: 0 };
        queue.setback(&LedgerWord { epoch, marked, counted }, Some(3)).map(|setback| setback.to_string())
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
