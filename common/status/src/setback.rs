//! Setbacks: a store was wiped, or restored from an older copy.
//!
//! Each store keeps what shows a setback of the other. A service could not keep
//! it: a service forgets everything when it ends, and most often a store is wiped
//! or restored while no service runs.
//!
//! The ledger keeps a number: how many votes it had counted when that number last
//! moved. The queue keeps the last [`Move`] of it. A worker notes a move in the
//! queue, then makes it in the ledger, then closes it in the queue. Wherever the
//! worker dies in between, the number of a sound ledger is at one end of the move.
//! Votes that are counted meanwhile cannot hide a setback.
//!
//! There are two limits. An older queue is noticed only if votes were counted after
//! it was copied. And a worker that dies just after it listed a setback does not
//! log it.

mod log;
mod watch;

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};
use service::Store;
use uuid::Uuid;

pub use self::log::{QueueSide, SetbackLog};
pub use self::watch::SetbackWatch;

/// A store that was wiped, or restored from an older copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setback {
    /// When it was noticed, in milliseconds since 1970, on the queue's clock.
    pub at_ms: i64,
    /// The store that was wiped or set back.
    pub store: Store,
    /// How the store lost what it held.
    pub loss: Loss,
    /// How many votes may be lost, if that is known. For the queue, it is the number
    /// that waited when last seen. For the ledger, it is the number of counted votes
    /// that are missing.
    pub exposed: Option<u64>,
}

/// How a store lost what it held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Loss {
    /// The store was wiped, or it is another store.
    #[serde(alias = "emptied")] // An earlier release wrote this.
    Wiped,
    /// The store is an older copy of itself.
    Older,
}

/// A move of the ledger's number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The ledger's epoch.
    pub ledger: Uuid,
    /// The number before the move, if there was one. Once the move is closed, it is
    /// the number after the move.
    pub from: Option<i64>,
    /// The number after the move.
    pub to: i64,
    /// The epoch that the ledger gets with the move, because it was restored from an
    /// older copy. Viewers ignore a lower version of the same epoch, so that a late
    /// update never replaces a newer one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewed: Option<Uuid>,
}

impl Move {
    /// Whether the ledger may not have made this move yet.
    pub fn is_open(&self) -> bool {
        self.renewed.is_some() || self.from != Some(self.to)
    }

    /// The move after the ledger made it.
    fn closed(&self) -> Self {
        let ledger = self.renewed.unwrap_or(self.ledger);
        Self { ledger, from: Some(self.to), to: self.to, renewed: None }
    }
}

/// The setback that shows in what the queue says, and in the move that is due in the
/// ledger a moment later: from its number to what it has counted. `waited` is how many
/// votes waited in the queue before, if that is known.
fn setback(queue: &QueueSide, due: &Move, waited: Option<u64>) -> Option<Setback> {
    let setback = |store, loss, exposed| Some(Setback { at_ms: queue.now_ms, store, loss, exposed });
    let Some(noted) = &queue.noted else {
        return due.from.and_then(|_| setback(Store::Queue, Loss::Wiped, waited));
    };
    let missing = |counted: i64| u64::try_from(noted.to - counted).ok();
    if noted.ledger != due.ledger && noted.renewed != Some(due.ledger) {
        setback(Store::Ledger, Loss::Wiped, missing(0))
    } else if due.from > Some(noted.to) {
        setback(Store::Queue, Loss::Older, waited)
    } else if ![noted.from, Some(noted.to)].contains(&due.from) {
        // The ledger's number tells what is missing. Its count does not, because it may include
        // votes that were counted after the setback.
        setback(Store::Ledger, Loss::Older, due.from.and_then(missing))
    } else if due.to < noted.to {
        setback(Store::Ledger, Loss::Older, missing(due.to))
    } else {
        None
    }
}

impl Display for Setback {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let what = match self.loss {
            Loss::Wiped => "was wiped, or is another one",
            Loss::Older => "is older than it was",
        };
        write!(f, "the {} {what}: ", self.store)?;
        let lost = "votes that were recorded and not counted are lost";
        match (self.store, self.exposed) {
            (Store::Queue, Some(votes)) => write!(f, "{lost}; {votes} waited when last seen"),
            (Store::Queue, None) => write!(f, "{lost}; how many, nobody saw"),
            (Store::Ledger, Some(votes)) => write!(f, "votes that were counted are missing, some {votes}"),
            (Store::Ledger, None) => f.write_str("votes that were counted are missing"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What two stores say together: the ledger's number and count, and the move that the queue noted.
    fn said(number: Option<i64>, counted: i64, noted: Option<(Option<i64>, i64)>) -> Option<String> {
        let ledger = Uuid::nil();
        let noted = noted.map(|(from, to)| Move { ledger, from, to, renewed: None });
        let queue = QueueSide { noted, waiting: 0, now_ms: 0 };
        let due = Move { ledger, from: number, to: counted, renewed: None };
        setback(&queue, &due, Some(3)).map(|setback| setback.to_string())
    }

    #[test]
    fn stores_that_are_well_agree() {
        assert_eq!(said(None, 0, None), None, "two fresh ones");
        assert_eq!(said(None, 7, None), None, "a ledger that has no number yet");
        assert_eq!(said(None, 7, Some((None, 7))), None, "noted, and not made yet");
        assert_eq!(said(Some(7), 7, Some((None, 7))), None, "made, and not closed yet");
        assert_eq!(said(Some(7), 7, Some((Some(7), 7))), None);
        assert_eq!(said(Some(7), 1_000, Some((Some(7), 7))), None, "a ledger that counts on");
    }

    #[test]
    fn while_a_ledger_gets_another_epoch_it_may_have_either() {
        let [former, renewed, other] = [1, 2, 3].map(Uuid::from_u128);
        let noted = Move { ledger: former, from: Some(7), to: 7, renewed: Some(renewed) };
        assert!(noted.is_open());
        let said = |ledger, noted: &Move| {
            let queue = QueueSide { noted: Some(noted.clone()), waiting: 0, now_ms: 0 };
            let due = Move { ledger, from: Some(7), to: 7, renewed: None };
            setback(&queue, &due, None).map(|setback| (setback.store, setback.loss))
        };
        let wiped = Some((Store::Ledger, Loss::Wiped));
        assert_eq!([former, renewed, other].map(|epoch| said(epoch, &noted)), [None, None, wiped]);
        let closed = noted.closed();
        assert!(!closed.is_open());
        assert_eq!([former, renewed].map(|epoch| said(epoch, &closed)), [wiped, None]);
    }

    #[test]
    fn a_store_that_is_behind_is_named_whatever_was_counted_since() {
        let queue = "votes that were recorded and not counted are lost; 3 waited when last seen";
        let wiped = format!("the queue was wiped, or is another one: {queue}");
        let older = format!("the queue is older than it was: {queue}");
        assert_eq!(said(Some(0), 0, None), Some(wiped));
        assert_eq!(said(Some(20), 20, Some((Some(9), 9))), Some(older));
        let ledger = |votes| {
            let missing = format!("votes that were counted are missing, some {votes}");
            Some(format!("the ledger is older than it was: {missing}"))
        };
        assert_eq!(said(Some(9), 8, Some((Some(9), 9))), ledger(1), "older by less than a move");
        assert_eq!(said(Some(7), 8, Some((Some(7), 9))), ledger(1), "the same, in the middle of a move");
        assert_eq!(said(Some(7), 8, Some((Some(9), 9))), ledger(2));
        assert_eq!(said(Some(7), 1_000, Some((Some(9), 9))), ledger(2), "behind a backlog");
        let numberless = "the ledger is older than it was: votes that were counted are missing".to_owned();
        assert_eq!(said(None, 0, Some((Some(4), 4))), Some(numberless), "from before it had a number");
    }

    #[test]
    fn what_an_earlier_release_left_in_the_queue_is_read_and_replaced() {
        let text = r#"{"at_ms":7,"store":"queue","loss":"emptied","exposed":null}"#;
        let setback = Setback { at_ms: 7, store: Store::Queue, loss: Loss::Wiped, exposed: None };
        assert_eq!(serde_json::from_str::<Setback>(text).unwrap(), setback);
        // Only a move with the very same text is replaced.
        let text = r#"{"ledger":"00000000-0000-0000-0000-000000000000","from":null,"to":5}"#;
        let noted: Move = serde_json::from_str(text).unwrap();
        assert_eq!((noted.is_open(), serde_json::to_string(&noted).unwrap().as_str()), (true, text));
    }
}
