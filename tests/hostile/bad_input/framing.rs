//! What is no proper HTTP, over plain sockets.

use super::election::{CAST, Election, converse};
use super::{FRAMING, RECORDED, SILENT};

const VOTE: &[u8] = b"vote=a";

/// First lines of a vote that is good otherwise.
const LINES: [(&str, u16, &str); 28] = [
    ("POST / HTTP/1.0", 303, RECORDED),
    ("\r\n\r\nPOST / HTTP/1.1", 303, RECORDED),
    ("POST /? HTTP/1.1", 303, RECORDED),
    ("POST /?vote=b HTTP/1.1", 303, RECORDED),
    ("POST http://evil.example/ HTTP/1.1", 303, RECORDED),
    ("POST / HTTP/0.9", 400, SILENT),
    ("POST / HTTP/1.2", 400, SILENT),
    ("POST / HTTP/2.0", 400, SILENT),
    ("POST / HTTP/1.1 ", 400, SILENT),
    ("POST / http/1.1", 400, SILENT),
    ("POST / HTTPS/1.1", 400, SILENT),
    ("POST /", 400, SILENT),
    ("POST", 400, SILENT),
    (" POST / HTTP/1.1", 400, SILENT),
    ("/ HTTP/1.1", 400, SILENT),
    ("PO(ST / HTTP/1.1", 400, SILENT),
    ("P\u{d6}ST / HTTP/1.1", 400, SILENT),
    ("POST /\0 HTTP/1.1", 400, SILENT),
    ("POST /a b HTTP/1.1", 400, SILENT),
    ("POST vote HTTP/1.1", 404, "nothing at this address"),
    ("POST * HTTP/1.1", 404, "nothing at this address"),
    ("POST // HTTP/1.1", 404, "nothing at this address"),
    ("POST /../ HTTP/1.1", 404, "nothing at this address"),
    ("POST /%2e%2e/%zz HTTP/1.1", 404, "nothing at this address"),
    ("CONNECT evil.example:80 HTTP/1.1", 404, "nothing at this address"),
    ("post / HTTP/1.1", 405, "does not take"),
    ("TRACE / HTTP/1.1", 405, "does not take"),
    ("MKCOL / HTTP/1.1", 405, "does not take"),
];

/// A line among the headers of a vote.
const HEADER: [(&[u8], u16); 12] = [
    (b"x: \xff\xfe", 303),
    (b"no colon", 400),
    (b"x : space", 400),
    (b": no name", 400),
    (b"x: folded\r\n line", 400),
    (b" x: y", 400),
    (b"x: \0", 400),
    (b"x: \x07", 400),
    (b"x: \x7f", 400),
    (b"x: a\rb", 400),
    (b"\xc3\xb1: x", 400),
    (b"x\0: y", 400),
];

/// How the length of a body is told, and the body.
const LENGTHS: [(&str, &str, u16, &str); 36] = [
    ("Content-Length: 6\r\nContent-Length: 6", "vote=a", 303, RECORDED),
    ("Content-Length: 06", "vote=a", 303, RECORDED),
    ("Content-Length: 6", "vote=a and more", 303, RECORDED),
    ("Content-Length: 5", "vote=a", 400, SILENT),
    ("Content-Length: 0", "vote=a", 400, SILENT),
    ("Content-Length: 6\r\nContent-Length: 7", "vote=a", 400, SILENT),
    ("Content-Length: 6, 6", "vote=a", 400, SILENT),
    ("Content-Length: -6", "vote=a", 400, SILENT),
    ("Content-Length: +6", "vote=a", 400, SILENT),
    ("Content-Length: 6x", "vote=a", 400, SILENT),
    ("Content-Length: 0x6", "vote=a", 400, SILENT),
    ("Content-Length: 6.0", "vote=a", 400, SILENT),
    ("Content-Length: 6 6", "vote=a", 400, SILENT),
    ("Content-Length:", "vote=a", 400, SILENT),
    ("Content-Length: six", "vote=a", 400, SILENT),
    ("Content-Length: 99999999999999999999", "vote=a", 400, SILENT),
    ("Content-Length: 18446744073709551615", "vote=a", 431, SILENT),
    ("Transfer-Encoding: chunked", "6\r\nvote=a\r\n0\r\n\r\n", 303, RECORDED),
    ("Transfer-Encoding: CHUNKED", "6\r\nvote=a\r\n0\r\n\r\n", 303, RECORDED),
    ("Transfer-Encoding: chunked", "2\r\nvo\r\n4;x=y\r\nte=a\r\n0\r\n\r\n", 303, RECORDED),
    ("Transfer-Encoding: chunked", "006\r\nvote=a\r\n0\r\nx: y\r\n\r\n", 303, RECORDED),
    // Both: the chunks count, as RFC 9112 says.
    ("Content-Length: 3\r\nTransfer-Encoding: chunked", "6\r\nvote=a\r\n0\r\n\r\n", 303, RECORDED),
    ("Transfer-Encoding: gzip", "vote=a", 400, SILENT),
    ("Transfer-Encoding: identity", "vote=a", 400, SILENT),
    ("Transfer-Encoding: chunked, gzip", "6\r\nvote=a\r\n0\r\n\r\n", 400, SILENT),
    ("Transfer-Encoding: xchunked", "6\r\nvote=a\r\n0\r\n\r\n", 400, SILENT),
    ("Transfer-Encoding:", "6\r\nvote=a\r\n0\r\n\r\n", 400, SILENT),
    ("Transfer-Encoding: chunked", "vote=a", 400, SILENT),
    ("Transfer-Encoding: chunked", "zz\r\nvote=a\r\n0\r\n\r\n", 400, SILENT),
    ("Transfer-Encoding: chunked", "-6\r\nvote=a\r\n0\r\n\r\n", 400, SILENT),
    ("Transfer-Encoding: chunked", "0x6\r\nvote=a\r\n0\r\n\r\n", 400, SILENT),
    ("Transfer-Encoding: chunked", "\r\nvote=a\r\n0\r\n\r\n", 400, SILENT),
    ("Transfer-Encoding: chunked", "5\r\nvote=a\r\n0\r\n\r\n", 400, SILENT),
    ("Transfer-Encoding: chunked", "6\r\nvote=axx0\r\n\r\n", 400, SILENT),
    ("Transfer-Encoding: chunked", "10000000000000006\r\nvote=a\r\n0\r\n\r\n", 400, SILENT),
    ("Transfer-Encoding: chunked", "0\r\n\r\n", 400, SILENT),
];

/// Other protocols that knock at the wrong door.
const OTHERS: [&[u8]; 10] = [
    b"GET /\r\n\r\n",
    b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03\x11\x11\x11\x11\x11\x11\x11\x11\x11",
    b"*1\r\n$4\r\nPING\r\n",
    b"\x00\x00\x00\x08\x04\xd2\x16\x2f",
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"EHLO evil.example\r\n",
    b"USER anonymous\r\n",
    b"\x05\x01\x00",
    b"\x00\x00\x00\x00\x00\x00\x00\x00",
    b"\xff\xff\xff\xff\xff\xff\xff\xff",
];

const HEADERS_MAX: usize = 64;

#[tokio::test]
async fn what_is_no_http_is_refused_and_half_a_vote_is_none() {
    let mut election = Election::open().await;
    for (line, status, says) in LINES {
        election.expect_for(line, b"", VOTE, status, says).await;
    }
    for (header, status) in HEADER {
        election.expect(header, VOTE, status, SILENT).await;
    }
    for (length, body, status, says) in LENGTHS {
        election.expect(length.as_bytes(), body.as_bytes(), status, says).await;
    }
    for greeting in OTHERS {
        election.expect_to(greeting, 400, SILENT).await;
    }
    oversized(&mut election).await;
    cut_short(&mut election).await;
    election.close(FRAMING).await;
}

/// As much as hyper takes, and more.
async fn oversized(election: &mut Election) {
    let most = HEADERS_MAX - 5;
    election.expect("x: y\r\n".repeat(most).trim_end().as_bytes(), VOTE, 303, RECORDED).await;
    for (headers, length) in [(most + 1, 1), (5_000, 1), (1, 17_000), (1, 1_000_000)] {
        let lines = format!("x: {}\r\n", "y".repeat(length)).repeat(headers);
        election.expect(lines.trim_end().as_bytes(), VOTE, 431, SILENT).await;
    }
    let long = |length: usize| "x".repeat(length);
    election.expect(format!("{}: y", long(17_000)).as_bytes(), VOTE, 431, SILENT).await;
    for (length, status) in [(8_000, 404), (17_000, 431), (1_000_000, 431)] {
        election.expect_for(&format!("GET /{} HTTP/1.1", long(length)), b"", b"", status, SILENT).await;
    }
    election.expect_for(&format!("{} / HTTP/1.1", long(17_000)), b"", b"", 431, SILENT).await;
    for (chunk, status) in [
        (format!("6;{}\r\nvote=a\r\n0\r\n\r\n", long(30_000)), 400),
        (format!("{}6\r\nvote=a\r\n0\r\n\r\n", "0".repeat(30_000)), 303),
        ("1\r\nx\r\n".repeat(2_000), 413),
        (format!("6\r\nvote=a\r\n0\r\n{}\r\n", "x: y\r\n".repeat(5_000)), 400),
    ] {
        election.expect(b"Transfer-Encoding: chunked", chunk.as_bytes(), status, SILENT).await;
    }
}

/// Each beginning of a vote, after which the client hangs up.
async fn cut_short(election: &mut Election) {
    let whole = election.request(CAST, &election.stranger.cookie, b"", VOTE);
    for length in 0..whole.len() {
        let answer = converse(election.address(), &whole[..length], true).await;
        assert!(!answer.contains("303"), "{answer}\nafter {length} of {} bytes", whole.len());
    }
    election.tried(whole.len());
}
