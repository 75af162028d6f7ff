//! Votes at a deployment as a crowd would, measures it, and then checks the
//! promise: every recorded vote was counted once.

mod arrivals;
mod check;
mod electorate;
pub mod latency;
mod load;
mod lock;
mod measures;
mod number;
mod plot;
mod progress;
mod report;
mod results;
mod run;
mod settings;
mod viewers;

pub use self::run::run;
pub use self::settings::Settings;
