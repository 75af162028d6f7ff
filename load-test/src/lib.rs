//! Votes at a deployment as a crowd would, measures the deployment, and then checks
//! the promise: every recorded vote was counted once.

mod arrivals;
pub mod check;
pub mod cookie;
pub mod latency;
mod load;
pub mod measures;
mod number;
pub mod oracle;
mod plot;
mod progress;
mod results;
mod run;
mod settings;
pub mod summary;
mod viewers;
pub mod vote;
pub mod voter;

pub use self::run::run;
pub use self::settings::Settings;
