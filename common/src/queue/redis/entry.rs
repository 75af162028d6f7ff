//! The format of a stream entry, both ways.

use redis::streams::StreamId;
use uuid::Uuid;

use crate::ballot::{Ballot, VoterId};
use crate::queue::{Delivery, EntryId};

/// A replica's name is shown to people; what is longer than this is no name.
const MAX_VIA_CHARS: usize = 128;

/// The fields of a ballot's entry, in the order `redis-cli` shows them.
pub(super) fn fields(ballot: &Ballot) -> [(&'static str, String); 6] {
    [
        ("poll", ballot.poll.to_string()),
        ("voter", ballot.voter.to_string()),
        ("choice", ballot.choice.to_string()),
        ("ord", ballot.ord.to_string()),
        ("id", ballot.id.simple().to_string()),
        ("via", ballot.via.clone()),
    ]
}

/// Reads an entry, whoever wrote it: what is no ballot is kept for the dead letters.
pub(super) fn delivery(entry: StreamId) -> Delivery {
    let mut fields: Vec<(String, String)> = entry
        .map
        .into_iter()
        .map(|(name, value)| (name, redis::from_redis_value(value).unwrap_or_default()))
        .collect();
    fields.sort_unstable();
    Delivery { entry: EntryId(entry.id), ballot: ballot(&fields), fields }
}

fn ballot(fields: &[(String, String)]) -> Result<Ballot, String> {
    let via = field(fields, "via")?;
    if via.chars().count() > MAX_VIA_CHARS || via.chars().any(char::is_control) {
        return Err(format!("via is {via:?}, which is no replica's name"));
    }
    Ok(Ballot {
        poll: parsed(fields, "poll")?,
        voter: VoterId(parsed::<Uuid>(fields, "voter")?),
        choice: parsed(fields, "choice")?,
        ord: parsed(fields, "ord")?,
        id: parsed(fields, "id")?,
        via: via.to_owned(),
    })
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    fields: &[(String, String)],
    name: &str,
) -> Result<T, String> {
    let value = field(fields, name)?;
    value.parse().map_err(|error| format!("{name} is {value:?}: {error}"))
}

fn field<'a>(fields: &'a [(String, String)], name: &str) -> Result<&'a str, String> {
    fields
        .iter()
        .find(|(present, _)| present == name)
        .map(|(_, value)| value.as_str())
        .ok_or_else(|| format!("the field {name} is missing"))
}
