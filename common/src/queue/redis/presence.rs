//! The replicas' announcements, as keys that Redis forgets by itself.

use std::time::Duration;

use redis::{RedisError, Script};
use uuid::Uuid;

use super::RedisQueue;
use crate::outage::Unavailable;
use crate::presence::{Announcement, FORGOTTEN_AFTER, Replica};

/// What the keys begin with; each ends with a replica's own random id,
/// because two replicas may bear one name.
const REPLICA: &str = "urna:replica:";

/// Every announcement with what is left of its time. `KEYS` looks at every
/// key there is, and this Redis has few: the votes are one of them.
const REPLICAS: &str = r"
    local heard = {}
    for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do
        table.insert(heard, redis.call('GET', key))
        table.insert(heard, redis.call('PTTL', key))
    end
    return heard
";

impl RedisQueue {
    pub(in crate::queue) async fn announce(
        &self,
        replica: Uuid,
        announcement: &Announcement,
    ) -> Result<(), Unavailable> {
        let text = serde_json::to_string(announcement).map_err(|error| Unavailable(error.to_string()))?;
        let mut command = redis::cmd("SET");
        command.arg(key(replica)).arg(text).arg("PX").arg(FORGOTTEN_AFTER.as_millis() as u64);
        self.aside.run(&command).await.map_err(|error| self.aside.away(&error))
    }

    pub(in crate::queue) async fn farewell(&self, replica: Uuid) -> Result<(), Unavailable> {
        let mut command = redis::cmd("DEL");
        self.aside.run(command.arg(key(replica))).await.map_err(|error| self.aside.away(&error))
    }

    pub(in crate::queue) async fn replicas(&self) -> Result<Vec<Replica>, Unavailable> {
        let script = Script::new(REPLICAS);
        let mut call = script.prepare_invoke();
        let heard: Result<Vec<(Vec<u8>, u64)>, RedisError> = self.aside.call(call.arg(REPLICA)).await;
        let heard = heard.map_err(|error| self.aside.away(&error))?;
        Ok(heard.into_iter().filter_map(|(text, left_ms)| replica(&text, left_ms)).collect())
    }
}

fn key(replica: Uuid) -> String {
    format!("{REPLICA}{}", replica.simple())
}

/// Anybody may have written anything there, and other versions write other things.
fn replica(text: &[u8], left_ms: u64) -> Option<Replica> {
    let announcement = serde_json::from_slice(text).ok()?;
    Some(Replica { announcement, heard: FORGOTTEN_AFTER.saturating_sub(Duration::from_millis(left_ms)) })
}
