//! Headers, and above all where a vote says that it comes from.

use super::election::{CAST, Election};
use super::{HEADERS, NO_FORM, NOT_KNOWN, OTHER_SITE, RECORDED, SILENT};

const VOTE: &[u8] = b"vote=a";

/// Lines that come with a vote; `{own}` is the address of our page.
const FROM: &[(&[u8], u16, &str)] = &[
    (b"Sec-Fetch-Site: SAME-ORIGIN", 403, OTHER_SITE),
    (b"Sec-Fetch-Site: same-origin, cross-site", 403, OTHER_SITE),
    (b"Sec-Fetch-Site: \xff", 403, OTHER_SITE),
    (b"Sec-Fetch-Site: 1", 403, OTHER_SITE),
    (b"Sec-Fetch-Site: cross-site\r\nOrigin: http://{own}", 403, OTHER_SITE),
    (b"Sec-Fetch-Site: same-site\r\nOrigin: http://{own}", 403, OTHER_SITE),
    (b"Sec-Fetch-Site: cross-site\r\nSec-Fetch-Site: same-origin", 403, OTHER_SITE),
    (b"Sec-Fetch-Site:", 303, RECORDED),
    (b"Sec-Fetch-Site:   none  ", 303, RECORDED),
    (b"Sec-Fetch-Site: same-origin\r\nOrigin: null", 303, RECORDED),
    (b"Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document", 303, RECORDED),
    (b"Origin:", 303, RECORDED),
    (b"Origin: http://{own}", 303, RECORDED),
    (b"Origin: https://{own}", 303, RECORDED),
    (b"Origin: http://{own}\r\nReferer: http://evil.example/", 303, RECORDED),
    (b"Origin: NULL", 403, OTHER_SITE),
    (b"Origin: {own}", 403, OTHER_SITE),
    (b"Origin: //{own}", 403, OTHER_SITE),
    (b"Origin: http:{own}", 403, OTHER_SITE),
    (b"Origin: http://127.0.0.1", 403, OTHER_SITE),
    (b"Origin: http://127.0.0.1:1", 403, OTHER_SITE),
    (b"Origin: http://localhost", 403, OTHER_SITE),
    (b"Origin: http://{own}.evil.example", 403, OTHER_SITE),
    (b"Origin: http://{own}@evil.example", 403, OTHER_SITE),
    (b"Origin: http://evil.example/{own}", 403, OTHER_SITE),
    (b"Origin: http://evil.example?{own}", 403, OTHER_SITE),
    (b"Origin: http://evil.example#{own}", 403, OTHER_SITE),
    (b"Origin: http://evil.example http://{own}", 403, OTHER_SITE),
    (b"Origin: http://evil.example\r\nOrigin: http://{own}", 403, OTHER_SITE),
    (b"Origin: http://evil.example\r\nX-Forwarded-Host: evil.example", 403, OTHER_SITE),
    (b"Origin: http://[::1]:80", 403, OTHER_SITE),
    (b"Origin: http://", 403, OTHER_SITE),
    (b"Origin: http", 403, OTHER_SITE),
    (b"Origin: :", 403, OTHER_SITE),
    (b"Origin: file://", 403, OTHER_SITE),
    (b"Origin: data:text/html,x", 403, OTHER_SITE),
    (b"Origin: javascript:alert(1)", 403, OTHER_SITE),
    (b"Origin: chrome-extension://abcdef", 403, OTHER_SITE),
    (b"Origin: \xff\xfe", 403, OTHER_SITE),
    (b"Origin: http://\xd0\xb0.example", 403, OTHER_SITE),
    (b"Host: other.example\r\nOrigin: http://{own}", 403, OTHER_SITE),
    (b"Host: \r\nOrigin: http://{own}", 403, OTHER_SITE),
];

/// What a form may be called, and what it may not.
const TYPES: &[(&[u8], u16, &str)] = &[
    (b"Content-Type: application/x-www-form-urlencoded; charset=utf-8", 303, RECORDED),
    (b"Content-Type: application/x-www-form-urlencoded;charset=koi8-r", 303, RECORDED),
    (b"Content-Type: APPLICATION/X-WWW-Form-URLencoded", 415, NO_FORM),
    (b"Content-Type:", 415, NO_FORM),
    (b"Content-Type: ;", 415, NO_FORM),
    (b"Content-Type: */*", 415, NO_FORM),
    (b"Content-Type: \xff", 415, NO_FORM),
    (b"Content-Type: urlencoded", 415, NO_FORM),
    (b"Content-Type: text/plain", 415, NO_FORM),
    (b"Content-Type: text/html", 415, NO_FORM),
    (b"Content-Type: application/json", 415, NO_FORM),
    (b"Content-Type: application/xml", 415, NO_FORM),
    (b"Content-Type: application/octet-stream", 415, NO_FORM),
    (b"Content-Type: multipart/form-data; boundary=x", 415, NO_FORM),
    (b"Content-Type: text/plain\r\nContent-Type: application/x-www-form-urlencoded", 415, NO_FORM),
    (b"Content-Type: text/plain, application/x-www-form-urlencoded", 415, NO_FORM),
];

/// Nothing of this is the vote's concern.
const ODD: [&[u8]; 30] = [
    b"Host:",
    b"Host: a b",
    b"Host: \xff",
    b"Host: evil.example",
    b"Host: evil.example:99999",
    b"Host: one\r\nHost: two",
    b"Accept: ",
    b"Accept: nothing/at-all",
    b"Accept-Language: ,;q=,-;q=-1,*;q=nan,es;q=inf,\xff",
    b"Accept-Language: es;q=9e999999999",
    b"Accept-Encoding: gzip;q=x, \x2c\x2c, br;q=-0",
    b"Accept-Charset: ebcdic",
    b"Authorization: Basic \xff",
    b"Cache-Control: max-age=-1",
    b"Content-Encoding: gzip",
    b"Content-Language: tlh",
    b"Content-Disposition: attachment; filename=../../x",
    b"Date: yesterday",
    b"Expect: a-pony",
    b"Forwarded: for=\"_evil\";host=evil.example;proto=https",
    b"If-Match: *",
    b"If-Modified-Since: the day before",
    b"Range: bytes=9-1,-,5-",
    b"Referer: javascript:alert(1)",
    b"TE: nonsense;q=7",
    b"Upgrade: h2c",
    b"Via: 1.1 evil",
    b"X-Forwarded-For: 1.2.3.4, \xff",
    b"X-HTTP-Method-Override: DELETE",
    b"X-Empty:",
];

/// Addresses and headers that would like to be part of the page.
const SHOWN: [(&str, &[u8], u16); 14] = [
    ("/?lang=<script>evil", b"", 400),
    ("/?<script>evil", b"", 400),
    ("/<script>evil", b"", 400),
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
    ("/", b"User-Agent: <script>evil", 200),
];

/// The same where the page repeats the host, in the commands for those who came without a cookie.
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
    let own = election.address().to_owned();
    for (lines, status, says) in FROM.iter().chain(TYPES) {
        election.expect(&put(own.as_bytes(), lines), VOTE, *status, says).await;
    }
    for line in ODD {
        election.expect(line, VOTE, 303, RECORDED).await;
    }
    let untyped = String::from_utf8(election.request(CAST, &election.stranger.cookie, b"", VOTE)).unwrap();
    let untyped = untyped.replace("content-type: application/x-www-form-urlencoded\r\n", "");
    election.expect_to(untyped.as_bytes(), 415, NO_FORM).await;
    for (path, line, status) in SHOWN {
        election.expect_for(&format!("GET {path} HTTP/1.1"), line, b"", status, SILENT).await;
    }
    for line in REPEATED {
        election.expect(line, VOTE, 403, NOT_KNOWN).await;
    }
    election.close(HEADERS).await;
}

/// Puts our own address in its place.
fn put(own: &[u8], lines: &[u8]) -> Vec<u8> {
    const GAP: &[u8] = b"{own}";
    match lines.windows(GAP.len()).position(|window| window == GAP) {
        Some(at) => [&lines[..at], own, &lines[at + GAP.len()..]].concat(),
        None => lines.to_vec(),
    }
}
