//! The voter's signed cookie: who the voter is, and their last vote.

use axum::http::header::InvalidHeaderValue;
use axum::http::{HeaderMap, HeaderValue};
use election::{Choice, PollId, VoterId};

use crate::Keys;

const NAME: &str = "voter";

/// The name over https. A browser takes a cookie of such a name only from this very host, so no
/// neighbour subdomain can plant one.
const HOST_NAME: &str = "__Host-voter";

/// In the cookie, this follows a choice that replaced another one.
const CHANGED: &str = "!";

/// The content of the cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VoterCookie {
    pub(crate) voter: VoterId,
    /// The `ord` of the voter's last ballot, whether or not that was recorded.
    pub(crate) ord: i64,
    /// The last vote that was recorded.
    pub(crate) recorded: Option<Recorded>,
}

/// A vote that was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub(crate) poll: PollId,
    pub(crate) choice: Choice,
    /// Whether it replaced another choice of this voter in this poll.
    pub(crate) changed: bool,
    /// The time of the vote, in milliseconds since 1970, on the queue's clock.
    pub(crate) at_ms: i64,
}

impl VoterCookie {
    /// The cookie of a new voter.
    pub(crate) fn new() -> Self {
        Self { voter: VoterId::draw(), ord: 0, recorded: None }
    }

    /// The voter's cookie in these headers, if one of the keys has signed it.
    ///
    /// Over https it is the one that no neighbour can plant. A browser without that one was last
    /// here with a former release, so its plain cookie is taken over. If there are plain cookies
    /// of several voters, one may be planted, and nobody can tell which: then none counts.
    pub(crate) fn verify(keys: &Keys, headers: &HeaderMap, secure: bool) -> Option<Self> {
        let named = |name| keys.verified(name, headers).filter_map(|signed| Self::from_value(&signed.value));
        let plain: Vec<Self> = named(NAME).collect();
        let newest = |cookies: Vec<Self>| cookies.into_iter().max_by_key(|cookie| cookie.ord);
        match named(HOST_NAME).next().filter(|_| secure) {
            // A replica of a former release writes only the plain cookie, which may then be the newer one.
            Some(own) => {
                let same = plain.into_iter().filter(|cookie| cookie.voter == own.voter);
                newest(same.chain([own.clone()]).collect())
            }
            None => {
                let is_one_voter = plain.windows(2).all(|pair| pair[0].voter == pair[1].voter);
                newest(plain).filter(|_| is_one_voter)
            }
        }
    }

    /// Whether the cookie in these headers has the name in use, and was signed by the key that signs now.
    pub(crate) fn is_current(keys: &Keys, headers: &HeaderMap, secure: bool) -> bool {
        let mut named = keys.verified(if secure { HOST_NAME } else { NAME }, headers);
        named.any(|signed| signed.is_current && Self::from_value(&signed.value).is_some())
    }

    /// The values of `Set-Cookie` for this cookie: first the one that counts. Over https, the plain
    /// cookie follows: without it, a replica of a former release would see a new voter.
    pub(crate) fn sign(&self, keys: &Keys, secure: bool) -> Result<Vec<HeaderValue>, InvalidHeaderValue> {
        let names = [HOST_NAME, NAME].into_iter().skip(usize::from(!secure));
        names.map(|name| keys.sign(name, self.to_value(), secure)).collect()
    }

    /// The `ord` of the voter's next ballot: the time on the clock that all replicas
    /// share, but always higher than the `ord` of every ballot before.
    pub(crate) fn next_ord(&self, now_ms: i64) -> i64 {
        now_ms.max(self.ord.saturating_add(1))
    }

    /// Remembers that this choice was recorded.
    pub(crate) fn remember(&mut self, poll: PollId, choice: Choice, at_ms: i64) -> &Recorded {
        let former = self.recorded.take().filter(|former| former.poll == poll);
        let changed = former.is_some_and(|former| former.choice != choice);
        self.recorded.insert(Recorded { poll, choice, changed, at_ms })
    }

    fn to_value(&self) -> String {
        let Self { voter, ord, recorded } = self;
        match recorded {
            None => format!("{voter}.{ord}"),
            Some(Recorded { poll, choice, changed, at_ms }) => {
                let mark = if *changed { CHANGED } else { "" };
                format!("{voter}.{ord}.{poll}.{choice}{mark}.{at_ms}")
            }
        }
    }

    pub(crate) fn from_value(value: &str) -> Option<Self> {
        let mut parts = value.split('.');
        let voter = parts.next()?.parse().ok()?;
        let ord = parts.next()?.parse().ok()?;
        let rest: Vec<&str> = parts.collect();
        let recorded = match rest[..] {
            [] => None,
            [poll, choice, at_ms] => Some(Recorded {
                poll: poll.parse().ok()?,
                choice: choice.trim_end_matches(CHANGED).parse().ok()?,
                changed: choice.ends_with(CHANGED),
                at_ms: at_ms.parse().ok()?,
            }),
            _ => return None,
        };
        Some(Self { voter, ord, recorded })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header::COOKIE;

    use super::*;

    const OLD: &str = "an-old-key-that-is-long-enough-to-be-taken";
    const NEW: &str = "a-new-key-that-is-long-enough-to-be-taken!";

    fn a_cookie() -> VoterCookie {
        let recorded = Recorded {
            poll: "nesquik-cola-cao".parse().unwrap(),
            choice: "b".parse().unwrap(),
            changed: false,
            at_ms: 1_700_000_000_000,
        };
        VoterCookie { voter: VoterId::draw(), ord: 1_700_000_000_001, recorded: Some(recorded) }
    }

    /// The cookie as it is signed without https.
    fn signed(keys: &Keys, cookie: &VoterCookie) -> HeaderValue {
        cookie.sign(keys, false).unwrap().remove(0)
    }

    fn sent_back(set_cookie: &HeaderValue) -> HeaderMap {
        HeaderMap::from_iter([(COOKIE, pair(set_cookie))])
    }

    fn pair(set_cookie: &HeaderValue) -> HeaderValue {
        HeaderValue::try_from(set_cookie.to_str().unwrap().split(';').next().unwrap()).unwrap()
    }

    #[test]
    fn a_cookie_that_is_sent_back_says_what_was_signed() {
        let keys = Keys::parse(OLD).unwrap();
        for cookie in [a_cookie(), VoterCookie::new()] {
            let set_cookie = signed(&keys, &cookie);
            assert_eq!(VoterCookie::verify(&keys, &sent_back(&set_cookie), false), Some(cookie));
        }
    }

    #[test]
    fn a_change_of_mind_is_remembered_within_one_poll() {
        let keys = Keys::parse(OLD).unwrap();
        let mut cookie = a_cookie();
        let mut told = |poll: &str, choice: &str| {
            cookie.remember(poll.parse().unwrap(), choice.parse().unwrap(), 5);
            let kept = VoterCookie::verify(&keys, &sent_back(&signed(&keys, &cookie)), false).unwrap();
            assert_eq!(kept, cookie);
            kept.recorded.unwrap().changed
        };
        assert!(!told("nesquik-cola-cao", "b"), "the same again");
        assert!(told("nesquik-cola-cao", "a"), "another choice");
        assert!(!told("lunch", "b"), "another poll");
    }

    #[test]
    fn a_new_key_makes_nobody_a_new_voter() {
        let cookie = sent_back(&signed(&Keys::parse(OLD).unwrap(), &a_cookie()));
        let rotated = Keys::parse(&format!("{NEW}\n{OLD}\n")).unwrap();
        assert!(VoterCookie::verify(&rotated, &cookie, false).is_some());
        assert!(!VoterCookie::is_current(&rotated, &cookie, false));
        assert_eq!(VoterCookie::verify(&Keys::parse(NEW).unwrap(), &cookie, false), None);
    }

    #[test]
    fn a_changed_cookie_is_none() {
        let keys = Keys::parse(OLD).unwrap();
        let cookie = signed(&keys, &a_cookie()).to_str().unwrap().to_owned();
        for (old, new) in [(".b.", ".a."), ("voter=", "voter=x"), ("nesquik", "nesqui")] {
            let forged = HeaderValue::try_from(cookie.replacen(old, new, 1)).unwrap();
            assert_ne!(forged.to_str().unwrap(), cookie);
            assert_eq!(VoterCookie::verify(&keys, &sent_back(&forged), false), None, "{old} to {new}");
        }
    }

    #[test]
    fn the_cookie_is_secure_exactly_when_asked() {
        let keys = Keys::parse(OLD).unwrap();
        let flags = |secure| a_cookie().sign(&keys, secure).unwrap()[0].to_str().unwrap().to_owned();
        for flag in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=34560000"] {
            assert!(flags(false).contains(flag), "{flag} in {}", flags(false));
        }
        assert!(flags(true).contains("Secure") && !flags(false).contains("Secure"));
    }

    #[test]
    fn over_https_the_cookie_that_no_neighbour_can_plant_counts_and_an_only_plain_one_is_taken_over() {
        let keys = Keys::parse(OLD).unwrap();
        let (mine, planted) = (a_cookie(), a_cookie());
        let [host, plain] = <[_; 2]>::try_from(mine.sign(&keys, true).unwrap()).unwrap();
        let planted = signed(&keys, &planted);
        let verified = |sent: &[&HeaderValue]| {
            let headers = sent.iter().map(|cookie| (COOKIE, pair(cookie)));
            VoterCookie::verify(&keys, &HeaderMap::from_iter(headers), true)
        };
        assert_eq!(verified(&[&planted, &host]).as_ref(), Some(&mine));
        assert_eq!(verified(&[&planted, &host, &plain]).as_ref(), Some(&mine));
        assert_eq!(verified(&[&plain]).as_ref(), Some(&mine), "taken over");
        assert_eq!(verified(&[&planted, &plain]), None, "nobody can tell which of the two is planted");
        let later = VoterCookie { ord: mine.ord + 1, ..mine };
        assert_eq!(verified(&[&host, &signed(&keys, &later)]), Some(later), "a former release was asked");
    }

    #[test]
    fn every_ballot_comes_after_the_one_before_even_if_the_clock_went_back() {
        let cookie = a_cookie();
        assert_eq!(cookie.next_ord(5), cookie.ord + 1);
        assert_eq!(cookie.next_ord(cookie.ord + 500), cookie.ord + 500);
    }
}
