//! The settings of `result`.

use clap::Args;
use common::ledger::Ledger;
use common::ledger::postgres::PostgresLedger;
use common::queue::Queue;
use common::queue::redis::RedisQueue;
use common::settings::{Addresses, PollSettings, PostgresSettings, RedisSettings};

use crate::Board;

/// The port of `vote` in Compose, in Swarm and embedded.
const VOTE_PORT: u16 = 8000;

/// What `result` needs to know.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    #[command(flatten)]
    redis: RedisSettings,
    #[command(flatten)]
    postgres: PostgresSettings,
    #[command(flatten)]
    poll: PollSettings,
    #[command(flatten)]
    addresses: Addresses,
}

impl Settings {
    /// Checks the settings and makes the board of this replica.
    pub fn board(self, replica: String) -> anyhow::Result<Board> {
        Ok(Board {
            poll: self.poll.load()?,
            ledger: Ledger::Postgres(PostgresLedger::open(&self.postgres)?),
            queue: Queue::Redis(RedisQueue::open(&self.redis)?),
            replica,
            addresses: self.addresses,
            vote_port: VOTE_PORT,
            embedded: false,
        })
    }
}
