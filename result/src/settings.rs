//! The settings of `result`.

use clap::Args;
use election::PollSettings;
use ledger::{Ledger, PostgresLedger};
use presence::{Kind, Presence, RedisRegistry, Registry};
use queue::{Queue, RedisQueue};
use service::ReplicaSettings;
use status::SetbackLog;
use store::postgres::PostgresSettings;
use store::redis::RedisSettings;
use web::{OtherPage, page_url};

use crate::{Config, Platform};

/// The port of `vote` in Compose, in Swarm and embedded.
const VOTE_PORT: u16 = 8000;

/// The settings that are special to `result`.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    #[command(flatten)]
    redis: RedisSettings,
    #[command(flatten)]
    postgres: PostgresSettings,
    #[command(flatten)]
    poll: PollSettings,
    /// The address of the ballot page [default: port 8000 of the same host]
    #[arg(long, env = "VOTE_URL", value_parser = page_url)]
    vote_url: Option<String>,
    /// What this deployment runs on: /status advises with its commands
    #[arg(long, env = "PLATFORM")]
    platform: Option<Platform>,
}

impl Settings {
    /// Checks the settings. It does not connect to anything yet.
    pub fn config(self, replica: &ReplicaSettings) -> anyhow::Result<Config> {
        let (poll, redis) = (self.poll.load()?, self.redis.connection()?);
        let side = redis.side_connection();
        let registry = Registry::Redis(RedisRegistry::new(side.clone()));
        Ok(Config {
            presence: Presence::starting(Kind::Result, &replica.identity(), Some(&poll), registry),
            setbacks: Some(SetbackLog::new(side)),
            poll,
            ledger: Ledger::Postgres(PostgresLedger::open(&self.postgres)?),
            queue: Queue::Redis(RedisQueue::new(redis)),
            ballot: OtherPage { url: self.vote_url, port: VOTE_PORT, is_loopback: false },
            embedded: false,
            platform: self.platform,
        })
    }
}
