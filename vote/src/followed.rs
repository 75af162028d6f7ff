//! The second signed cookie: the receipt with which the page follows the recorded vote until it is counted.
//!
//! It is not part of the voter's cookie, because a replica of a former release cannot read a voter's
//! cookie with more parts, and would make its browser a new voter.

use axum::http::header::InvalidHeaderValue;
use axum::http::{HeaderMap, HeaderValue};
use cookie::Cookie;
use cookie::time::Duration;
use election::PollId;
use queue::{EntryId, Fate, Progress, Receipt};

use crate::Keys;
use crate::cookie::Recorded;

const NAME: &str = "receipt";

/// The name over https, where no neighbour subdomain can plant it.
const HOST_NAME: &str = "__Host-receipt";

/// The vote that the page follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Followed {
    receipt: Receipt,
    poll: PollId,
    /// The time of the vote, as in the voter's cookie.
    at_ms: i64,
    /// When it was first seen that the vote is counted, on the queue's clock.
    counted_ms: Option<i64>,
}

/// What the page says of the vote that it follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tick {
    /// It waits to be counted, behind this many others.
    Waits(u64),
    /// It is counted. This was first seen at this time, in milliseconds since 1970.
    Counted(i64),
    Dead,
    Unknown,
}

impl Followed {
    pub(crate) fn new(receipt: Receipt, recorded: &Recorded) -> Self {
        Self { receipt, poll: recorded.poll.clone(), at_ms: recorded.at_ms, counted_ms: None }
    }

    /// The vote to follow, if the cookie in these headers belongs to the recorded vote.
    pub(crate) fn verify(
        keys: &Keys,
        headers: &HeaderMap,
        secure: bool,
        recorded: &Recorded,
    ) -> Option<Self> {
        let signed = keys.verified(name(secure), headers);
        let mut followed = signed.filter_map(|signed| Self::from_value(&signed.value));
        followed.find(|followed| followed.poll == recorded.poll && followed.at_ms == recorded.at_ms)
    }

    /// The value of `Set-Cookie`.
    pub(crate) fn sign(&self, keys: &Keys, secure: bool) -> Result<HeaderValue, InvalidHeaderValue> {
        keys.sign(name(secure), self.to_value(), secure)
    }

    /// If the vote is now seen to be counted for the first time, notes the time and returns true.
    pub(crate) fn note(&mut self, progress: &Progress, now_ms: i64) -> bool {
        let is_news = self.counted_ms.is_none() && progress.fate(&self.receipt) == Fate::Counted;
        self.counted_ms = self.counted_ms.or(is_news.then_some(now_ms));
        is_news
    }

    /// The value of `Set-Cookie` that removes the cookie.
    pub(crate) fn forgotten(secure: bool) -> Option<HeaderValue> {
        let cookie = Cookie::build((name(secure), "")).path("/").secure(secure).max_age(Duration::ZERO);
        HeaderValue::try_from(cookie.to_string()).ok()
    }

    pub(crate) fn tick(&self, progress: &Progress) -> Tick {
        match (self.counted_ms, progress.fate(&self.receipt)) {
            (Some(at_ms), _) => Tick::Counted(at_ms),
            (None, Fate::Waits(behind)) => Tick::Waits(behind),
            (None, Fate::Dead) => Tick::Dead,
            (None, Fate::Counted | Fate::Unknown) => Tick::Unknown,
        }
    }

    fn to_value(&self) -> String {
        let Self { receipt: Receipt { entry, epoch, place }, poll, at_ms, counted_ms } = self;
        let counted = counted_ms.map(|ms| format!(".{ms}")).unwrap_or_default();
        format!("{}.{}.{place}.{poll}.{at_ms}{counted}", entry.0, epoch.simple())
    }

    fn from_value(value: &str) -> Option<Self> {
        let mut parts = value.split('.');
        let mut part = || parts.next();
        let receipt = Receipt {
            entry: EntryId(part()?.to_owned()),
            epoch: part()?.parse().ok()?,
            place: part()?.parse().ok()?,
        };
        let (poll, at_ms) = (part()?.parse().ok()?, part()?.parse().ok()?);
        let counted_ms = part().map(str::parse).transpose().ok()?;
        Some(Self { receipt, poll, at_ms, counted_ms })
    }
}

fn name(secure: bool) -> &'static str {
    if secure { HOST_NAME } else { NAME }
}

#[cfg(test)]
mod tests {
    use axum::http::header::COOKIE;

    use super::*;

    fn recorded() -> Recorded {
        Recorded {
            poll: "nesquik-cola-cao".parse().unwrap(),
            choice: "b".parse().unwrap(),
            changed: false,
            at_ms: 1_700_000_000_000,
        }
    }

    fn followed(counted_ms: Option<i64>) -> Followed {
        let entry = EntryId("1700000000001-3".to_owned());
        let receipt = Receipt { entry, epoch: election::random_uuid(), place: 7 };
        Followed { counted_ms, ..Followed::new(receipt, &recorded()) }
    }

    #[test]
    fn it_comes_back_as_it_was_and_only_for_the_vote_to_which_it_belongs() {
        let keys = Keys::parse("a-key-that-is-long-enough-to-be-taken-by-us").unwrap();
        for followed in [followed(None), followed(Some(1_700_000_000_900))] {
            let set_cookie = followed.sign(&keys, true).unwrap();
            let pair = set_cookie.to_str().unwrap().split(';').next().unwrap();
            let headers = HeaderMap::from_iter([(COOKIE, pair.parse().unwrap())]);
            let read = |recorded: &Recorded| Followed::verify(&keys, &headers, true, recorded);
            assert_eq!(read(&recorded()).as_ref(), Some(&followed));
            assert_eq!(read(&Recorded { at_ms: 1_700_000_000_001, ..recorded() }), None, "a later vote");
            assert_eq!(
                read(&Recorded { poll: "lunch".parse().unwrap(), ..recorded() }),
                None,
                "another poll"
            );
        }
    }

    #[test]
    fn no_cookie_is_taken_for_the_other() {
        let value = followed(None).to_value();
        assert!(crate::cookie::VoterCookie::from_value(&value).is_none(), "{value}");
    }

    #[test]
    fn what_was_once_seen_to_be_counted_stays_so() {
        let elsewhere = Progress::default();
        assert_eq!(followed(None).tick(&elsewhere), Tick::Unknown);
        assert_eq!(followed(Some(5)).tick(&elsewhere), Tick::Counted(5));
        assert!(!followed(None).note(&elsewhere, 9));
    }
}
