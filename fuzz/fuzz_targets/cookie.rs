//! Somebody sends any cookie: only what we signed makes them somebody, and what we signed comes back
//! as the same voter.

#![no_main]

mod ballot_page;

use std::sync::LazyLock;

use axum::http::{HeaderValue, Method, StatusCode};
use cookie::{Cookie, CookieJar, Key};
use libfuzzer_sys::fuzz_target;

/// In the input, this stands for a valid cookie, which no fuzzer can make.
const GOOD: u8 = b'\x01';

/// Input that begins with this is signed before it is sent, as our own content would be.
const SIGNED: u8 = b'\x02';

static COOKIE: LazyLock<String> = LazyLock::new(ballot_page::newcomer);

fuzz_target!(|data: &[u8]| match data.split_first() {
    Some((&SIGNED, said)) => str::from_utf8(said).map_or((), vouched_for),
    _ => sent(data),
});

/// A cookie that verifies is one that we signed, letter for letter.
fn sent(data: &[u8]) {
    let parts: Vec<&[u8]> = data.split(|byte| *byte == GOOD).collect();
    let Ok(header) = HeaderValue::from_bytes(&parts.join(COOKIE.as_bytes())) else { return };
    let (status, _) = ballot_page::ask(Method::POST, Some(header), b"vote=a");
    match status {
        StatusCode::SERVICE_UNAVAILABLE => assert!(parts.len() > 1, "a forged cookie was taken for ours"),
        status => assert_eq!(status, StatusCode::FORBIDDEN),
    }
}

/// Whatever we would sign: it is no voter, or it is the same one in the cookie that comes back.
fn vouched_for(said: &str) {
    let Some(header) = signed(said) else { return };
    let (shown, _) = ballot_page::ask(Method::GET, Some(header.clone()), b"");
    assert_eq!(shown, StatusCode::OK);
    let (status, cookie) = ballot_page::ask(Method::POST, Some(header), b"vote=a");
    let Some(cookie) = cookie else { return assert_eq!(status, StatusCode::FORBIDDEN) };
    assert_same(said, content(&cookie));
    let (_, again) = ballot_page::ask(Method::POST, cookie.parse().ok(), b"vote=a");
    assert_eq!(again.as_ref(), Some(&cookie), "what we write, we read");
}

/// Signs as `vote` does.
fn signed(said: &str) -> Option<HeaderValue> {
    let mut jar = CookieJar::new();
    jar.signed_mut(&Key::derive_from(ballot_page::KEY.as_bytes())).add(Cookie::new("voter", said.to_owned()));
    jar.get("voter")?.to_string().parse().ok()
}

/// What a cookie says after its signature, which is 44 letters long.
fn content(cookie: &str) -> &str {
    &cookie["voter=".len() + 44..]
}

fn assert_same(said: &str, kept: &str) {
    let (said, kept): (Vec<&str>, Vec<&str>) = (said.split('.').collect(), kept.split('.').collect());
    assert_eq!(said.len(), kept.len());
    assert_eq!(uuid::Uuid::try_parse(said[0]), uuid::Uuid::try_parse(kept[0]));
    assert_eq!(number(said[1]), number(kept[1]));
    if let ([_, _, poll, choice, at], [_, _, kept_poll, kept_choice, kept_at]) = (&said[..], &kept[..]) {
        assert_eq!((poll, number(at)), (kept_poll, number(kept_at)));
        assert_eq!(choice.trim_end_matches('!'), kept_choice.trim_end_matches('!'));
        assert_eq!(choice.ends_with('!'), kept_choice.ends_with('!'));
    }
}

fn number(text: &str) -> i64 {
    text.parse().expect("a number")
}
