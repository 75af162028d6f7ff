//! The queue as a Redis stream with a consumer group.

mod append;
mod durability;
mod entry;
mod labels;
mod look;

use std::time::{Duration, Instant};

use election::random_uuid;
use redis::streams::StreamPendingReply;
use redis::{Cmd, RedisError, Script};
use store::Unavailable;
use store::redis::{ANSWER_WITHIN, Connection, Time, in_ms};

use self::append::Stream;
use self::entry::{Entries, deliveries};
use super::append::Appender;
use super::{Delivery, Depth, EntryId, FIRST_ENTRY_WITHIN, Probe, Progress, elapsed};

/// The Redis stream of ballots, the oldest first. A counted ballot is deleted from it.
pub const STREAM: &str = "urna:votes";

/// The stream of entries that can never be counted.
const DEAD_LETTERS: &str = "urna:dead";

/// The queue's epoch: a random `id`, and how many entries were `appended` since it was drawn.
pub const EPOCH: &str = "urna:epoch";

/// The consumer group to which all workers belong.
const GROUP: &str = "workers";

/// A key that [`RedisQueue::probe`] writes, because only a write shows that
/// Redis takes writes. It expires soon, so nothing is left when the replicas end.
const PROBE_KEY: &str = "urna:probe";

/// How often a consumer looks for the entries of dead workers. They then wait
/// for a few seconds only, and the look costs almost nothing.
const CLAIM_EVERY: Duration = Duration::from_secs(1);

/// Moves an entry unchanged, and only once, because only one worker can
/// acknowledge it. Lua cannot pass on more than some thousands of values, so only
/// the first two hundred are kept. Our own entries have twelve.
const BURY: &str = r"
    local entry = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])[1]
    if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 1 and entry then
        redis.call('XADD', KEYS[2], '*', 'entry', ARGV[2], 'reason', ARGV[3],
            unpack(entry[2], 1, math.min(#entry[2], 200)))
        redis.call('XDEL', KEYS[1], ARGV[2])
        redis.call('HSET', KEYS[3], 'buried', ARGV[2])
    end
";

/// Removes a consumer from the group, unless it still holds entries, which
/// nobody could claim afterwards. The check and the removal are one step, because
/// a read that timed out may still give the consumer entries.
const LEAVE: &str = r"
    if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) == 0 then
        redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
    end
";

/// The queue on Redis.
#[derive(Clone, Debug)]
pub struct RedisQueue {
    connection: Connection,
    appender: Appender,
}

impl RedisQueue {
    /// The queue on this connection. Nothing else may use the connection, because an append
    /// relies on one that a probe has opened and checked.
    pub fn new(connection: Connection) -> Self {
        Self { appender: Appender::to(Stream::on(connection.clone())), connection }
    }

    pub(super) fn appender(&self) -> &Appender {
        &self.appender
    }

    pub(super) async fn probe(&self) -> Result<Probe, Unavailable> {
        let answer = self.try_probe().await;
        // Whatever the error was, a new connection may reach a healthy Redis.
        if answer.is_err() {
            self.connection.forget();
        }
        answer.map_err(|error| self.connection.unavailable(error))
    }

    async fn try_probe(&self) -> Result<Probe, RedisError> {
        let risks = durability::risks(&self.connection).await?;
        let depth = self.try_depth().await?;
        let written = Cmd::set_ex(PROBE_KEY, "would take a vote", ANSWER_WITHIN.as_secs());
        let () = self.connection.run(&written).await?;
        // The time is asked for last, so that it is fresh. It has its own round trip,
        // because the reply to a write waits for its fsync.
        let asked = Instant::now();
        let now = self.connection.run(&redis::cmd("TIME")).await?;
        let took = asked.elapsed();
        Ok(Probe { now_ms: in_ms(now), took, depth, risks })
    }

    pub(super) async fn progress(&self, earlier: Progress) -> Result<Progress, Unavailable> {
        look::look(&self.connection, earlier).await.map_err(|error| self.connection.unavailable(error))
    }

    pub(super) async fn depth(&self) -> Result<Depth, Unavailable> {
        self.try_depth().await.map_err(|error| self.connection.unavailable(error))
    }

    async fn try_depth(&self) -> Result<Depth, RedisError> {
        let mut commands = redis::pipe();
        commands.xlen(STREAM).xlen(DEAD_LETTERS).xrange_count(STREAM, "-", "+", 1).cmd("TIME");
        let (all, dead, first, now): (u64, u64, Entries, Time) = self.connection.run_all(&commands).await?;
        let pending = match self.connection.run(&Cmd::xpending(STREAM, GROUP)).await {
            Ok(StreamPendingReply::Data(pending)) => pending.count as u64,
            Ok(_) => 0,
            Err(error) if is_no_group(&error) => 0,
            Err(error) => return Err(error),
        };
        let oldest = first.first().map(|(entry, _)| age(entry, in_ms(now)));
        Ok(Depth { untaken: all.saturating_sub(pending), pending, dead, oldest })
    }

    pub(super) fn consumer(&self, name: &str, claim_after: Duration) -> RedisConsumer {
        RedisConsumer {
            // A blocking read needs its own connection, which waits longer for the
            // answer than Redis waits for an entry.
            connection: self.connection.with_answers_within(FIRST_ENTRY_WITHIN + ANSWER_WITHIN),
            // Two replicas may have the same name, but must not share a consumer:
            // when one of them leaves, the other's entries would be lost with it.
            name: format!("{name}-{}", random_uuid().simple()),
            claim_after,
            next_claim: Instant::now(),
        }
    }

    /// Acknowledges and deletes in one transaction. A crash between the two
    /// would leave an entry that no worker ever gets again.
    pub(super) async fn settle(&self, entries: &[EntryId]) -> Result<(), Unavailable> {
        let ids: Vec<&str> = entries.iter().map(|entry| entry.0.as_str()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let mut commands = redis::pipe();
        commands.atomic().xack(STREAM, GROUP, &ids).ignore().xdel(STREAM, &ids).ignore();
        self.connection.run_all(&commands).await.map_err(|error| self.connection.unavailable(error))
    }

    /// Makes this consumer the latest to have taken the entries. Entries that are gone
    /// meanwhile are ignored.
    pub(super) async fn renew(&self, consumer: &str, entries: &[EntryId]) -> Result<(), Unavailable> {
        let ids: Vec<&str> = entries.iter().map(|entry| entry.0.as_str()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let mut command = redis::cmd("XCLAIM");
        command.arg(STREAM).arg(GROUP).arg(consumer).arg(0).arg(ids).arg("JUSTID");
        let renewed: Result<Vec<String>, _> = self.connection.run(&command).await;
        renewed.map(drop).map_err(|error| self.connection.unavailable(error))
    }

    pub(super) async fn bury(&self, entry: &EntryId, reason: &str) -> Result<(), Unavailable> {
        let script = Script::new(BURY);
        let mut call = script.key(STREAM);
        call.key(DEAD_LETTERS).key(EPOCH).arg(GROUP).arg(&entry.0).arg(reason);
        self.connection.call(&call).await.map_err(|error| self.connection.unavailable(error))
    }
}

/// A member of the consumer group.
#[derive(Debug)]
pub struct RedisConsumer {
    connection: Connection,
    name: String,
    claim_after: Duration,
    next_claim: Instant,
}

impl RedisConsumer {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) async fn take(&mut self, max: usize) -> Result<Vec<Delivery>, Unavailable> {
        let taken = match self.claim_or_read(max).await {
            Err(error) if is_no_group(&error) => self.create_group().await.map(|()| Vec::new()),
            taken => taken,
        };
        taken.map(deliveries).map_err(|error| self.connection.unavailable(error))
    }

    pub(super) async fn leave(self) -> Result<(), Unavailable> {
        let script = Script::new(LEAVE);
        let mut call = script.key(STREAM);
        call.arg(GROUP).arg(&self.name);
        self.connection.call(&call).await.map_err(|error| self.connection.unavailable(error))
    }

    async fn claim_or_read(&mut self, max: usize) -> Result<Entries, RedisError> {
        if self.next_claim <= Instant::now() {
            let claimed = self.claim(max).await?;
            // After a full batch there may be more to claim, so the next call looks again.
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
        let (_next, claimed, _deleted): (String, Entries, Vec<String>) =
            self.connection.run(&command).await?;
        Ok(claimed)
    }

    async fn read(&self, max: usize) -> Result<Entries, RedisError> {
        let mut command = redis::cmd("XREADGROUP");
        command.arg("GROUP").arg(GROUP).arg(&self.name).arg("COUNT").arg(max);
        command.arg("BLOCK").arg(FIRST_ENTRY_WITHIN.as_millis() as u64).arg("STREAMS").arg(STREAM).arg(">");
        let streams: Option<Vec<(String, Entries)>> = self.connection.run(&command).await?;
        Ok(streams.into_iter().flatten().flat_map(|(_, entries)| entries).collect())
    }

    /// Creates the group at the start of the stream, never at its end: votes may
    /// have reached a wiped Redis before the first worker did.
    async fn create_group(&self) -> Result<(), RedisError> {
        let created = self.connection.run(&Cmd::xgroup_create_mkstream(STREAM, GROUP, "0")).await;
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

fn is_no_group(error: &RedisError) -> bool {
    error.code() == Some("NOGROUP")
}

/// How long before `now_ms` an entry was appended. Its id begins with the time of the append.
fn age(entry: &str, now_ms: i64) -> Duration {
    let appended_ms = entry.split('-').next().and_then(|ms| ms.parse().ok()).unwrap_or(now_ms);
    elapsed(appended_ms, now_ms)
}
