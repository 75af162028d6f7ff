//! The settings of `result`.

use clap::Args;
use common::http::Sibling;
use common::ledger::Ledger;
use common::ledger::postgres::PostgresLedger;
use common::presence::Kind;
use common::queue::Queue;
use common::queue::redis::RedisQueue;
use common::settings::{PollSettings, PostgresSettings, RedisSettings, ReplicaSettings, web_address};

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
    /// Where people vote [default: port 8000 of the same host]
    #[arg(long, env = "VOTE_URL", value_parser = web_address)]
    vote_url: Option<String>,
}

impl Settings {
    /// Checks the settings and makes the board of this replica.
    pub fn board(self, replica: &ReplicaSettings) -> anyhow::Result<Board> {
        let poll = self.poll.load()?;
        Ok(Board {
            presence: replica.presence(Kind::Result, Some(&poll)),
            poll,
            ledger: Ledger::Postgres(PostgresLedger::open(&self.postgres)?),
            queue: Queue::Redis(RedisQueue::open(&self.redis)?),
            ballot: Sibling { url: self.vote_url, port: VOTE_PORT, is_loopback: false },
            embedded: false,
        })
    }
}
