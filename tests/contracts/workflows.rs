//! What the workflows on GitHub may run.

use std::fs;

/// A tag can be moved to other code. A commit cannot.
#[test]
fn every_action_is_named_by_its_commit_and_none_keeps_credentials() {
    for file in fs::read_dir(".github/workflows").unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let Some((_, action)) = line.split_once("uses: ").filter(|(_, used)| !used.starts_with("./"))
            else {
                continue;
            };
            let commit = action.split(['@', ' ']).nth(1).unwrap_or_default();
            let is_commit = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(is_commit, "{}: {line}", path.display());
            let keeps_none = lines.peek().is_some_and(|next| next.contains("persist-credentials: false"));
            assert!(!action.starts_with("actions/checkout") || keeps_none, "{}: {line}", path.display());
        }
    }
}
