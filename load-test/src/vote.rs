//! What a voter remembers of their votes, and what they were told about each.

use std::collections::BTreeMap;
use std::time::Instant;

use common::ballot::{Choice, VoterId};
use hyper::StatusCode;

use crate::cookie::Cookie;

/// How the English page begins that refuses a vote. [`caller::Caller`] asks for English.
const NOT_RECORDED: &str = "Not recorded";

/// One vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vote {
    /// What was chosen.
    pub choice: Choice,
    /// When it was sent.
    pub sent: Instant,
    /// What its voter was told.
    pub answer: Answer,
}

/// What a voter was told. An order is that of the vote, as the cookie in the answer gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is recorded, so it counts until a later vote does.
    Recorded {
        /// A later vote has a higher one.
        ord: i64,
    },
    /// It never counts.
    Refused,
    /// It may count until a later vote is recorded: that one has a higher order.
    Unconfirmed {
        /// A later vote has a higher one.
        ord: i64,
    },
    /// There was no answer. The vote may still wait somewhere, and be taken as a later one.
    None,
}

/// The votes of each voter, in the order in which they were sent.
pub type Told = BTreeMap<VoterId, Vec<Vote>>;

impl Vote {
    /// A vote that is sent now, and not answered yet.
    pub fn sent_now(choice: Choice) -> Self {
        Self { choice, sent: Instant::now(), answer: Answer::None }
    }

    /// Whether its voter was told that it is recorded.
    pub fn is_recorded(&self) -> bool {
        matches!(self.answer, Answer::Recorded { .. })
    }
}

impl Answer {
    /// What an answer to a vote means. The status alone does not tell: a proxy's 502 may hide a vote
    /// that was recorded. Only `vote` itself sends the voter's cookie.
    pub fn of(status: StatusCode, cookie: Option<&Cookie>, page: &[u8]) -> Self {
        match cookie.map(|cookie| cookie.ord) {
            _ if is_refusal(page) => Self::Refused,
            Some(ord) if status == StatusCode::SEE_OTHER => Self::Recorded { ord },
            Some(ord) => Self::Unconfirmed { ord },
            None => Self::None,
        }
    }
}

fn is_refusal(page: &[u8]) -> bool {
    String::from_utf8_lossy(page).contains(NOT_RECORDED)
}

/// The choice that was recorded last.
pub fn last_recorded(votes: &[Vote]) -> Option<Choice> {
    votes.iter().rev().find(|vote| vote.is_recorded()).map(|vote| vote.choice)
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
