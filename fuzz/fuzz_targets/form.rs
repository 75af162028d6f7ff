//! A known voter posts any body: the answer is exactly what the form says.

#![no_main]

mod ballot_page;

use std::sync::LazyLock;

use axum::http::{HeaderValue, Method, StatusCode};
use libfuzzer_sys::fuzz_target;

/// The most that a form may hold, in bytes.
const MAX: usize = 1024;

static COOKIE: LazyLock<HeaderValue> = LazyLock::new(|| ballot_page::newcomer().parse().expect("a header value"));

fuzz_target!(|body: &[u8]| {
    let (status, cookie) = ballot_page::ask(Method::POST, Some(COOKIE.clone()), body);
    assert_eq!(status, expected(body));
    // An answer about the queue or the poll sets the same voter's cookie. Other answers set no cookie.
    let is_told = matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::CONFLICT);
    assert_eq!(cookie.as_deref().map(str::as_bytes), is_told.then(|| COOKIE.as_bytes()));
});

fn expected(body: &[u8]) -> StatusCode {
    if body.len() > MAX {
        return StatusCode::PAYLOAD_TOO_LARGE;
    }
    let pairs: Vec<_> = form_urlencoded::parse(body).collect();
    let values = |of: &str| -> Vec<&str> {
        pairs.iter().filter(|(name, _)| name == of).map(|(_, value)| value.as_ref()).collect()
    };
    match (&values("vote")[..], &values("poll")[..]) {
        ([_], [poll]) if *poll != "nesquik-cola-cao" => StatusCode::CONFLICT,
        (["a" | "b"], [] | [_]) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    }
}
