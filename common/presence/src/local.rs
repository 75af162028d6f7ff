//! The registry of the embedded mode, in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use uuid::Uuid;

use crate::announcement::{Announcement, FORGOTTEN_AFTER, Replica};

/// The replicas of this process. Clones share one list.
#[derive(Clone, Debug, Default)]
pub struct LocalRegistry(Arc<Mutex<Heard>>);

/// The last announcement of each replica, and when it came.
type Heard = HashMap<Uuid, (Announcement, Instant)>;

impl LocalRegistry {
    pub(crate) fn announce(&self, replica: Uuid, announcement: &Announcement) {
        self.heard().insert(replica, (announcement.clone(), Instant::now()));
    }

    pub(crate) fn leave(&self, replica: Uuid) {
        self.heard().remove(&replica);
    }

    pub(crate) fn replicas(&self) -> Vec<Replica> {
        let mut heard = self.heard();
        heard.retain(|_, (_, at)| at.elapsed() < FORGOTTEN_AFTER);
        let replica = |(id, (announcement, at)): (&Uuid, &(Announcement, Instant))| Replica {
            id: *id,
            announcement: announcement.clone(),
            heard: at.elapsed(),
        };
        heard.iter().map(replica).collect()
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
