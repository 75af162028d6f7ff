//! Poll files that are refused, and odd ones that are valid.

use std::fs;

use harness::Service;
use tempfile::TempDir;

use super::POLLS;

/// A valid poll file.
const GOOD: &str = "id = 'x'\nquestion = 'Why?'\noptions = ['a', 'b']\n";

/// A whole file, and the words that the refusal must contain.
const BROKEN: [(&[u8], &str); 9] = [
    (b"", "missing field `id`"),
    (b"id = 'x'", "missing field `question`"),
    (b"id = 'x'\nquestion = '?'", "missing field `options`"),
    (b"[poll]\nid = 'x'\nquestion = '?'\noptions = ['a', 'b']", "unknown field `poll`"),
    (b"id = 'x\nquestion = '?'\noptions = ['a', 'b']", "line 1: "),
    (b"id = 'x'\nid = 'y'\nquestion = '?'\noptions = ['a', 'b']", "line 2: "),
    (b"id = 'x'\nquestion = '?'\noptions = ['a', 'b'", "line 3: "),
    (b"id = 'x'\nquestion = '\xbfD\xe9 qu\xe9 somos?'\noptions = ['a', 'b']", "save it as UTF-8"),
    (b"\xff\xfei\x00d\x00", "save it as UTF-8"),
];

/// A line that takes the place of the good one, and the words that the refusal must contain.
const LINES: [(&str, &str); 19] = [
    ("id = ''", "is not a poll id: 1 to 64 of a-z, 0-9 and -"),
    ("id = ' x'", "is not a poll id"),
    ("id = 'X'", "is not a poll id"),
    ("id = 'x.y'", "is not a poll id"),
    ("id = 'año'", "is not a poll id"),
    ("id = '../x'", "is not a poll id"),
    ("id = 1", "line 1: invalid type: integer"),
    ("question = ''", "question \"\" is empty"),
    ("question = \"\\t\"", "question \"\\t\" is empty"),
    ("question = \"\u{2003}\"", "is empty"),
    ("question = \"\\u0000\"", "control character"),
    ("question = \"Why\\u0085?\"", "control character"),
    ("question = \"\"\"Why\n?\"\"\"", "control character"),
    ("options = []", "needs 2 to 10 options, not 0"),
    ("options = 'ab'", "line 3: invalid type: string"),
    ("options = ['', 'b']", "option \"\" is empty"),
    ("options = ['a', 'b', ' ']", "option \" \" is empty"),
    ("options = ['a', 'b', 'a']", "the option \"a\" is there twice"),
    ("options = ['1','2','3','4','5','6','7','8','9','10','11']", "needs 2 to 10 options, not 11"),
];

/// Lines that are odd, or as long as allowed.
const ODD: [&str; 8] = [
    "options = ['1','2','3','4','5','6','7','8','9','10']",
    "options = ['a', 'A']",
    "options = ['a', 'á', 'a\u{301}']",
    "options = ['<script>evil</script>', '{{7*7}}', '\"', '&amp;']",
    "question = '🗳️👩‍👩‍👧‍👦 ￼ ¿?'",
    "question = '\u{202e}?yhW'",
    "id = '-'",
    "id = '0123456789012345678901234567890123456789012345678901234567890123'",
];

#[tokio::test]
async fn a_poll_file_that_cannot_be_right_is_refused_by_its_name_and_its_line() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("lunch.toml");
    let mut cases: Vec<(Vec<u8>, String)> =
        BROKEN.map(|(text, says)| (text.to_vec(), says.to_owned())).to_vec();
    cases.extend(LINES.map(|(line, says)| (with(line).into_bytes(), says.to_owned())));
    let long = |length: usize| "x".repeat(length);
    let long = [
        (format!("id = '{}'", long(65)), "is not a poll id"),
        (format!("question = '{}'", long(301)), "is longer than 300 characters"),
        (format!("options = ['a', '{}']", long(101)), "is longer than 100 characters"),
    ];
    cases.extend(long.map(|(line, says)| (with(&line).into_bytes(), says.to_owned())));
    for (text, says) in &cases {
        fs::write(&file, text).unwrap();
        let mut vote = ask(file.to_str().unwrap());
        let status = vote.exit().await;
        let said = vote.output();
        let shown = String::from_utf8_lossy(text);
        assert_eq!(status.code(), Some(1), "{said}\nto {shown}");
        assert!(
            said.contains("lunch.toml (POLL)") && said.contains(says),
            "{said}\nshould say {says:?} to\n{shown}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    for line in ODD {
        fs::write(&file, with(line)).unwrap();
        ask(file.to_str().unwrap()).line("votes are taken by").await;
    }
    let windows = GOOD.replace('\n', "\r\n");
    fs::write(&file, format!("\u{feff}{windows}")).unwrap();
    ask(file.to_str().unwrap()).line("votes are taken by").await;
    let mut no_file = ask(folder.path().to_str().unwrap());
    assert_eq!(no_file.exit().await.code(), Some(1));
    assert!(no_file.output().contains("cannot read the poll file"), "{}", no_file.output());
    assert_eq!(cases.len() + ODD.len() + 2, POLLS);
}

/// The valid poll file with one other line.
fn with(line: &str) -> String {
    let name = line.split(' ').next().unwrap();
    let lines = GOOD.lines().map(|good| if good.starts_with(name) { line } else { good });
    lines.collect::<Vec<_>>().join("\n")
}

fn ask(poll: &str) -> Service {
    let settings = [
        ("REDIS_URL", "redis://127.0.0.1:1/"),
        ("COOKIE_KEY", "long enough for a key that signs cookies"),
        ("LISTEN", "127.0.0.1:0"),
        ("MANAGEMENT_LISTEN", "127.0.0.1:0"),
        ("POLL", poll),
    ];
    Service::spawn("vote", &settings)
}
