//! The queue as a Redis stream with a consumer group.

mod durability;
mod entry;
mod link;

use std::time::{Duration, Instant};

use redis::streams::{StreamAutoClaimReply, StreamId, StreamPendingReply, StreamReadReply};
use redis::{Cmd, RedisError, Script};

use self::entry::delivery;
use self::link::{Link, is_answer};
use super::{AppendError, Delivery, Depth, EntryId, PATIENCE, Probe};
use crate::ballot::Ballot;
use crate::outage::Unavailable;
use crate::settings::RedisSettings;

/// The stream of ballots, oldest first. What is counted leaves it.
pub const STREAM: &str = "urna:votes";

/// The stream of entries that can never be counted.
pub const DEAD_LETTERS: &str = "urna:dead";

/// The consumer group all workers belong to.
pub const GROUP: &str = "workers";

/// A key that [`RedisQueue::probe`] writes, because only a write tells that
/// writes are taken; it expires, so it outlives no replica.
const PROBE_KEY: &str = "urna:probe";

/// Long enough for a slow fsync, short enough that a voter still waits for it.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

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

/// The queue on Redis.
#[derive(Clone, Debug)]
pub struct RedisQueue {
    link: Link,
    append: Script,
}

impl RedisQueue {
    /// Reads the settings; connects with the first use.
    pub fn open(settings: &RedisSettings) -> anyhow::Result<Self> {
        Ok(Self { link: Link::new(settings, ANSWER_WITHIN)?, append: Script::new(APPEND) })
    }

    /// Uses the connection the last probe made: a voter waits for no connection.
    pub(super) async fn append(&self, ballot: &Ballot, capacity: u64) -> Result<(), AppendError> {
        let Some(mut connection) = self.link.current() else {
            return Err(AppendError::Refused("not connected to Redis".to_owned()));
        };
        let mut call = self.append.key(STREAM);
        call.arg(capacity);
        for (name, value) in entry::fields(ballot) {
            call.arg(name).arg(value);
        }
        let answer: Result<String, _> = call.invoke_async(&mut connection).await;
        answer.map(drop).map_err(|error| {
            self.link.noticed(&error);
            if is_answer(&error) {
                AppendError::Refused(error.to_string())
            } else {
                AppendError::Unconfirmed(error.to_string())
            }
        })
    }

    pub(super) async fn probe(&self) -> Result<Probe, Unavailable> {
        let answer = self.try_probe().await;
        if answer.is_err() {
            self.link.forget();
        }
        Ok(answer?)
    }

    async fn try_probe(&self) -> Result<Probe, RedisError> {
        // First, because it connects, and connecting is no part of the time the clock takes.
        let warnings = durability::warnings(&self.link).await?;
        let mut commands = redis::pipe();
        commands.cmd("TIME").xlen(STREAM).set_ex(PROBE_KEY, "would take a vote", ANSWER_WITHIN.as_secs());
        let asked = Instant::now();
        let ((seconds, micros), waiting, ()): ((i64, i64), u64, ()) = self.link.run_all(&commands).await?;
        Ok(Probe { now_ms: seconds * 1000 + micros / 1000, took: asked.elapsed(), waiting, warnings })
    }

    pub(super) async fn depth(&self) -> Result<Depth, Unavailable> {
        let (all, dead): (u64, u64) =
            self.link.run_all(redis::pipe().xlen(STREAM).xlen(DEAD_LETTERS)).await?;
        let pending = match self.link.run(&Cmd::xpending(STREAM, GROUP)).await {
            Ok(StreamPendingReply::Data(pending)) => pending.count as u64,
            Ok(_) => 0,
            Err(error) if is_no_group(&error) => 0,
            Err(error) => return Err(error.into()),
        };
        Ok(Depth { waiting: all.saturating_sub(pending), pending, dead })
    }

    pub(super) fn consumer(&self, name: &str, claim_after: Duration) -> RedisConsumer {
        RedisConsumer {
            // A blocking read needs a connection of its own, and one that
            // waits longer for the answer than Redis waits for a ballot.
            reader: self.link.sibling(PATIENCE + ANSWER_WITHIN),
            writer: self.link.sibling(ANSWER_WITHIN),
            name: name.to_owned(),
            claim_after,
            next_claim: Instant::now(),
        }
    }
}

/// A member of the consumer group.
#[derive(Debug)]
pub struct RedisConsumer {
    reader: Link,
    writer: Link,
    name: String,
    claim_after: Duration,
    next_claim: Instant,
}

impl RedisConsumer {
    pub(super) async fn take(&mut self, max: usize) -> Result<Vec<Delivery>, Unavailable> {
        match self.claim_or_read(max).await {
            Ok(entries) => Ok(entries.into_iter().map(delivery).collect()),
            Err(error) if is_no_group(&error) => {
                self.create_group().await?;
                Ok(Vec::new())
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn receipts(&self) -> RedisReceipts {
        RedisReceipts { link: self.writer.clone() }
    }

    async fn claim_or_read(&mut self, max: usize) -> Result<Vec<StreamId>, RedisError> {
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

    async fn claim(&self, max: usize) -> Result<Vec<StreamId>, RedisError> {
        let mut command = redis::cmd("XAUTOCLAIM");
        command.arg(STREAM).arg(GROUP).arg(&self.name);
        command.arg(self.claim_after.as_millis() as u64).arg("0-0").arg("COUNT").arg(max);
        let reply: StreamAutoClaimReply = self.reader.run(&command).await?;
        Ok(reply.claimed)
    }

    async fn read(&self, max: usize) -> Result<Vec<StreamId>, RedisError> {
        let mut command = redis::cmd("XREADGROUP");
        command.arg("GROUP").arg(GROUP).arg(&self.name).arg("COUNT").arg(max);
        command.arg("BLOCK").arg(PATIENCE.as_millis() as u64).arg("STREAMS").arg(STREAM).arg(">");
        let reply: Option<StreamReadReply> = self.reader.run(&command).await?;
        Ok(reply.into_iter().flat_map(|reply| reply.keys).flat_map(|key| key.ids).collect())
    }

    /// From the start of the stream, never from its end: votes may have been
    /// appended to an emptied Redis before any worker was there.
    async fn create_group(&self) -> Result<(), RedisError> {
        let created = self.reader.run(&Cmd::xgroup_create_mkstream(STREAM, GROUP, "0")).await;
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

/// Acknowledges and buries, on a connection that no blocking read holds up.
#[derive(Debug)]
pub struct RedisReceipts {
    link: Link,
}

impl RedisReceipts {
    pub(super) async fn settle(&self, entries: &[EntryId]) -> Result<(), Unavailable> {
        Ok(self.remove(redis::pipe(), entries).await?)
    }

    pub(super) async fn bury(&self, delivery: &Delivery, reason: &str) -> Result<(), Unavailable> {
        let mut fields = delivery.fields.clone();
        fields.push(("reason".to_owned(), reason.to_owned()));
        fields.push(("entry".to_owned(), delivery.entry.0.clone()));
        let mut pipe = redis::pipe();
        pipe.xadd(DEAD_LETTERS, "*", &fields).ignore();
        Ok(self.remove(pipe, std::slice::from_ref(&delivery.entry)).await?)
    }

    /// Acknowledging and deleting are one transaction: a crash between them
    /// would leave an entry that nobody is given any more.
    async fn remove(&self, mut pipe: redis::Pipeline, entries: &[EntryId]) -> Result<(), RedisError> {
        let ids: Vec<&str> = entries.iter().map(|entry| entry.0.as_str()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        pipe.atomic().xack(STREAM, GROUP, &ids).ignore().xdel(STREAM, &ids).ignore();
        self.link.run_all(&pipe).await
    }
}

fn is_no_group(error: &RedisError) -> bool {
    error.code() == Some("NOGROUP")
}
