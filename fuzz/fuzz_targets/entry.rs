//! Somebody writes any entry to the stream: it is a ballot that stays the same when it is written
//! again, or it is none for a reason that fits a line.

#![no_main]

// The decoder is one file that knows the ballot and the queue alone, and it is as private as it
// should be: so it is compiled into this target, and the crate needs no door for it.
#[path = "../../common/queue/src/redis/entry.rs"]
mod entry;

use election::{Ballot, Choice};
use libfuzzer_sys::fuzz_target;
use queue::{Delivery, EntryId};

/// Two values of 128 bytes, each of which may be shown as six characters, and a sentence.
const REASON_MAX_BYTES: usize = 2_000;

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

fuzz_target!(|text: &[u8]| {
    let fields = fields(text);
    match decoded(&fields) {
        Ok(ballot) => {
            assert!(ballot.via.chars().count() <= 128 && !ballot.via.contains(char::is_control));
            assert!(Choice::at(ballot.choice.position()) == Some(ballot.choice));
            let encoded = entry::fields(&ballot).map(|(name, value)| (name.into(), value.into()));
            assert_eq!(decoded(&encoded.to_vec()).as_ref(), Ok(&ballot), "what we write, we read");
            assert_eq!(
                decoded(&[&fields[..], &encoded].concat()),
                Ok(ballot),
                "of a field said twice, the first counts"
            );
        }
        Err(reason) => assert!(reason.len() <= REASON_MAX_BYTES && !reason.contains('\n'), "{reason}"),
    }
});

/// A field in each line, as `name=value`.
fn fields(text: &[u8]) -> Fields {
    let lines = text.split(|byte| *byte == b'\n');
    let pairs =
        lines.map(|line| line.split_at(line.iter().position(|byte| *byte == b'=').unwrap_or(line.len())));
    pairs.map(|(name, value)| (name.to_vec(), value.get(1..).unwrap_or_default().to_vec())).collect()
}

fn decoded(fields: &Fields) -> Result<Ballot, String> {
    let deliveries = entry::deliveries(vec![("1-1".to_owned(), fields.clone())]);
    let [delivery] = <[_; 1]>::try_from(deliveries).expect("one for one");
    assert_eq!(delivery.entry.0, "1-1");
    delivery.ballot
}
