//! The settings of `vote`.

use anyhow::Context;
use clap::{Args, ValueEnum};
use election::PollSettings;
use presence::{Kind, Presence, RedisRegistry, Registry};
use queue::{Queue, RedisQueue, Risk};
use service::{ReplicaSettings, warn_if_demo};
use store::redis::RedisSettings;
use web::{OtherPage, page_url};

use crate::{Config, Keys};

/// A million waiting votes take some 200 MB in Redis. That is more votes than any
/// classroom casts while a worker is away, and less memory than a small machine has.
const QUEUE_MAX: u64 = 1_000_000;

/// The port of `result` in Compose, in Swarm and embedded.
const RESULT_PORT: u16 = 8001;

/// The settings that are special to `vote`.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    #[command(flatten)]
    redis: RedisSettings,
    #[command(flatten)]
    poll: PollSettings,
    /// The keys of the voters' cookies, one per line: the first signs, all verify
    #[arg(long, env = "COOKIE_KEY", hide_env_values = true)]
    cookie_key: Option<String>,
    #[command(flatten)]
    queue: QueueBound,
    /// Refuse votes while Redis might lose them; `trust` takes them if Redis hides its settings
    #[arg(long, env = "REQUIRE_DURABLE_QUEUE", value_name = "WHEN", default_value = "true")]
    require_durable_queue: RequireDurable,
    /// The address of this page for voters; https:// makes its cookie Secure
    #[arg(long, env = "VOTE_URL", value_parser = page_url)]
    vote_url: Option<String>,
    /// The address of the results [default: port 8001 of the same host]
    #[arg(long, env = "RESULT_URL", value_parser = page_url)]
    result_url: Option<String>,
}

/// Whether votes are refused while the queue might lose them.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequireDurable {
    /// Refused unless the queue is known to keep them.
    True,
    /// Refused only if the queue is known to lose them.
    Trust,
    /// Never refused for this reason.
    False,
}

impl RequireDurable {
    /// Whether votes are refused because of this risk.
    pub(crate) fn forbids(self, risk: &Risk) -> bool {
        match (self, risk) {
            (Self::False, _) | (Self::Trust, Risk::Hidden(_)) => false,
            (Self::True, _) | (Self::Trust, Risk::Known(_)) => true,
        }
    }
}

/// The setting that bounds the queue.
#[derive(Args, Clone, Copy, Debug)]
pub struct QueueBound {
    /// Refuse votes while this many wait to be counted
    #[arg(long, env = "QUEUE_MAX", default_value_t = QUEUE_MAX, value_parser = clap::value_parser!(u64).range(1..))]
    pub queue_max: u64,
}

impl Settings {
    /// Checks the settings. It does not connect to anything yet.
    pub fn config(self, replica: &ReplicaSettings) -> anyhow::Result<Config> {
        let keys = self.cookie_key.context(
            "COOKIE_KEY is not set: set it to the output of `openssl rand -hex 32`, the same for \
             every replica, or COOKIE_KEY_FILE to a file that holds it",
        )?;
        warn_if_demo("COOKIE_KEY", &keys);
        let (poll, redis) = (self.poll.load()?, self.redis.connection()?);
        let registry = Registry::Redis(RedisRegistry::new(redis.side_connection()));
        Ok(Config {
            presence: Presence::starting(Kind::Vote, &replica.identity(), Some(&poll), registry),
            poll,
            queue: Queue::Redis(RedisQueue::new(redis)),
            queue_max: self.queue.queue_max,
            require_durable_queue: self.require_durable_queue,
            keys: Keys::parse(&keys)?,
            url: self.vote_url,
            results: OtherPage { url: self.result_url, port: RESULT_PORT, is_loopback: false },
            embedded: false,
        })
    }
}
