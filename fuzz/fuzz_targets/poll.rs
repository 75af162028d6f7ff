//! Somebody writes any poll file: it is a poll that keeps what a poll promises, or an error of one line.

#![no_main]

use std::collections::HashSet;

use election::Poll;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match Poll::parse(text, [None, None]) {
        Ok(poll) => {
            assert_kept(&poll);
            relabelled(text, &poll);
        }
        Err(error) => assert_eq!(format!("{error:#}").lines().count(), 1, "{error:#}"),
    }
});

fn assert_kept(poll: &Poll) {
    assert!((2..=10).contains(&poll.options.len()));
    assert_eq!(poll.options.iter().collect::<HashSet<_>>().len(), poll.options.len());
    for (text, max) in
        [(&poll.question, 300)].into_iter().chain(poll.options.iter().map(|label| (label, 100)))
    {
        assert!(!text.trim().is_empty() && text.chars().count() <= max && !text.contains(char::is_control));
    }
    let id = poll.id.as_str();
    assert!((1..=64).contains(&id.len()));
    assert!(id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'));
    let labels: Vec<&str> = poll
        .choices()
        .map(|(choice, label)| {
            assert_eq!(poll.label(choice), Some(label));
            label
        })
        .collect();
    assert_eq!(labels, poll.options);
}

/// Other labels are another election, and always the same one.
fn relabelled(text: &str, poll: &Poll) {
    let labels = [Some("one label"), Some("another")];
    let Ok(other) = Poll::parse(text, labels) else { return };
    assert_kept(&other);
    assert_ne!(other.id, poll.id);
    assert_eq!(Poll::parse(text, labels).expect("the same").id, other.id);
    assert_eq!(other.options[..2], ["one label", "another"]);
    assert_eq!(other.options[2..], poll.options[2..]);
}
