//! Stream entries that `vote` did not write: every client of Redis can write to the stream.

use std::collections::HashMap;

use harness::eventually;
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;

use super::ENTRIES;
use super::election::Election;

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// Replaced by a voter who has no other ballot.
const SOMEBODY: &str = "00000000000000000000000000000000";

/// A good ballot.
const BALLOT: [(&str, &str); 6] = [
    ("poll", "nesquik-cola-cao"),
    ("voter", SOMEBODY),
    ("choice", "a"),
    ("ord", "1700000000000"),
    ("id", "0123456789abcdef0123456789abcdef"),
    ("via", "vote-1"),
];

/// A value that makes an entry invalid: the field, the value, and the reason that is given.
const WRONG: &[(&str, &[u8], &str)] = &[
    ("poll", b"", "is not a poll id"),
    ("poll", b" ", "is not a poll id"),
    ("poll", b"Lunch", "is not a poll id"),
    ("poll", b"lunch!", "is not a poll id"),
    ("poll", b"lunch\n", "is not a poll id"),
    ("poll", b"lunch.b", "is not a poll id"),
    ("poll", b"a/../b", "is not a poll id"),
    ("poll", "¿qué?".as_bytes(), "is not a poll id"),
    ("poll", b"\xff\xfe", "is not a poll id"),
    ("poll", b"\0", "is not a poll id"),
    ("poll", b"'; DROP TABLE ballots; --", "is not a poll id"),
    ("poll", &[b'x'; 65], "is not a poll id"),
    ("voter", b"", "voter is \"\""),
    ("voter", b"0", "voter is \"0\""),
    ("voter", b"me", "voter is \"me\""),
    ("voter", b"0000000000000000000000000000000", "voter is"),
    ("voter", b"000000000000000000000000000000000", "voter is"),
    ("voter", b"0000000000000000000000000000000g", "voter is"),
    ("voter", b" 00000000000000000000000000000001", "voter is"),
    ("voter", b"00000000000000000000000000000001\n", "voter is"),
    ("voter", b"-0000000000000000000000000000001", "voter is"),
    ("voter", b"0x000000000000000000000000000001", "voter is"),
    ("voter", b"0000000-0000-0000-0000-0000000000001", "voter is"),
    ("voter", b"{00000000-0000-0000-0000-000000000001", "voter is"),
    ("voter", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "voter is"),
    ("choice", b"", "is not the key of an option"),
    ("choice", b"A", "is not the key of an option"),
    ("choice", b"k", "is not the key of an option"),
    ("choice", b"z", "is not the key of an option"),
    ("choice", b"0", "is not the key of an option"),
    ("choice", b"aa", "is not the key of an option"),
    ("choice", b"a ", "is not the key of an option"),
    ("choice", b"a\0", "is not the key of an option"),
    ("choice", b"a!", "is not the key of an option"),
    ("choice", b"Nesquik", "is not the key of an option"),
    ("choice", "á".as_bytes(), "is not the key of an option"),
    ("choice", "а".as_bytes(), "is not the key of an option"),
    ("choice", b"\xff", "is not the key of an option"),
    ("ord", b"", "ord is \"\""),
    ("ord", b"-", "ord is \"-\""),
    ("ord", b"x", "ord is \"x\""),
    ("ord", b" 1", "ord is \" 1\""),
    ("ord", b"1 ", "ord is \"1 \""),
    ("ord", b"1.0", "ord is \"1.0\""),
    ("ord", b"1e3", "ord is \"1e3\""),
    ("ord", b"0x10", "ord is \"0x10\""),
    ("ord", b"1_000", "ord is \"1_000\""),
    ("ord", b"--1", "ord is \"--1\""),
    ("ord", b"NaN", "ord is \"NaN\""),
    ("ord", b"9223372036854775808", "too large"),
    ("ord", b"-9223372036854775809", "too small"),
    ("ord", "١".as_bytes(), "ord is"),
    ("ord", b"\xff", "ord is"),
    ("id", b"", "id is \"\""),
    ("id", b"1", "id is \"1\""),
    ("id", b"0123456789abcdef0123456789abcdeg", "id is"),
    ("id", b"0123456789abcdef0123456789abcdef0", "id is"),
    ("id", b"01234567-89ab-cdef-0123-456789abcdef-", "id is"),
    ("id", b"\xff", "id is"),
];

/// A value that is odd, but valid: the field and the value.
const ODD: &[(&str, &[u8])] = &[
    ("poll", b"-"),
    ("poll", b"0"),
    ("poll", b"another-poll"),
    ("poll", &[b'x'; 64]),
    ("voter", b"ABCDEF00000000000000000000000000"),
    ("voter", b"abcdef00-0000-0000-0000-000000000001"),
    ("voter", b"{abcdef00-0000-0000-0000-000000000002}"),
    ("voter", b"urn:uuid:abcdef00-0000-0000-0000-000000000003"),
    ("voter", b"ffffffffffffffffffffffffffffffff"),
    ("choice", b"j"),
    ("ord", b"0"),
    ("ord", b"-0"),
    ("ord", b"+5"),
    ("ord", b"007"),
    ("ord", b"-1"),
    ("ord", b"9223372036854775807"),
    ("ord", b"-9223372036854775808"),
    ("id", b"00000000000000000000000000000000"),
    ("id", b"ABCDEF00-0000-0000-0000-000000000001"),
    ("via", b""),
    ("via", b"\0\x01\n\x7f"),
    ("via", b"\xff\xfe"),
    ("via", "🗳️ urna".as_bytes()),
    ("via", b"'; DROP TABLE ballots; --"),
    ("via", b"<script>evil</script>"),
    ("via", &[b'x'; 100_000]),
];

#[tokio::test]
async fn what_is_no_ballot_is_a_dead_letter_and_nothing_else_is_lost() {
    let mut election = Election::open().await;
    let mut stream = election.deployment.redis.connection().await;
    let mut expected = HashMap::new();
    for (entry, reason) in no_ballots() {
        expected.insert(add(&mut stream, &entry).await, reason);
    }
    election.tried(expected.len());
    for (voter, entries) in odd_ballots().iter().enumerate() {
        let entries = entries.iter().map(|entry| of_voter(voter, entry)).collect::<Vec<_>>();
        for entry in &entries {
            add(&mut stream, entry).await;
        }
        let first = |name: &str| {
            let field = entries[0].iter().find(|(known, _)| known == name.as_bytes()).unwrap();
            str::from_utf8(&field.1).unwrap()
        };
        let [voter, choice, ord] = ["voter", "choice", "ord"].map(first);
        election.must_count(voter.parse().unwrap(), choice.parse().unwrap(), ord.parse().unwrap());
        election.tried(entries.len());
    }
    let found = eventually("every dead letter", async || {
        let found = dead_letters(&mut stream).await;
        (found.len() >= expected.len()).then_some(found)
    })
    .await;
    assert_eq!(found.len(), expected.len());
    for (entry, reason) in expected {
        let said = &found[&entry];
        assert!(said.contains(&reason) && said.len() < 400, "{said}\nshould say {reason:?}, and little more");
    }
    let () = stream.del("urna:dead").await.unwrap();
    election.close(ENTRIES).await;
}

/// Entries that are no ballots, and the reason that is given for each.
fn no_ballots() -> Vec<(Fields, String)> {
    let wrong = WRONG.iter().map(|(name, value, reason)| (ballot(name, value), (*reason).to_owned()));
    let missing = (0..BALLOT.len()).map(|at| {
        let mut fields = ballot("", b"");
        fields.remove(at);
        (fields, format!("the field {} is missing", BALLOT[at].0))
    });
    let shouted = (0..BALLOT.len()).map(|at| {
        let mut fields = ballot("", b"");
        fields[at].0.make_ascii_uppercase();
        (fields, format!("the field {} is missing", BALLOT[at].0))
    });
    let endless =
        BALLOT[..5].iter().map(|(name, _)| (ballot(name, &[b'x'; 1_000_000]), format!("{name} is")));
    let strange = [("", 1), ("x", 1), ("vote", 3), ("\0", 100), ("y", 5_000)].map(|(name, count)| {
        (vec![(name.as_bytes().to_vec(), b"x".to_vec()); count], "the field poll is missing".to_owned())
    });
    wrong.chain(missing).chain(shouted).chain(endless).chain(strange).collect()
}

/// For each of many voters, the entries that are sent. The first one must count.
fn odd_ballots() -> Vec<Vec<Fields>> {
    let mut ballots: Vec<Vec<Fields>> = ODD.iter().map(|(name, value)| vec![ballot(name, value)]).collect();
    let usual = || ballot("", b"");
    let reversed = usual().into_iter().rev().collect();
    let field = |name: &str, value: &str| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
    let with_more = [usual(), vec![field("colour", "blue"), field("", "")]].concat();
    let said_twice = [usual(), vec![field("choice", "b"), field("poll", "lunch")]].concat();
    let crowded = [usual(), vec![field("x", "y"); 1_000]].concat();
    ballots.extend([reversed, with_more, said_twice, crowded].map(|fields| vec![fields]));
    let of_choice = |key: &str, name: &str, value: &str| {
        let mut fields = ballot(name, value.as_bytes());
        fields[2] = field("choice", key);
        fields
    };
    // The same ballot again; older ballots afterwards; and one of the same order with a lower id.
    ballots.push(vec![usual(), usual(), usual()]);
    ballots.push(vec![usual(), of_choice("b", "ord", "1699999999999"), of_choice("c", "ord", "-5")]);
    ballots.push(vec![usual(), of_choice("b", "id", "00000000000000000000000000000001")]);
    ballots
}

/// A good ballot with one other value.
fn ballot(name: &str, value: &[u8]) -> Fields {
    let value = |(usual, kept): &(&str, &str)| {
        let value = if *usual == name { value } else { kept.as_bytes() };
        (usual.as_bytes().to_vec(), value.to_vec())
    };
    BALLOT.iter().map(value).collect()
}

/// Gives a ballot of somebody to the voter of this number.
fn of_voter(number: usize, entry: &Fields) -> Fields {
    let voter = format!("{number:032x}").into_bytes();
    let named = entry.iter().cloned().map(|(name, value)| match value == SOMEBODY.as_bytes() {
        true if name == b"voter" => (name, voter.clone()),
        _ => (name, value),
    });
    named.collect()
}

async fn add(stream: &mut MultiplexedConnection, fields: &Fields) -> String {
    stream.xadd("urna:votes", "*", fields).await.unwrap()
}

/// Why each entry is a dead letter.
async fn dead_letters(stream: &mut MultiplexedConnection) -> HashMap<String, String> {
    type Letters = Vec<(String, Fields)>;
    let letters: Letters = stream.xrange_all("urna:dead").await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    letters.iter().map(|(_, fields)| (text(&fields[0].1), text(&fields[1].1))).collect()
}
