//! The votes that a voter remembers, and what the voter was told about each.

use std::collections::BTreeMap;
use std::time::Instant;

use election::{Choice, VoterId};
use hyper::StatusCode;

use crate::cookie::Cookie;

/// An English page that refuses a vote says this. [`caller::Caller`] asks for English.
const NOT_RECORDED: &str = "Not recorded";

/// One vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vote {
    /// The option that the voter chose.
    pub choice: Choice,
    /// When the vote was sent.
    pub sent: Instant,
    /// What the voter was told.
    pub answer: Answer,
}

/// What a voter was told about a vote. `ord` is the order of the vote, from the answer's cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The vote is recorded. It counts until a later vote counts.
    Recorded {
        /// The order of the vote. A later vote has a higher one.
        ord: i64,
    },
    /// The vote never counts.
    Refused,
    /// The vote may count until a later vote is recorded.
    Unconfirmed {
        /// The order of the vote. A later vote has a higher one.
        ord: i64,
    },
    /// There was no answer. The vote may be held up somewhere, and be taken after a later one.
    None,
}

/// The votes of each voter, in the order in which they were sent.
pub type Told = BTreeMap<VoterId, Vec<Vote>>;

impl Vote {
    /// A vote that is sent now and not answered yet.
    pub fn sent_now(choice: Choice) -> Self {
        Self { choice, sent: Instant::now(), answer: Answer::None }
    }
}

impl Answer {
    /// What an answer to a vote means. The status alone does not show it: a proxy's 502 may hide a
    /// vote that was recorded. Only an answer of `vote` itself has the voter's cookie.
    pub fn of(status: StatusCode, cookie: Option<&Cookie>, page: &[u8]) -> Self {
        match cookie.map(|cookie| cookie.ord) {
            _ if String::from_utf8_lossy(page).contains(NOT_RECORDED) => Self::Refused,
            Some(ord) if status == StatusCode::SEE_OTHER => Self::Recorded { ord },
            Some(ord) => Self::Unconfirmed { ord },
            None => Self::None,
        }
    }

    /// Whether the voter was told that the vote is recorded.
    pub fn is_recorded(self) -> bool {
        matches!(self, Self::Recorded { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_our_cookie_tells_nothing_unless_it_refuses() {
        let cookie = "voter=c2lnbmVk=d41d8cd98f00b204e9800998ecf8427e.7".parse::<Cookie>().unwrap();
        let cases = [
            (303, true, "", Answer::Recorded { ord: 7 }),
            (303, false, "", Answer::None),
            (503, true, "<title>Not recorded</title>", Answer::Refused),
            (503, true, "<title>Not confirmed</title>", Answer::Unconfirmed { ord: 7 }),
            (502, false, "Bad Gateway", Answer::None),
            (408, false, "<title>Not recorded</title>", Answer::Refused),
        ];
        for (status, is_ours, page, expected) in cases {
            let status = StatusCode::from_u16(status).unwrap();
            let answer = Answer::of(status, is_ours.then_some(&cookie), page.as_bytes());
            assert_eq!(answer, expected, "{status} {page}");
        }
    }
}
