//! Everything that no honest client, operator or service would send. Each case says what is answered
//! to it, and each family ends with services that live, never panicked, and counted the honest votes
//! that were cast before and after, each of them once and nothing else.

mod cookie;
mod election;
mod entries;
mod form;
mod framing;
mod headers;
mod polls;
mod settings;
mod sockets;

/// How many cases there are of each family, which checks that itself.
const FORM: usize = 339;
const COOKIE: usize = 304;
const HEADERS: usize = 110;
const FRAMING: usize = 329;
const SOCKETS: usize = 107;
const ENTRIES: usize = 119;
const POLLS: usize = 64;
const SETTINGS: usize = 150;

/// What the project promises.
const AT_LEAST: usize = 500;

const _: () = assert!(
    FORM + COOKIE + HEADERS + FRAMING + SOCKETS + ENTRIES + POLLS + SETTINGS >= AT_LEAST,
    "too few cases of bad input"
);

/// What `vote` says to each kind of trouble, in a few of its words.
const KEYS: &str = "a (\u{2068}Nesquik\u{2069}), b (\u{2068}Cola Cao\u{2069})";
const NOT_KNOWN: &str = "-b voter.txt -c voter.txt -d vote=a http://";
const OTHER_SITE: &str = "another site";
const NO_FORM: &str = "x-www-form-urlencoded";
const OTHER_POLL: &str = "The question has changed";
const TOO_LONG: &str = "at most 1024 bytes";
const RECORDED: &str = "location: /";
/// hyper refuses what is no HTTP, and says no more than the status.
const SILENT: &str = "";
