//! The settings of `vote`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use common::http::Sibling;
use common::presence::Kind;
use common::queue::Queue;
use common::queue::redis::RedisQueue;
use common::settings::{PollSettings, RedisSettings, ReplicaSettings, secret, web_address};

use crate::{Booth, Keys};

/// A million waiting votes are some 200 MB in Redis: more than any classroom
/// casts while a worker is away, and less than a small machine has.
const QUEUE_MAX: u64 = 1_000_000;

/// The port of `result` in Compose, in Swarm and embedded.
const RESULT_PORT: u16 = 8001;

/// What `vote` needs to know.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    #[command(flatten)]
    redis: RedisSettings,
    #[command(flatten)]
    poll: PollSettings,
    /// Signs the voters' cookies: one key a line, the first signs, all verify
    #[arg(long, env = "COOKIE_KEY", hide_env_values = true)]
    cookie_key: Option<String>,
    /// A file that holds COOKIE_KEY
    #[arg(long, env = "COOKIE_KEY_FILE")]
    cookie_key_file: Option<PathBuf>,
    #[command(flatten)]
    queue: QueueBound,
    /// Be unready while Redis is not configured to keep what it acknowledges
    #[arg(long, env = "REQUIRE_DURABLE_QUEUE", value_name = "BOOL", default_value_t = false, action = clap::ArgAction::Set)]
    require_durable_queue: bool,
    /// Where voters reach this page; https:// makes its cookie Secure
    #[arg(long, env = "VOTE_URL", value_parser = web_address)]
    vote_url: Option<String>,
    /// Where the results are [default: port 8001 of the same host]
    #[arg(long, env = "RESULT_URL", value_parser = web_address)]
    result_url: Option<String>,
}

/// How many votes may wait.
#[derive(Args, Clone, Copy, Debug)]
pub struct QueueBound {
    /// Refuse votes while this many wait to be counted
    #[arg(long, env = "QUEUE_MAX", default_value_t = QUEUE_MAX, value_parser = clap::value_parser!(u64).range(1..))]
    pub queue_max: u64,
}

impl Settings {
    /// Checks the settings and makes the booth of this replica.
    pub fn booth(self, replica: &ReplicaSettings) -> anyhow::Result<Booth> {
        let keys = secret("COOKIE_KEY", self.cookie_key.as_deref(), self.cookie_key_file.as_deref())?
            .context(
                "COOKIE_KEY is not set: set it to the output of `openssl rand -hex 32`, the same for \
             every replica, or COOKIE_KEY_FILE to a file that holds it",
            )?;
        let poll = self.poll.load()?;
        Ok(Booth {
            presence: replica.presence(Kind::Vote, Some(&poll)),
            poll,
            queue: Queue::Redis(RedisQueue::open(&self.redis)?),
            queue_max: self.queue.queue_max,
            keys: Keys::parse(&keys)?,
            secure_cookie: self.vote_url.is_some_and(|url| url.starts_with("https://")),
            results: Sibling { url: self.result_url, port: RESULT_PORT, is_loopback: false },
            require_durable_queue: self.require_durable_queue,
            embedded: false,
        })
    }
}
