//! The registry in Redis: the replicas' announcements, as one hash.
//!
//! Redis notes the time of each announcement on its own clock, and tells the time
//! on that clock when they are read. So no replica's clock needs to be right. If
//! the clock of Redis goes back, no dead replica seems alive.

use std::time::Duration;

use redis::{Cmd, Script};
use store::Unavailable;
use store::redis::{Connection, Time, in_ms};
use uuid::Uuid;

use crate::Listing;
use crate::announcement::{Announcement, FORGOTTEN_AFTER, Replica};

/// The hash of the replicas. Its keys are their random ids. A value is the time of
/// the last announcement, in milliseconds on the clock of Redis, and its text.
const REPLICAS: &str = "urna:replicas";

/// What happened to the replicas, as one text.
const HISTORY: &str = "urna:history";

/// Replaces the history, unless another replica was faster. So all replicas may note what
/// they see, and each event is noted once.
const REPLACE: &str = r"
    if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then
        return false
    end
    redis.call('SET', KEYS[1], ARGV[2])
    return true
";

/// Writes an announcement, and removes the replicas that have been silent for too
/// long. It also removes those whose last announcement lies in the future, because
/// the clock of Redis went back.
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

/// The registry in Redis. It has its own connection, because votes may only use a
/// connection that the queue's probe has opened.
#[derive(Clone, Debug)]
pub struct RedisRegistry(Connection);

impl RedisRegistry {
    /// The registry behind this connection, which must not be the queue's own.
    pub fn new(connection: Connection) -> Self {
        Self(connection)
    }

    pub(crate) async fn announce(
        &self,
        replica: Uuid,
        announcement: &Announcement,
    ) -> Result<(), Unavailable> {
        let text = serde_json::to_string(announcement).map_err(|error| Unavailable(error.to_string()))?;
        let script = Script::new(ANNOUNCE);
        let mut call = script.key(REPLICAS);
        call.arg(replica.to_string()).arg(text).arg(FORGOTTEN_AFTER.as_millis() as u64);
        self.0.call(&call).await.map_err(|error| self.0.unavailable(error))
    }

    pub(crate) async fn leave(&self, replica: Uuid) -> Result<(), Unavailable> {
        let command = Cmd::hdel(REPLICAS, replica.to_string());
        self.0.run(&command).await.map_err(|error| self.0.unavailable(error))
    }

    /// Reads the history before the list, so that it never tells more than the list shows. A history
    /// that cannot be read hides no replica.
    pub(crate) async fn listing(&self) -> Result<Listing, Unavailable> {
        let history = Cmd::get(HISTORY);
        let mut commands = redis::pipe();
        commands.cmd("TIME").hgetall(REPLICAS);
        let (history, answer) =
            tokio::join!(self.0.run::<Option<String>>(&history), self.0.run_all(&commands));
        let (now, heard): (Time, Vec<(String, Vec<u8>)>) =
            answer.map_err(|error| self.0.unavailable(error))?;
        let history = history.unwrap_or_else(|error| {
            tracing::debug!("could not read {HISTORY}: {error}");
            None
        });
        let now_ms = in_ms(now);
        let replicas = heard.iter().filter_map(|(id, said)| replica(id, said, now_ms)).collect();
        Ok(Listing { replicas, history, now_ms })
    }

    pub(crate) async fn replace_history(
        &self,
        former: Option<&str>,
        next: &str,
    ) -> Result<bool, Unavailable> {
        let script = Script::new(REPLACE);
        let mut call = script.key(HISTORY);
        call.arg(former.unwrap_or_default()).arg(next);
        self.0.call(&call).await.map_err(|error| self.0.unavailable(error))
    }
}

/// Reads one replica of the hash, or nothing if that is impossible: anybody may
/// have written anything there, and other releases announce themselves differently.
fn replica(id: &str, said: &[u8], now_ms: i64) -> Option<Replica> {
    let (at_ms, announcement) = std::str::from_utf8(said).ok()?.split_once(' ')?;
    let ago_ms = now_ms.checked_sub(at_ms.parse().ok()?)?;
    let heard = Duration::from_millis(u64::try_from(ago_ms).ok()?);
    let announcement: Announcement = serde_json::from_str(announcement).ok()?;
    let replica = Replica { id: id.parse().ok()?, announcement: announcement.cleaned(), heard };
    (heard < FORGOTTEN_AFTER).then_some(replica)
}
