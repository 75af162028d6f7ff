//! A look at the stream and the dead letters. From it, the fate of every entry can be told.

use election::random_uuid;
use redis::{Cmd, RedisError};
use store::redis::Connection;
use uuid::Uuid;

use super::entry::{Entries, Entry};
use super::{DEAD_LETTERS, EPOCH, STREAM};
use crate::EntryId;
use crate::progress::{DEAD_LETTERS_MAX, DeadLetter, Progress};

/// Looks at the queue. The dead letters that an earlier look has read are not read again.
pub(super) async fn look(connection: &Connection, earlier: Progress) -> Result<Progress, RedisError> {
    let newest = earlier.dead.first().map(|dead| &dead.buried);
    let look = look_after(connection, newest).await?;
    if look.epoch.is_some() && look.epoch == earlier.epoch {
        if look.appended >= earlier.appended {
            return Ok(look.with_dead_of(earlier));
        }
        // Redis was restored from an older copy. Its next entries get places that were given before.
        let () = connection.run(&Cmd::hdel(EPOCH, "id")).await?;
    }
    // A new queue gets its epoch here, so that even its first vote can be followed. If this is not
    // the queue of the earlier look, all its dead letters must be read.
    let () = connection.run(&Cmd::hset_nx(EPOCH, "id", random_uuid().simple().to_string())).await?;
    look_after(connection, None).await
}

/// Reads all in one transaction. Otherwise an entry that is buried between the readings of the dead
/// letters and of the stream would seem to be counted.
async fn look_after(connection: &Connection, newest: Option<&EntryId>) -> Result<Progress, RedisError> {
    let after = newest.map_or("-".to_owned(), |newest| format!("({}", newest.0));
    let mut commands = redis::pipe();
    commands.atomic();
    commands.hmget(EPOCH, &["id", "appended", "buried"]).xlen(STREAM).xrange_count(STREAM, "-", "+", 1);
    commands.xrevrange_count(DEAD_LETTERS, "+", after, DEAD_LETTERS_MAX);
    let ((epoch, appended, buried), length, first, dead): Look = connection.run_all(&commands).await?;
    let dead_letter = |(buried, fields): Entry| {
        let (_, entry) = fields.into_iter().find(|(name, _)| name == b"entry")?;
        Some(DeadLetter { buried: EntryId(buried), entry: EntryId(String::from_utf8(entry).ok()?) })
    };
    Ok(Progress {
        epoch: epoch.and_then(|epoch| Uuid::try_parse(&epoch).ok()),
        appended: appended.unwrap_or_default(),
        length,
        buried: buried.map(EntryId),
        oldest: first.into_iter().next().map(|(entry, _)| EntryId(entry)),
        dead: dead.into_iter().filter_map(dead_letter).collect(),
    })
}

type Look = ((Option<String>, Option<u64>, Option<String>), u64, Entries, Entries);
