//! The registry of the embedded mode, in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use uuid::Uuid;

use crate::Listing;
use crate::announcement::{Announcement, FORGOTTEN_AFTER, Replica};

/// The replicas of this process. Clones share one list.
#[derive(Clone, Debug, Default)]
pub struct LocalRegistry(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    /// The last announcement of each replica, and when it came.
    heard: HashMap<Uuid, (Announcement, Instant)>,
    history: Option<String>,
}

impl LocalRegistry {
    pub(crate) fn announce(&self, replica: Uuid, announcement: &Announcement) {
        self.kept().heard.insert(replica, (announcement.clone(), Instant::now()));
    }

    pub(crate) fn leave(&self, replica: Uuid) {
        self.kept().heard.remove(&replica);
    }

    pub(crate) fn listing(&self) -> Listing {
        let mut kept = self.kept();
        kept.heard.retain(|_, (_, at)| at.elapsed() < FORGOTTEN_AFTER);
        let replica = |(id, (announcement, at)): (&Uuid, &(Announcement, Instant))| Replica {
            id: *id,
            announcement: announcement.clone(),
            heard: at.elapsed(),
        };
        let replicas = kept.heard.iter().map(replica).collect();
        // A clock that runs before 1970 is wrong anyway.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Listing { replicas, history: kept.history.clone(), now_ms: now.as_millis() as i64 }
    }

    pub(crate) fn replace_history(&self, former: Option<&str>, next: &str) -> bool {
        let mut kept = self.kept();
        let is_former = kept.history.as_deref() == former;
        if is_former {
            kept.history = Some(next.to_owned());
        }
        is_former
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
