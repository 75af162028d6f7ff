//! The settings of `worker`.

use clap::Args;
use ledger::{Ledger, PostgresLedger};
use presence::{Kind, Presence, RedisRegistry, Registry};
use queue::{Queue, RedisQueue};
use service::{ReplicaSettings, warn_if_demo};
use status::{SetbackLog, SetbackWatch};
use store::postgres::PostgresSettings;
use store::redis::RedisSettings;

use crate::Config;

/// The settings of the stores that `worker` uses.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    #[command(flatten)]
    redis: RedisSettings,
    #[command(flatten)]
    postgres: PostgresSettings,
    /// Keep votes in the queue while PostgreSQL is set to lose them in a crash
    #[arg(long, env = "REQUIRE_DURABLE_LEDGER", value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    require_durable_ledger: bool,
    /// The password of the role urna_reader, for services that only read; creates that role
    #[arg(long, env = "READER_PASSWORD", hide_env_values = true)]
    reader_password: Option<String>,
}

impl Settings {
    /// Checks the settings. It does not connect to anything yet.
    pub fn config(self, replica: &ReplicaSettings) -> anyhow::Result<Config> {
        let (redis, mut ledger) = (self.redis.connection()?, PostgresLedger::open(&self.postgres)?);
        if let Some(password) = &self.reader_password {
            warn_if_demo("READER_PASSWORD", password);
            ledger = ledger.admitting_readers(password);
        }
        let side = redis.side_connection();
        let registry = Registry::Redis(RedisRegistry::new(side.clone()));
        Ok(Config {
            setbacks: Some(SetbackWatch::of(SetbackLog::new(side), &ledger)),
            queue: Queue::Redis(RedisQueue::new(redis)),
            ledger: Ledger::Postgres(ledger),
            require_durable_ledger: self.require_durable_ledger,
            presence: Presence::starting(Kind::Worker, &replica.identity(), None, registry),
        })
    }
}
