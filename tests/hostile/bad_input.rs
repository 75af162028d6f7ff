//! What no honest client, operator or service sends, where our own code decides the answer. What
//! hyper, tungstenite or serde decide is theirs to test.
//!
//! Each case names its answer. Each family ends with services that are alive and never panicked,
//! and that counted every honest vote, cast before and after, once and nothing else.

mod bounds;
mod cookie;
mod election;
mod entries;
mod form;
mod headers;
mod polls;
mod settings;

/// The number of cases in each family, which checks it.
const BOUNDS: usize = 243;
const COOKIE: usize = 304;
const ENTRIES: usize = 119;
const FORM: usize = 45;
const HEADERS: usize = 25;
const POLLS: usize = 41;
const SETTINGS: usize = 123;

/// A few words of each answer of `vote`.
const KEYS: &str = "a (\u{2068}Nesquik\u{2069}), b (\u{2068}Cola Cao\u{2069})";
const NOT_KNOWN: &str = "-b voter.txt -c voter.txt -d vote=a http://";
const NO_FORM: &str = "x-www-form-urlencoded";
const OTHER_POLL: &str = "The question has changed";
const TOO_LONG: &str = "at most 1024 bytes";
const RECORDED: &str = "location: /";
/// For answers that hyper gives, which are a status and nothing more.
const NO_WORDS: &str = "";
