//! A ballot: one voter's choice in one poll, and which of two ballots counts.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use uuid::{Builder, Uuid};

/// One vote, on its way from the voter to the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ballot {
    /// The poll it belongs to.
    pub poll: PollId,
    /// The voter who cast it.
    pub voter: VoterId,
    /// The option that the voter chose.
    pub choice: Choice,
    /// The voter's own order: of a voter's two ballots, the one with the higher `ord` counts.
    pub ord: i64,
    /// Decides between two ballots with the same `ord`, the same way everywhere.
    pub id: Uuid,
    /// The replica of `vote` that took the ballot.
    pub via: String,
}

impl Ballot {
    /// The ballot with the higher rank is the newer one.
    pub fn rank(&self) -> (i64, Uuid) {
        (self.ord, self.id)
    }
}

/// Keeps the newest of these ballots for each voter of each poll.
///
/// The result is sorted by poll and voter. Two workers that record the same
/// voters therefore lock the rows in the same order and cannot deadlock.
pub fn newest_per_voter<'a>(ballots: impl IntoIterator<Item = &'a Ballot>) -> Vec<&'a Ballot> {
    let mut newest = BTreeMap::new();
    for ballot in ballots {
        let held = newest.entry((&ballot.poll, ballot.voter)).or_insert(ballot);
        if ballot.rank() > held.rank() {
            *held = ballot;
        }
    }
    newest.into_values().collect()
}

/// A browser's identity, as a version-7 UUID: the time at which it was drawn, and 74 random bits. Nobody can use
/// another's, because the cookie is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VoterId(pub Uuid);

impl VoterId {
    /// Draws a new identity. In the ledger's index, voters who come at the same time are neighbours, so their ballots
    /// meet a page that is in memory, however many were counted before.
    pub fn draw() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(Builder::from_unix_timestamp_millis(now.as_millis() as u64, &rand::random()).into_uuid())
    }
}

impl FromStr for VoterId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text).map(Self)
    }
}

impl fmt::Display for VoterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.simple())
    }
}

/// A UUID of 128 random bits. A version-4 UUID has only 122.
pub fn random_uuid() -> Uuid {
    Uuid::from_u128(rand::random())
}

/// Longer than any host name, and short enough to keep with every ballot.
const LABEL_MAX_CHARS: usize = 128;

/// Removes control characters from a replica's name, and cuts it to a bounded
/// length. A bad label must not cost a vote, so it is cleaned and never refused.
pub fn clean_label(label: &str) -> String {
    label.chars().filter(|char| !char.is_control()).take(LABEL_MAX_CHARS).collect()
}

/// The key of an option, `a` for the first. The form sends it, and the ledger counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Choice(char);

impl Choice {
    /// One letter for each option that a poll may have.
    const KEYS: &str = "abcdefghij";

    /// The most options that a poll may have.
    pub const MAX: usize = Self::KEYS.len();

    /// All keys, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::KEYS.chars().map(Self)
    }

    /// The key of the option at this position, counted from 0.
    pub fn at(position: usize) -> Option<Self> {
        Self::KEYS.chars().nth(position).map(Self)
    }

    /// The option's position in the poll, counted from 0.
    pub fn position(self) -> usize {
        self.0 as usize - 'a' as usize
    }
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(key) if Self::KEYS.contains(key) => Ok(Self(key)),
            _ => Err(format!("{text:?} is not the key of an option, a to j")),
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The id of a poll. A new id starts a new election.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct PollId(String);

impl PollId {
    /// Long enough for a sentence, short enough for a cookie and an index.
    const MAX_LENGTH: usize = 64;

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PollId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if text.is_empty() || text.len() > Self::MAX_LENGTH || !text.chars().all(allowed) {
            return Err(format!("{text:?} is not a poll id: 1 to {} of a-z, 0-9 and -", Self::MAX_LENGTH));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for PollId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for PollId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    /// Few voters and few values of `ord`, so that equal and reversed orders are common.
    fn ballots() -> impl Strategy<Value = Vec<Ballot>> {
        let ballot = (0..2u8, 0..5u128, 0..3usize, 0..6i64, any::<u128>());
        proptest::collection::vec(ballot, 0..60).prop_map(|drawn| {
            drawn
                .into_iter()
                .map(|(poll, voter, choice, ord, id)| Ballot {
                    poll: format!("poll-{poll}").parse().unwrap(),
                    voter: VoterId(Uuid::from_u128(voter)),
                    choice: Choice::at(choice).unwrap(),
                    ord,
                    id: Uuid::from_u128(id),
                    via: "test".to_owned(),
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn newest_per_voter_keeps_one_ballot_each_and_it_is_the_newest(ballots in ballots()) {
            let mut best: HashMap<(PollId, VoterId), (i64, Uuid)> = HashMap::new();
            for ballot in &ballots {
                let rank = best.entry((ballot.poll.clone(), ballot.voter)).or_insert(ballot.rank());
                *rank = (*rank).max(ballot.rank());
            }
            let kept = newest_per_voter(&ballots);
            prop_assert_eq!(kept.len(), best.len());
            for ballot in &kept {
                prop_assert_eq!(best[&(ballot.poll.clone(), ballot.voter)], ballot.rank());
            }
            prop_assert!(kept.is_sorted_by_key(|ballot| (&ballot.poll, ballot.voter)));
        }

        #[test]
        fn newest_per_voter_does_not_care_about_order_or_duplicates(
            ballots in ballots(),
            seed in any::<prop::sample::Index>(),
        ) {
            let mut shuffled: Vec<Ballot> = ballots.iter().chain(&ballots).cloned().collect();
            shuffled.reverse();
            if !shuffled.is_empty() {
                let middle = seed.index(shuffled.len());
                shuffled.rotate_left(middle);
            }
            prop_assert_eq!(newest_per_voter(&shuffled), newest_per_voter(&ballots));
        }
    }

    #[test]
    fn keys_are_the_letters_a_to_j_and_nothing_else() {
        let keys: Vec<String> = (0..Choice::MAX).map(|at| Choice::at(at).unwrap().to_string()).collect();
        assert_eq!(keys.concat(), "abcdefghij");
        assert!(Choice::at(Choice::MAX).is_none());
        for wrong in ["", "k", "A", "aa", "1", "á"] {
            assert!(wrong.parse::<Choice>().is_err(), "{wrong:?}");
        }
    }
}
