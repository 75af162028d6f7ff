//! The replicas' announcements, as one hash.

use std::time::Duration;

use redis::Script;
use uuid::Uuid;

use super::{RedisQueue, Time, in_ms};
use crate::outage::Unavailable;
use crate::presence::{Announcement, FORGOTTEN_AFTER, Replica};

/// Each replica's random id, with the time of its last announcement on this
/// Redis' clock, in milliseconds, and what it said.
const REPLICAS: &str = "urna:replicas";

/// Writes an announcement, and forgets whoever has been silent for too long,
/// or spoke at a time that is yet to come, because the clock went back.
const ANNOUNCE: &str = r"
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    redis.call('HSET', KEYS[1], ARGV[1], string.format('%d %s', now, ARGV[2]))
    local heard = redis.call('HGETALL', KEYS[1])
    for at = 1, #heard, 2 do
        local ago = now - (tonumber(string.match(heard[at + 1], '^%d+')) or 0)
        if ago < 0 or ago > tonumber(ARGV[3]) then
            redis.call('HDEL', KEYS[1], heard[at])
        end
    end
";

impl RedisQueue {
    pub(in crate::queue) async fn announce(
        &self,
        replica: Uuid,
        announcement: &Announcement,
    ) -> Result<(), Unavailable> {
        let text = serde_json::to_string(announcement).map_err(|error| Unavailable(error.to_string()))?;
        let script = Script::new(ANNOUNCE);
        let mut call = script.key(REPLICAS);
        call.arg(replica.to_string()).arg(text).arg(FORGOTTEN_AFTER.as_millis() as u64);
        self.aside.call(&call).await.map_err(|error| self.aside.away(&error))
    }

    pub(in crate::queue) async fn farewell(&self, replica: Uuid) -> Result<(), Unavailable> {
        let mut command = redis::cmd("HDEL");
        command.arg(REPLICAS).arg(replica.to_string());
        self.aside.run(&command).await.map_err(|error| self.aside.away(&error))
    }

    pub(in crate::queue) async fn replicas(&self) -> Result<Vec<Replica>, Unavailable> {
        let mut commands = redis::pipe();
        commands.cmd("TIME").hgetall(REPLICAS);
        let said = self.aside.run_all(&commands).await;
        let (now, heard): (Time, Vec<(String, Vec<u8>)>) = said.map_err(|error| self.aside.away(&error))?;
        Ok(heard.iter().filter_map(|(id, said)| replica(id, said, in_ms(now))).collect())
    }
}

/// Anybody may have written anything there, and other versions write other things.
fn replica(id: &str, said: &[u8], now_ms: i64) -> Option<Replica> {
    let (at_ms, announcement) = std::str::from_utf8(said).ok()?.split_once(' ')?;
    let ago_ms = now_ms.checked_sub(at_ms.parse().ok()?)?;
    let heard = Duration::from_millis(u64::try_from(ago_ms).ok()?);
    let announcement: Announcement = serde_json::from_str(announcement).ok()?;
    let known = Replica { id: id.parse().ok()?, announcement: announcement.cleaned(), heard };
    (heard < FORGOTTEN_AFTER).then_some(known)
}
