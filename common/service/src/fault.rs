//! Faults on purpose: what a service does wrong because somebody ordered it, so that people can
//! watch how a deployment copes. No fault breaks the promise: a vote that a fault refuses is
//! *Not recorded*, and a batch that a fault holds up is recorded later.

mod effect;
mod order;
mod parse;
mod post;
mod state;

pub use self::effect::obey;
pub use self::order::{Common, Fault, Order};
pub use self::post::Post;
pub use self::state::{Faults, befall};
