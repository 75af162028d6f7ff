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

    /// The replicas that announced themselves within the last minute.
    pub async fn replicas(&self) -> Result<Vec<Replica>, Unavailable> {
        match self {
            Self::Redis(registry) => registry.replicas().await,
            Self::Local(registry) => Ok(registry.replicas()),
        }
    }
}
