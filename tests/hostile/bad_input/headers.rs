//! Bad values in the headers and addresses that our pages read.

use super::election::Election;
use super::{HEADERS, NO_WORDS, NOT_KNOWN, RECORDED};

const VOTE: &[u8] = b"vote=a";

/// None of these changes the vote that it comes with.
const ODD: [&[u8]; 8] = [
    b"Host:",
    b"Host: a b",
    b"Host: \xff",
    b"Host: evil.example",
    b"Host: evil.example:99999",
    b"Host: one\r\nHost: two",
    b"Accept-Language: ,;q=,-;q=-1,*;q=nan,es;q=inf,\xff",
    b"Accept-Language: es;q=9e999999999",
];

/// Addresses and headers that try to become a part of the page.
const SHOWN: [(&str, &[u8], u16); 10] = [
    ("/%3Cscript%3Eevil", b"", 404),
    ("/?lang=%3Cscript%3Eevil", b"", 200),
    ("/?lang=es&lang=%22%3E%3Cscript%3Eevil", b"", 200),
    ("/?=&&=&lang==&lang", b"", 200),
    ("/", b"Host: <script>evil", 200),
    ("/", b"Host: \"><script>evil", 200),
    ("/", b"Host: evil.example/<script>evil", 200),
    ("/", b"Host: <script>evil@x", 200),
    ("/", b"Cookie: lang=<script>evil", 200),
    ("/", b"Accept-Language: <script>evil", 200),
];

/// The answer to a voter without a cookie shows commands, which contain the host.
const REPEATED: [&[u8]; 7] = [
    b"Cookie:\r\nHost: evil&lt;",
    b"Cookie:\r\nHost: <script>evil",
    b"Cookie:\r\nHost: evil'; rm -rf /",
    b"Cookie:\r\nHost: evil`id`",
    b"Cookie:\r\nHost: evil$(id)",
    b"Cookie:\r\nHost: evil|id",
    b"Cookie:\r\nHost: \"evil",
];

#[tokio::test]
async fn headers_change_nothing_but_what_they_are_for() {
    let mut election = Election::open().await;
    for line in ODD {
        election.expect(line, VOTE, 303, RECORDED).await;
    }
    for (path, line, status) in SHOWN {
        election.expect_for(&format!("GET {path} HTTP/1.1"), line, b"", status, NO_WORDS).await;
    }
    for line in REPEATED {
        election.expect(line, VOTE, 403, NOT_KNOWN).await;
    }
    election.close(HEADERS).await;
}
