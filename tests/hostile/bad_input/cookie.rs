//! Cookies that identify nobody, and odd ones that identify a voter.

use super::election::Election;
use super::{COOKIE, NOT_KNOWN, RECORDED};

const VOTE: &[u8] = b"vote=a";

/// Signed with another key.
const OF_ANOTHER_KEY: &str =
    "voter=PYtHP21gNR9RurjSPa9H3dDTu30WN+pX/tniultiGxY=a3749acc7c46ea4949afc0f1daca19b9.0";

/// Here `{}` is a good cookie, and the voter is known.
const ODD: [&str; 16] = [
    "{}",
    "  {}  ",
    "{};",
    ";;; ;{}",
    "{}; {}",
    "{}; Path=/; HttpOnly",
    "$Version=1; {}; $Path=/",
    "lang=en; {}",
    "lang=%ff; {}",
    "voter=; {}",
    "voter=forged; {}",
    "{}; voter=forged",
    "voter; {}",
    "=; {}",
    "other=caf\u{e9}; {}",
    "\u{1f36a}=\u{1f36a}; {}",
];

/// Here no voter is known. `{value}` is the good cookie without its name.
const FORGED: [&str; 22] = [
    "",
    ";",
    "=",
    "voter",
    "voter=",
    "voter==",
    "voter=;voter=;voter=",
    "voter=%00",
    "voter=null",
    "voter=a3749acc7c46ea4949afc0f1daca19b9.0",
    "voter=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "voter=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=a3749acc7c46ea4949afc0f1daca19b9.0",
    "voter=\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}",
    "VOTER{value}",
    "voter2{value}",
    "x{}",
    "x={}",
    "{},{}",
    "{}{}",
    "{}.",
    "{}\t.",
    "voter=\"{value}\"",
];

/// What a good cookie says, and what a forger would like it to say.
const RISEN: [(&str, &str); 5] = [
    (".nesquik", ".9223372036854775807.nesquik"),
    (".nesquik-cola-cao", ""),
    ("nesquik-cola-cao", "lunch"),
    (".a.", ".b."),
    (".a.", ".a!."),
];

#[tokio::test]
async fn a_browser_without_a_cookie_of_ours_is_no_voter() {
    let mut election = Election::open().await;
    election.expect(b"", VOTE, 303, RECORDED).await;
    for cookie in ODD.map(|odd| odd.replace("{}", &election.oddball.cookie)) {
        election.expect(format!("Cookie: {cookie}").as_bytes(), VOTE, 303, RECORDED).await;
    }
    let full = full_cookie(&mut election).await;
    let value = full.trim_start_matches("voter");
    for cookie in FORGED.map(|forged| forged.replace("{}", &full).replace("{value}", value)) {
        expect_no_voter(&mut election, cookie.as_bytes()).await;
    }
    expect_no_voter(&mut election, OF_ANOTHER_KEY.as_bytes()).await;
    for (said, risen) in RISEN {
        assert!(full.contains(said), "{full}");
        expect_no_voter(&mut election, full.replacen(said, risen, 1).as_bytes()).await;
    }
    expect_no_voter(&mut election, &twin(&full)).await;
    for length in 0..full.len() {
        expect_no_voter(&mut election, &full.as_bytes()[..length]).await;
    }
    for place in 0..full.len() {
        let mut changed = full.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        expect_no_voter(&mut election, &changed).await;
    }
    election.close(COOKIE).await;
}

/// The longest kind of cookie: it holds a recorded vote, which must count.
async fn full_cookie(election: &mut Election) -> String {
    let voter = &mut election.stranger;
    let answer = voter.vote(&election.vote.url, "a").await.unwrap();
    assert_eq!(answer.status(), 303);
    election.honest.push(voter.clone());
    voter.cookie.clone()
}

/// The same signature, spelt differently: Base64 does not use two bits of its last letter.
fn twin(cookie: &str) -> Vec<u8> {
    let mut letters = cookie.as_bytes().to_vec();
    letters[cookie.rfind('=').unwrap() - 1] += 1;
    letters
}

async fn expect_no_voter(election: &mut Election, cookie: &[u8]) {
    election.expect(&[b"Cookie: ", cookie].concat(), VOTE, 403, NOT_KNOWN).await;
}
