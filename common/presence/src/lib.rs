//! Which replicas run. Every replica announces itself in a registry that all
//! services share, so that `result` can show where a vote is. So `result` needs no
//! access to Docker.

mod activity;
mod announcement;
mod local;
mod redis;

use store::Unavailable;
use uuid::Uuid;

pub use self::activity::{Presence, Watching};
pub use self::announcement::{Announcement, Kind, LATELY, Replica, SILENT_AFTER};
pub use self::local::LocalRegistry;
pub use self::redis::RedisRegistry;

/// The list of the replicas.
#[derive(Clone, Debug)]
pub enum Registry {
    /// In Redis, shared by all services.
    Redis(RedisRegistry),
    /// In memory, for the embedded mode: all replicas are in this process.
    Local(LocalRegistry),
}

impl Registry {
    /// Lists a replica. It stays on the list until it has been silent for a minute.
    pub async fn announce(&self, replica: Uuid, announcement: &Announcement) -> Result<(), Unavailable> {
        match self {
            Self::Redis(registry) => registry.announce(replica, announcement).await,
            Self::Local(registry) => {
                registry.announce(replica, announcement);
                Ok(())
            }
        }
    }

    /// Removes a replica from the list, because it stops.
    pub async fn leave(&self, replica: Uuid) -> Result<(), Unavailable> {
        match self {
            Self::Redis(registry) => registry.leave(replica).await,
            Self::Local(registry) => {
                registry.leave(replica);
                Ok(())
            }
        }
    }

    /// The replicas that announced themselves within the last minute, and the history.
    pub async fn listing(&self) -> Result<Listing, Unavailable> {
        match self {
            Self::Redis(registry) => registry.listing().await,
            Self::Local(registry) => Ok(registry.listing()),
        }
    }

    /// Replaces the history, unless somebody else has replaced `former` already. Returns
    /// whether it did.
    pub async fn replace_history(&self, former: Option<&str>, next: &str) -> Result<bool, Unavailable> {
        match self {
            Self::Redis(registry) => registry.replace_history(former, next).await,
            Self::Local(registry) => Ok(registry.replace_history(former, next)),
        }
    }
}

/// What the registry holds at one moment.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// The replicas.
    pub replicas: Vec<Replica>,
    /// What happened to them. The crate that writes it knows the format.
    pub history: Option<String>,
    /// The time on the registry's clock, in milliseconds since 1970.
    pub now_ms: i64,
}
