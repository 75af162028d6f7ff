//! What the queue keeps to notice setbacks: the last move of the ledger's number,
//! and the list of the setbacks that were noticed.

use std::time::Duration;

use queue::{EPOCH, STREAM};
use redis::Script;
use serde::Serialize;
use store::Unavailable;
use store::redis::{Connection, Time, in_ms};

use super::{Move, Setback};

/// The key of the last move: which ledger this queue feeds, and how much that has counted.
const NOTED: &str = "urna:ledger";

/// The setbacks that were noticed, the newest first.
const SETBACKS: &str = "urna:setbacks";

/// How many setbacks are kept. Nobody asks for more, and the memory is for votes.
const SETBACKS_MAX: usize = 10;

/// Replaces the noted move unless another worker was faster. Only the worker that
/// replaces it lists and logs the setback. After one, the queue gets another epoch,
/// because nobody can tell any more whether an entry that is gone was counted.
const REPLACE: &str = r"
    if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then
        return false
    end
    redis.call('SET', KEYS[1], ARGV[2])
    if ARGV[3] ~= '' then
        redis.call('LPUSH', KEYS[2], ARGV[3])
        redis.call('LTRIM', KEYS[2], 0, ARGV[4] - 1)
        redis.call('HDEL', KEYS[3], 'id')
    end
    return true
";

/// The noted move and the setbacks in Redis, over a separate connection.
#[derive(Clone, Debug)]
pub struct SetbackLog(Connection);

/// What the queue says.
#[derive(Clone, Debug)]
pub struct QueueSide {
    /// The last move of the ledger's number. `None` until this queue has fed a ledger.
    pub noted: Option<Move>,
    /// How many votes wait.
    pub waiting: u64,
    /// The time on the queue's clock, in milliseconds since 1970.
    pub now_ms: i64,
}

impl SetbackLog {
    /// The log behind this connection, which must not be the queue's own.
    pub fn new(connection: Connection) -> Self {
        Self(connection)
    }

    /// The latest setbacks, the newest first, and how long ago each was noticed.
    pub async fn latest(&self) -> Result<Vec<(Setback, Duration)>, Unavailable> {
        let mut commands = redis::pipe();
        commands.cmd("TIME").lrange(SETBACKS, 0, -1);
        let answer = self.0.run_all(&commands).await;
        let (now, listed): (Time, Vec<Vec<u8>>) = answer.map_err(|error| self.0.unavailable(error))?;
        // Another release may have written setbacks that this one cannot read.
        let setbacks = listed.iter().filter_map(|text| serde_json::from_slice::<Setback>(text).ok());
        let with_age = |setback: Setback| {
            let ago_ms = in_ms(now).saturating_sub(setback.at_ms);
            (setback, Duration::from_millis(u64::try_from(ago_ms).unwrap_or(0)))
        };
        Ok(setbacks.map(with_age).collect())
    }

    /// Reads the queue's side.
    pub async fn read(&self) -> Result<QueueSide, Unavailable> {
        let mut commands = redis::pipe();
        commands.get(NOTED).xlen(STREAM).cmd("TIME");
        let answer = self.0.run_all(&commands).await;
        let (text, waiting, now): (Option<String>, u64, Time) =
            answer.map_err(|error| self.0.unavailable(error))?;
        let noted = text.as_deref().map(serde_json::from_str).transpose();
        // A newer release may have noted the move. Then the workers of that release compare the
        // stores, and this one does not.
        let noted = noted.map_err(|error| Unavailable(format!("{NOTED} cannot be read: {error}")))?;
        Ok(QueueSide { noted, waiting, now_ms: in_ms(now) })
    }

    /// Replaces the noted move, and lists the setback, if one was noticed. Returns
    /// false if another worker was faster.
    pub async fn replace(
        &self,
        former: Option<&Move>,
        next: &Move,
        setback: Option<&Setback>,
    ) -> Result<bool, Unavailable> {
        let script = Script::new(REPLACE);
        let mut call = script.key(NOTED);
        call.key(SETBACKS)
            .key(EPOCH)
            .arg(json(former)?)
            .arg(json(Some(next))?)
            .arg(json(setback)?)
            .arg(SETBACKS_MAX);
        self.0.call(&call).await.map_err(|error| self.0.unavailable(error))
    }
}

/// The text that stands for this in the queue. It is empty if there is nothing.
fn json(it: Option<&impl Serialize>) -> Result<String, Unavailable> {
    let text = it.map(serde_json::to_string).transpose();
    text.map(Option::unwrap_or_default).map_err(|error| Unavailable(error.to_string()))
}
