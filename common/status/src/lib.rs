//! Where votes are held up. This crate makes the one diagnosis of every hop of a
//! vote, notices stores that were wiped or set back, and remembers what happened.
//!
//! Nothing here has texts for people: `result` reads the stores, and words the
//! diagnosis in four languages.

mod diagnosis;
mod history;
mod problem;
mod reading;
mod replica_state;
pub mod report;
mod setback;

pub use self::diagnosis::{Diagnosis, Finding};
pub use self::history::{Event, Happening, History, Sight, Who};
pub use self::problem::{Hop, HopState, Problem};
pub use self::reading::{HistoryReading, LedgerReading, QueueReading, Reading};
pub use self::replica_state::ReplicaState;
pub use self::setback::{Loss, Move, QueueSide, Setback, SetbackLog, SetbackWatch};
