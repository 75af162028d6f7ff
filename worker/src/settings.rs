//! The settings of `worker`.

use clap::Args;
use common::ledger::Ledger;
use common::ledger::postgres::PostgresLedger;
use common::queue::Queue;
use common::queue::redis::RedisQueue;
use common::settings::{PostgresSettings, RedisSettings};

/// What `worker` needs to know: where votes come from and where they go.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    #[command(flatten)]
    redis: RedisSettings,
    #[command(flatten)]
    postgres: PostgresSettings,
}

impl Settings {
    /// Checks the settings; nothing is connected yet.
    pub fn open(&self) -> anyhow::Result<(Queue, Ledger)> {
        let queue = Queue::Redis(RedisQueue::open(&self.redis)?);
        let ledger = Ledger::Postgres(PostgresLedger::open(&self.postgres)?);
        Ok((queue, ledger))
    }
}
