//! The cookie by which `vote` knows a browser.

use std::str::FromStr;

use election::VoterId;
use hyper::HeaderMap;
use hyper::header::{HeaderValue, SET_COOKIE};

/// A cookie is `voter=SIGNATURE=ID.ORD`, perhaps with more after it.
#[derive(Clone, Debug)]
pub struct Cookie {
    /// What a browser sends back.
    pub header: HeaderValue,
    /// Whose it is.
    pub voter: VoterId,
    /// The order of the voter's last vote.
    pub ord: i64,
}

impl Cookie {
    /// The cookie that an answer sets.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        headers.get_all(SET_COOKIE).iter().find_map(|cookie| cookie.to_str().ok()?.parse().ok())
    }
}

impl FromStr for Cookie {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let pair = text.split(';').next().unwrap_or_default();
        let mut parts = pair.split('=').nth(2).ok_or(())?.split('.');
        let mut part = || parts.next().ok_or(());
        Ok(Self {
            header: pair.parse().map_err(drop)?,
            voter: part()?.parse().map_err(drop)?,
            ord: part()?.parse().map_err(drop)?,
        })
    }
}
