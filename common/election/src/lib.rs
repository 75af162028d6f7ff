//! The ballot and the poll. Nothing here knows a store, a service or a page.

mod ballot;
mod labels;
mod poll;

pub use self::ballot::{Ballot, Choice, PollId, VoterId, clean_label, newest_per_voter, random_uuid};
pub use self::labels::{Labels, Relabelled};
pub use self::poll::{Poll, PollSettings};
