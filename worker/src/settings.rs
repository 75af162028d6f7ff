//! The settings of `worker`.

use clap::Args;
use ledger::{Ledger, PostgresLedger};
use presence::{Kind, Presence, RedisRegistry, Registry};
use queue::{Queue, RedisQueue};
use service::ReplicaSettings;
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
}

impl Settings {
    /// Checks the settings. It does not connect to anything yet.
    pub fn config(self, replica: &ReplicaSettings) -> anyhow::Result<Config> {
        let (redis, ledger) = (self.redis.connection()?, PostgresLedger::open(&self.postgres)?);
        let side = redis.side_connection();
        let registry = Registry::Redis(RedisRegistry::new(side.clone()));
        Ok(Config {
            setbacks: Some(SetbackWatch::of(SetbackLog::new(side), &ledger)),
            queue: Queue::Redis(RedisQueue::new(redis)),
            ledger: Ledger::Postgres(ledger),
            presence: Presence::starting(Kind::Worker, &replica.name(), replica.release(), None, registry),
        })
    }
}
