//! What every service does as a process. It starts, reports its health and its
//! metrics, serves HTTP, and ends without dropping requests.

mod control_group;
pub mod fault;
pub mod health;
pub mod http;
pub mod metrics;
mod page;
mod process;
mod settings;

pub use self::health::{Health, Store};
pub use self::page::serve_page;
pub use self::process::{StopSignals, bind, end, parse, run, start_log};
pub use self::settings::{Identity, ReplicaSettings, from_here, required, warn_if_demo};

/// Serves the many small allocations of a thousand connections for half of what the C library's allocator takes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
