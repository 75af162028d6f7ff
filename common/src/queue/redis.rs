//! The queue as a Redis stream with a consumer group.

mod durability;
mod entry;
mod link;
mod presence;
mod setbacks;

use std::time::{Duration, Instant};

use redis::streams::StreamPendingReply;
use redis::{Cmd, RedisError, Script};

use self::entry::{Entries, deliveries};
use self::link::{Link, is_answer};
use super::{ANSWER_WITHIN, AppendError, Delivery, Depth, EntryId, PATIENCE, Probe, elapsed};
use crate::ballot::{Ballot, random_uuid};
use crate::outage::Unavailable;
use crate::settings::RedisSettings;

/// The stream of ballots, oldest first. What is counted leaves it.
const STREAM: &str = "urna:votes";

/// The stream of entries that can never be counted.
const DEAD_LETTERS: &str = "urna:dead";

/// The consumer group all workers belong to.
const GROUP: &str = "workers";

/// A key that [`RedisQueue::probe`] writes, because only a write tells that
/// writes are taken; it expires, so it outlives no replica.
const PROBE_KEY: &str = "urna:probe";

/// How often a consumer looks for ballots whose worker died: often enough
/// that a killed worker shows for seconds only, rarely enough to cost nothing.
const CLAIM_EVERY: Duration = Duration::from_secs(1);

/// Appends unless the stream is full. Checked inside Redis, so that any
/// number of replicas together keep the bound.
const APPEND: &str = r"
    if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[1]) then
        return redis.error_reply('FULL the queue holds as many votes as QUEUE_MAX allows')
    end
    return redis.call('XADD', KEYS[1], '*', unpack(ARGV, 2))
";

/// Moves an entry as it is, and once: only one worker can acknowledge it. Of a
/// stranger's entry with hundreds of fields the beginning is enough, because
/// Lua passes on no more than some thousands.
const BURY: &str = r"
    local entry = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])[1]
    if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 1 and entry then
        redis.call('XADD', KEYS[2], '*', 'entry', ARGV[2], 'reason', ARGV[3],
            unpack(entry[2], 1, math.min(#entry[2], 200)))
        redis.call('XDEL', KEYS[1], ARGV[2])
    end
";

/// Takes a consumer off the list, unless it still holds something, which could
/// then be claimed by nobody. In one step, because a read that it gave up on
/// may still be on its way.
const LEAVE: &str = r"
    if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) == 0 then
        redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
    end
";

/// The queue on Redis.
#[derive(Clone, Debug)]
pub struct RedisQueue {
    link: Link,
    /// For what is no vote: no handler may find its connection made by anything but a probe.
    aside: Link,
    append: Script,
}

impl RedisQueue {
    /// Reads the settings; connects with the first use.
    pub fn open(settings: &RedisSettings) -> anyhow::Result<Self> {
        let link = Link::new(settings, ANSWER_WITHIN)?;
        Ok(Self { aside: link.sibling(ANSWER_WITHIN), link, append: Script::new(APPEND) })
    }

    /// Uses the connection the last probe made: a voter waits for no connection.
    pub(super) async fn append(&self, ballot: &Ballot, capacity: u64) -> Result<(), AppendError> {
        let Some(connection) = self.link.current() else {
            return Err(AppendError::Refused("not connected to Redis".to_owned()));
        };
        let mut call = self.append.key(STREAM);
        call.arg(capacity);
        for (name, value) in entry::fields(ballot) {
            call.arg(name).arg(value);
        }
        let answer: Result<String, _> = self.link.call_on(connection, &call).await;
        answer.map(drop).map_err(|error| {
            if is_answer(&error) {
                AppendError::Refused(error.to_string())
            } else {
                AppendError::Unconfirmed(error.to_string())
            }
        })
    }

    pub(super) async fn probe(&self) -> Result<Probe, Unavailable> {
        let answer = self.try_probe().await;
        // Whatever the error, a new connection may lead to a Redis that is well.
        if answer.is_err() {
            self.link.forget();
        }
        answer.map_err(|error| self.link.away(&error))
    }

    async fn try_probe(&self) -> Result<Probe, RedisError> {
        let warnings = durability::warnings(&self.link).await?;
        let depth = self.try_depth().await?;
        let written = Cmd::set_ex(PROBE_KEY, "would take a vote", ANSWER_WITHIN.as_secs());
        let () = self.link.run(&written).await?;
        // Last, so that it is fresh, and alone, because a reply to a write waits for its fsync.
        let asked = Instant::now();
        let now = self.link.run(&redis::cmd("TIME")).await?;
        let took = asked.elapsed();
        Ok(Probe { now_ms: in_ms(now), took, depth, warnings })
    }

    pub(super) async fn depth(&self) -> Result<Depth, Unavailable> {
        self.try_depth().await.map_err(|error| self.link.away(&error))
    }

    async fn try_depth(&self) -> Result<Depth, RedisError> {
        let mut commands = redis::pipe();
        commands.xlen(STREAM).xlen(DEAD_LETTERS).xrange_count(STREAM, "-", "+", 1).cmd("TIME");
        let (all, dead, first, now): (u64, u64, Entries, Time) = self.link.run_all(&commands).await?;
        let pending = match self.link.run(&Cmd::xpending(STREAM, GROUP)).await {
            Ok(StreamPendingReply::Data(pending)) => pending.count as u64,
            Ok(_) => 0,
            Err(error) if is_no_group(&error) => 0,
            Err(error) => return Err(error),
        };
        let oldest = first.first().map(|(entry, _)| age(entry, in_ms(now)));
        Ok(Depth { waiting: all.saturating_sub(pending), pending, dead, oldest })
    }

    pub(super) fn consumer(&self, name: &str, claim_after: Duration) -> RedisConsumer {
        RedisConsumer {
            // A blocking read needs a connection of its own, and one that
            // waits longer for the answer than Redis waits for a ballot.
            link: self.link.sibling(PATIENCE + ANSWER_WITHIN),
            // Two replicas may bear one name, and must not be one consumer.
            name: format!("{name}-{}", random_uuid().simple()),
            claim_after,
            next_claim: Instant::now(),
        }
    }

    /// Acknowledging and deleting are one transaction: a crash between them
    /// would leave an entry that nobody is given any more.
    pub(super) async fn settle(&self, entries: &[EntryId]) -> Result<(), Unavailable> {
        let ids: Vec<&str> = entries.iter().map(|entry| entry.0.as_str()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let mut commands = redis::pipe();
        commands.atomic().xack(STREAM, GROUP, &ids).ignore().xdel(STREAM, &ids).ignore();
        self.link.run_all(&commands).await.map_err(|error| self.link.away(&error))
    }

    pub(super) async fn bury(&self, entry: &EntryId, reason: &str) -> Result<(), Unavailable> {
        let script = Script::new(BURY);
        let mut call = script.key(STREAM);
        call.key(DEAD_LETTERS).arg(GROUP).arg(&entry.0).arg(reason);
        self.link.call(&call).await.map_err(|error| self.link.away(&error))
    }
}

/// A member of the consumer group.
#[derive(Debug)]
pub struct RedisConsumer {
    link: Link,
    name: String,
    claim_after: Duration,
    next_claim: Instant,
}

impl RedisConsumer {
    pub(super) async fn take(&mut self, max: usize) -> Result<Vec<Delivery>, Unavailable> {
        let taken = match self.claim_or_read(max).await {
            Err(error) if is_no_group(&error) => self.create_group().await.map(|()| Vec::new()),
            taken => taken,
        };
        taken.map(deliveries).map_err(|error| self.link.away(&error))
    }

    pub(super) async fn leave(self) -> Result<(), Unavailable> {
        let script = Script::new(LEAVE);
        let mut call = script.key(STREAM);
        call.arg(GROUP).arg(&self.name);
        self.link.call(&call).await.map_err(|error| self.link.away(&error))
    }

    async fn claim_or_read(&mut self, max: usize) -> Result<Entries, RedisError> {
        if self.next_claim <= Instant::now() {
            let claimed = self.claim(max).await?;
            // A full hand means there may be more to claim.
            if claimed.len() < max {
                self.next_claim = Instant::now() + CLAIM_EVERY;
            }
            if !claimed.is_empty() {
                return Ok(claimed);
            }
        }
        self.read(max).await
    }

    async fn claim(&self, max: usize) -> Result<Entries, RedisError> {
        let mut command = redis::cmd("XAUTOCLAIM");
        command.arg(STREAM).arg(GROUP).arg(&self.name);
        command.arg(self.claim_after.as_millis() as u64).arg("0-0").arg("COUNT").arg(max);
        let (_next, claimed, _deleted): (String, Entries, Vec<String>) = self.link.run(&command).await?;
        Ok(claimed)
    }

    async fn read(&self, max: usize) -> Result<Entries, RedisError> {
        let mut command = redis::cmd("XREADGROUP");
        command.arg("GROUP").arg(GROUP).arg(&self.name).arg("COUNT").arg(max);
        command.arg("BLOCK").arg(PATIENCE.as_millis() as u64).arg("STREAMS").arg(STREAM).arg(">");
        let streams: Option<Vec<(String, Entries)>> = self.link.run(&command).await?;
        Ok(streams.into_iter().flatten().flat_map(|(_, entries)| entries).collect())
    }

    /// From the start of the stream, never from its end: votes may have been
    /// appended to an emptied Redis before any worker was there.
    async fn create_group(&self) -> Result<(), RedisError> {
        let created = self.link.run(&Cmd::xgroup_create_mkstream(STREAM, GROUP, "0")).await;
        match created {
            Ok(()) => {
                tracing::info!("created the consumer group {GROUP} of {STREAM}");
                Ok(())
            }
            Err(error) if error.code() == Some("BUSYGROUP") => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// What Redis answers to `TIME`: seconds since 1970, and microseconds.
type Time = (i64, i64);

fn in_ms((seconds, micros): Time) -> i64 {
    seconds * 1000 + micros / 1000
}

fn is_no_group(error: &RedisError) -> bool {
    error.code() == Some("NOGROUP")
}

/// How long before `now_ms` an entry was appended, which its name begins with.
fn age(entry: &str, now_ms: i64) -> Duration {
    let appended_ms = entry.split('-').next().and_then(|ms| ms.parse().ok()).unwrap_or(now_ms);
    elapsed(appended_ms, now_ms)
}
