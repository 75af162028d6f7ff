//! Where votes are held up. This crate makes the one diagnosis of every hop of a
//! vote, and notices stores that were wiped or set back.
//!
//! Nothing here has texts for people: `result` reads the stores, and words the
//! diagnosis in four languages.

mod diagnosis;
mod problem;
mod reading;
pub mod report;
mod setback;

pub use self::diagnosis::{Diagnosis, Finding};
pub use self::problem::{Hop, HopState, Problem};
pub use self::reading::{LedgerReading, QueueReading, Reading};
pub use self::setback::{Loss, Move, QueueSide, Setback, SetbackLog, SetbackWatch};
