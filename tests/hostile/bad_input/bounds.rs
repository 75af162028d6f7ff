//! Requests that are as large as we allow, larger ones, and votes that are cut short.

use super::election::{CAST, Election, converse};
use super::{BOUNDS, KEYS, NO_WORDS, RECORDED, TOO_LONG};

const VOTE: &[u8] = b"vote=a";

/// As many headers as a request may have, without those of [`Election::request`].
const HEADERS_MAX: usize = 64 - 5;

/// More than all headers may hold together.
const TOO_MANY_BYTES: usize = 17_000;

/// As many bytes as a form may have.
const FORM_MAX: usize = 1024;

#[tokio::test]
async fn a_request_larger_than_we_allow_is_refused_and_half_a_vote_is_none() {
    let mut election = Election::open().await;
    headers(&mut election).await;
    bodies(&mut election).await;
    halves(&mut election).await;
    election.close(BOUNDS).await;
}

async fn headers(election: &mut Election) {
    for (headers, length, status) in [
        (HEADERS_MAX, 1, 303),
        (HEADERS_MAX + 1, 1, 431),
        (5_000, 1, 431),
        (1, TOO_MANY_BYTES, 431),
        (1, 1_000_000, 431),
    ] {
        let lines = format!("x: {}\r\n", "y".repeat(length)).repeat(headers);
        election.expect(lines.trim_end().as_bytes(), VOTE, status, NO_WORDS).await;
    }
    for (length, status) in [(8_000, 404), (TOO_MANY_BYTES, 431), (1_000_000, 431)] {
        let line = format!("GET /{} HTTP/1.1", "x".repeat(length));
        election.expect_for(&line, b"", b"", status, NO_WORDS).await;
    }
}

async fn bodies(election: &mut Election) {
    let filled = |length: usize| format!("vote=a&x={}", "x".repeat(length - "vote=a&x=".len()));
    election.expect(b"", filled(FORM_MAX).as_bytes(), 303, RECORDED).await;
    for length in [FORM_MAX + 1, 10_000, 1_000_000] {
        election.expect(b"", filled(length).as_bytes(), 413, TOO_LONG).await;
    }
    // Chunks do not say beforehand how long the whole is.
    let chunks = format!("{}0\r\n\r\n", "1\r\nx\r\n".repeat(FORM_MAX + 1));
    election.expect(b"Transfer-Encoding: chunked", chunks.as_bytes(), 413, TOO_LONG).await;
}

/// Every beginning of a vote, after which the client hangs up.
async fn halves(election: &mut Election) {
    let whole = election.request(CAST, &election.stranger.cookie, b"", VOTE);
    for length in 0..whole.len() {
        let answer = converse(election.address(), &whole[..length], true).await;
        assert!(!answer.contains("303"), "{answer}\nafter {length} of {} bytes", whole.len());
    }
    election.tried(whole.len());
    election.expect(b"Content-Length: 5", VOTE, 400, KEYS).await;
}
