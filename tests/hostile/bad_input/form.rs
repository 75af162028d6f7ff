//! Forms that are no vote, and odd ones that are.

use super::election::Election;
use super::{FORM, KEYS, OTHER_POLL, RECORDED, TOO_LONG};

/// Each of these is a vote for option a.
const ODD: [&str; 14] = [
    "vote=a",
    "vote=%61",
    "v%6fte=a",
    "vote=a&",
    "&&vote=a&&",
    "vote=a&x=1",
    "x=vote%3Db&vote=a",
    "vote=a&vote%00=b",
    "vote=a&VOTE=b",
    "vote=a&%ff=%ff",
    "vote=a&poll=nesquik-cola-cao",
    "poll=nesquik-cola-cao&vote=a",
    "vote=a&poll=nesquik%2dcola%2Dcao",
    "vote=a&x=vote=b&[poll]=x",
];

/// None of these names an option.
const NO_KEY: [&str; 60] = [
    "vote",
    "=a",
    "a",
    "&",
    "=",
    "VOTE=a",
    " vote=a",
    "vote =a",
    "vote[]=a",
    "vote%00=a",
    "vote.x=1&vote.y=2",
    "vote==a",
    "vote=a=b",
    "vote=a;vote=b",
    "vote:a",
    "poll=nesquik-cola-cao",
    "vote=a&poll=nesquik-cola-cao&poll=nesquik-cola-cao",
    "vote=a&vote=a",
    "vote=b&x=1&vote=a",
    "{\"vote\":\"a\"}",
    "<vote>a</vote>",
    "\u{feff}vote=a",
    "vote=\u{feff}a",
    "vote= a",
    "vote=+a",
    "vote=a+",
    "vote=a\n",
    "vote=a\r\n",
    "vote=a%00",
    "vote=a%20",
    "vote=aa",
    "vote=ab",
    "vote=a,b",
    "vote=10",
    "vote=-1",
    "vote=null",
    "vote=undefined",
    "vote=true",
    "vote=NaN",
    "vote=Nesquik",
    "vote=' OR 1=1 --",
    "vote=a'; DROP TABLE ballots; --",
    "vote=%27%20UNION%20SELECT%201",
    "vote=../../etc/passwd",
    "vote=${jndi:ldap://x/a}",
    "vote={{7*7}}",
    "vote=<script>alert(1)</script>",
    "vote=%",
    "vote=%6",
    "vote=%zz",
    "vote=%%61",
    "vote=%2561",
    "vote=%u0061",
    "vote=%c1%a1",
    "vote=%ed%a0%80",
    "vote=%f4%90%80%80",
    "vote=%e1%80",
    "vote=\u{430}",
    "vote=\u{ff41}",
    "vote=a\u{301}",
];

const OF_ANOTHER_POLL: [&str; 7] = [
    "vote=a&poll=",
    "vote=a&poll",
    "vote=a&poll=Nesquik-Cola-Cao",
    "vote=a&poll=nesquik-cola-cao%00",
    "vote=a&poll=%ff",
    "vote=z&poll=lunch",
    "vote=&poll=../nesquik-cola-cao",
];

/// The most that a form may hold, in bytes.
const MAX: usize = 1024;

#[tokio::test]
async fn what_no_ballot_page_sends_is_refused_or_counted_as_what_it_says() {
    let mut election = Election::open().await;
    for body in ODD {
        election.expect(b"", body.as_bytes(), 303, RECORDED).await;
    }
    for body in NO_KEY {
        election.expect(b"", body.as_bytes(), 400, KEYS).await;
    }
    for body in OF_ANOTHER_POLL {
        election.expect(b"", body.as_bytes(), 409, OTHER_POLL).await;
    }
    for byte in (0..=u8::MAX).filter(|byte| !b"ab".contains(byte)) {
        election.expect(b"", format!("vote=%{byte:02x}").as_bytes(), 400, KEYS).await;
    }
    let filled = |length: usize| format!("vote=a&x={}", "x".repeat(length - "vote=a&x=".len()));
    election.expect(b"", filled(MAX).as_bytes(), 303, RECORDED).await;
    for length in [MAX + 1, 10_000, 1_000_000] {
        election.expect(b"", filled(length).as_bytes(), 413, TOO_LONG).await;
    }
    election.close(FORM).await;
}
