//! What all stores have in common: their settings, their connections, and what
//! happens while one of them is away. Nothing here knows what a store holds.

mod outage;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(any(feature = "postgres", feature = "redis"))]
mod tls;

pub use self::outage::{Outage, Unavailable, WriteError};
