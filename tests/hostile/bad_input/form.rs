//! Forms that are not a vote, and odd ones that are.

use super::election::Election;
use super::{FORM, KEYS, NO_FORM, OTHER_POLL, RECORDED};

const VOTE: &[u8] = b"vote=a";

/// Each of these is a vote for option a.
const ODD: [&str; 6] = [
    "vote=%61",
    "vote=a&x=1",
    "vote=a&VOTE=b",
    "vote=a&poll=nesquik-cola-cao",
    "poll=nesquik-cola-cao&vote=a",
    "vote=a&[poll]=x",
];

/// None of these names an option.
const NO_KEY: [&str; 26] = [
    "",
    "vote",
    "vote=",
    "VOTE=a",
    "poll=nesquik-cola-cao",
    "vote=a&vote=b",
    "{\"vote\":\"a\"}",
    "vote=A",
    "vote=c",
    "vote=j",
    "vote=k",
    "vote=+a",
    "vote=a+",
    "vote=a%0a",
    "vote=a%00",
    "vote=aa",
    "vote=a,b",
    "vote=10",
    "vote=-1",
    "vote=Nesquik",
    "vote=a'; DROP TABLE ballots; --",
    "vote=<script>alert(1)</script>",
    "vote=%2561",
    "vote=%ff%fe",
    "vote=\u{430}",
    "vote=a\u{301}",
];

const OF_ANOTHER_POLL: [&str; 8] = [
    "vote=a&poll=lunch",
    "vote=a&poll=",
    "vote=a&poll",
    "vote=a&poll=Nesquik-Cola-Cao",
    "vote=a&poll=nesquik-cola-cao%00",
    "vote=a&poll=%ff",
    "vote=z&poll=lunch",
    "vote=&poll=../nesquik-cola-cao",
];

#[tokio::test]
async fn what_no_ballot_page_sends_is_refused_or_counted_as_what_it_says() {
    let mut election = Election::open().await;
    for body in ODD {
        election.expect(b"", body.as_bytes(), 303, RECORDED).await;
    }
    election.expect_for("POST /?vote=b HTTP/1.1", b"", VOTE, 303, RECORDED).await;
    for body in NO_KEY {
        election.expect(b"", body.as_bytes(), 400, KEYS).await;
    }
    for body in OF_ANOTHER_POLL {
        election.expect(b"", body.as_bytes(), 409, OTHER_POLL).await;
    }
    for kind in ["", " text/plain", " application/json", " multipart/form-data; boundary=x"] {
        election.expect(format!("Content-Type:{kind}").as_bytes(), VOTE, 415, NO_FORM).await;
    }
    election.close(FORM).await;
}
