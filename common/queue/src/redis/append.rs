//! Appends to the stream: one call for many ballots, with an answer for each.

use election::{Ballot, random_uuid};
use redis::{RedisError, Script};
use store::redis::{Connection, is_answer};
use uuid::Uuid;

use super::entry::fields;
use super::{EPOCH, STREAM};
use crate::append::{Appended, Backend};
use crate::{AppendError, EntryId, FULL, Receipt};

/// Appends as many of the ballots as there is room for. Redis itself checks that, so that any number of replicas together
/// keep the bound. It returns how many entries came before, the epoch, the ids of the new entries, and why there are no
/// more, if it was an error.
///
/// The entries are counted before they are added: if the count fails, none was added, and all are refused. If Redis
/// refuses an entry later, the ones before it stay, and the count is put right. From then on nothing may fail the whole
/// call, because its error would say that none was added. The stream has a count of its own, but to
/// read that with `XINFO STREAM` would make this script take more than twice as long.
const APPEND: &str = r"
    local room = tonumber(ARGV[1]) - redis.call('XLEN', KEYS[1])
    local count = math.min(room, (#ARGV - 2) / 6)
    if count <= 0 then
        return {0, '', {}, ''}
    end
    local before = redis.call('HINCRBY', KEYS[2], 'appended', count) - count
    local epoch = redis.call('HGET', KEYS[2], 'id')
    if not epoch then
        epoch = ARGV[2]
        redis.call('HSET', KEYS[2], 'id', epoch)
    end
    local entries = {}
    for added = 0, count - 1 do
        local at = 3 + 6 * added
        local entry = redis.pcall('XADD', KEYS[1], '*',
            'poll', ARGV[at], 'voter', ARGV[at + 1], 'choice', ARGV[at + 2],
            'ord', ARGV[at + 3], 'id', ARGV[at + 4], 'via', ARGV[at + 5])
        if type(entry) == 'table' then
            redis.pcall('HINCRBY', KEYS[2], 'appended', added - count)
            return {before, epoch, entries, entry.err}
        end
        entries[added + 1] = entry
    end
    return {before, epoch, entries, ''}
";

/// The stream, for those who append.
#[derive(Debug)]
pub(super) struct Stream {
    connection: Connection,
    script: Script,
}

/// What the script returns.
type Added = (u64, String, Vec<String>, String);

impl Stream {
    pub(super) fn on(connection: Connection) -> Self {
        Self { connection, script: Script::new(APPEND) }
    }

    /// Uses the connection that a probe opened, so that no voter waits for one.
    async fn try_append(&self, ballots: &[Ballot], capacity: u64) -> Result<Added, AppendError> {
        let Some(opened) = self.connection.current() else {
            return Err(AppendError::Refused("not connected to Redis".to_owned()));
        };
        let mut call = self.script.key(STREAM);
        call.key(EPOCH).arg(capacity).arg(random_uuid().simple().to_string());
        for (_, value) in ballots.iter().flat_map(fields) {
            call.arg(value);
        }
        self.connection.call_on(opened, &call).await.map_err(|error: RedisError| {
            if is_answer(&error) {
                AppendError::Refused(error.to_string())
            } else {
                AppendError::Unconfirmed(error.to_string())
            }
        })
    }
}

impl Backend for Stream {
    async fn append(&self, ballots: &[Ballot], capacity: u64) -> Appended {
        let (before, epoch, entries, error) = match self.try_append(ballots, capacity).await {
            Ok(added) => added,
            Err(error) => return (Vec::new(), error),
        };
        // If somebody wrote nonsense there, the votes are recorded, but cannot be followed.
        let epoch = Uuid::try_parse(&epoch).unwrap_or_default();
        let places = before + 1..;
        let receipts = entries.into_iter().zip(places);
        let receipts = receipts.map(|(entry, place)| Receipt { entry: EntryId(entry), epoch, place });
        let error = if error.is_empty() { FULL.to_owned() } else { error };
        (receipts.collect(), AppendError::Refused(error))
    }
}
