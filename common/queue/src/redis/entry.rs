//! The format of a stream entry, both ways.

use election::{Ballot, clean_label};

use crate::{Delivery, EntryId};

/// Every valid value of a parsed field is shorter than this. A longer value is not
/// repeated in the reason why an entry is no ballot.
const VALUE_MAX_BYTES: usize = 128;

/// The fields of a ballot's entry, in the order in which `redis-cli` shows them. The script of the append has the names, too.
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

/// Entries as Redis sends them. They are bytes, because anybody may have written anything to
/// the stream.
pub(super) type Entries = Vec<Entry>;
pub(super) type Entry = (String, Fields);
type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// Reads entries, whoever wrote them. For an entry that is no ballot, the delivery says why.
pub(super) fn deliveries(entries: Entries) -> Vec<Delivery> {
    entries.into_iter().map(delivery).collect()
}

fn delivery((entry, fields): Entry) -> Delivery {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let fields: Vec<_> = fields.into_iter().map(|(name, value)| (text(name), text(value))).collect();
    Delivery { entry: EntryId(entry), ballot: ballot(&fields) }
}

fn ballot(fields: &[(String, String)]) -> Result<Ballot, String> {
    Ok(Ballot {
        poll: parsed(fields, "poll")?,
        voter: parsed(fields, "voter")?,
        choice: parsed(fields, "choice")?,
        ord: parsed(fields, "ord")?,
        id: parsed(fields, "id")?,
        via: clean_label(field(fields, "via")?),
    })
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    fields: &[(String, String)],
    name: &str,
) -> Result<T, String> {
    let value = field(fields, name)?;
    if value.len() > VALUE_MAX_BYTES {
        return Err(format!(
            "{name} is {} bytes long, and at most {VALUE_MAX_BYTES} make sense",
            value.len()
        ));
    }
    value.parse().map_err(|error| format!("{name} is {value:?}: {error}"))
}

fn field<'a>(fields: &'a [(String, String)], name: &str) -> Result<&'a str, String> {
    fields
        .iter()
        .find(|(present, _)| present == name)
        .map(|(_, value)| value.as_str())
        .ok_or_else(|| format!("the field {name} is missing"))
}
