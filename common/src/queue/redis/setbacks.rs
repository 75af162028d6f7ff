//! The queue's half of noticing setbacks: its mark, and the list of those noticed.

use std::time::Duration;

use redis::Script;

use super::{RedisQueue, STREAM, Time, in_ms};
use crate::outage::Unavailable;
use crate::setback::{Mark, QueueWord, Setback};

/// Which ledger this queue feeds, and how far that has counted.
const MARK: &str = "urna:ledger";

/// The setbacks that were noticed, the newest first.
const SETBACKS: &str = "urna:setbacks";

/// More than an operator remembers; this Redis holds votes.
const SETBACKS_MAX: usize = 10;

/// Replaces the mark unless another worker was faster, which alone tells then.
const REMARK: &str = r"
    if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then
        return false
    end
    redis.call('SET', KEYS[1], ARGV[2])
    if ARGV[3] ~= '' then
        redis.call('LPUSH', KEYS[2], ARGV[3])
        redis.call('LTRIM', KEYS[2], 0, ARGV[4] - 1)
    end
    return true
";

impl RedisQueue {
    /// What the queue says of itself and of the ledger.
    pub async fn word(&self) -> Result<QueueWord, Unavailable> {
        let mut commands = redis::pipe();
        commands.get(MARK).xlen(STREAM).cmd("TIME");
        let said = self.aside.run_all(&commands).await;
        let (text, waiting, now): (Option<String>, u64, Time) =
            said.map_err(|error| self.aside.away(&error))?;
        let mark = text.as_deref().map(serde_json::from_str).transpose();
        // Perhaps it was written by a release to come: then that one sees to it.
        let mark = mark.map_err(|error| Unavailable(format!("{MARK} cannot be read: {error}")))?;
        Ok(QueueWord { mark, text: text.unwrap_or_default(), waiting, now_ms: in_ms(now) })
    }

    /// Replaces the mark whose text this is, and lists the setback that was
    /// noticed. Returns the new text to the one of many who succeeds.
    pub async fn remark(
        &self,
        former: &str,
        mark: &Mark,
        setback: Option<&Setback>,
    ) -> Result<Option<String>, Unavailable> {
        let json = |error: serde_json::Error| Unavailable(error.to_string());
        let text = serde_json::to_string(mark).map_err(json)?;
        let setback = setback.map(serde_json::to_string).transpose().map_err(json)?;
        let script = Script::new(REMARK);
        let mut call = script.key(MARK);
        call.key(SETBACKS).arg(former).arg(&text).arg(setback.unwrap_or_default()).arg(SETBACKS_MAX);
        let replaced: bool = self.aside.call(&call).await.map_err(|error| self.aside.away(&error))?;
        Ok(replaced.then_some(text))
    }

    pub(in crate::queue) async fn setbacks(&self) -> Result<Vec<(Setback, Duration)>, Unavailable> {
        let mut commands = redis::pipe();
        commands.cmd("TIME").lrange(SETBACKS, 0, -1);
        let said = self.aside.run_all(&commands).await;
        let (now, listed): (Time, Vec<Vec<u8>>) = said.map_err(|error| self.aside.away(&error))?;
        // Another version may have written more than this one understands.
        let setbacks = listed.iter().filter_map(|text| serde_json::from_slice::<Setback>(text).ok());
        let with_age = |setback: Setback| {
            let ago_ms = in_ms(now).saturating_sub(setback.at_ms);
            (setback, Duration::from_millis(u64::try_from(ago_ms).unwrap_or(0)))
        };
        Ok(setbacks.map(with_age).collect())
    }
}
