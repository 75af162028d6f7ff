//! The replica that answers, as people and programs see it.

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use uuid::Uuid;

use crate::Language;
use crate::phrases::{fill, say};

/// The style sheet has as many hues, and they can be told from each other.
const HUES: u8 = 10;

/// What sets a replica apart from the others.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Replica<'a> {
    /// Its name.
    #[serde(rename = "replica")]
    pub name: &'a str,
    /// The machine that it runs on, if it knows.
    pub node: Option<&'a str>,
    /// The name of its release.
    pub release: &'a str,
}

/// How a page names the replica that answered, in the visitor's language.
#[derive(Clone, Debug, Serialize)]
pub struct Signature {
    /// A sentence with the replica's name.
    pub by: String,
    /// The release, in words.
    pub release: String,
    /// The class of the release's colour. The colour follows from the name, on every replica alike.
    pub hue: String,
}

impl Replica<'_> {
    /// Signs a page.
    pub fn sign(self, language: Language) -> Signature {
        let say = say(language);
        Signature {
            by: fill(say.answered_by, "replica", self.name),
            release: fill(say.release, "release", self.release),
            hue: hue_of(self.release),
        }
    }

    /// Tells a program who answers: one line, or JSON if these headers ask for it.
    pub fn introduce(self, headers: &HeaderMap) -> Response {
        let mut accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        if accepted.any(|value| value.contains("application/json")) {
            let json = serde_json::json!(self).to_string();
            return ([(CONTENT_TYPE, "application/json")], json).into_response();
        }
        let node = self.node.map_or_else(String::new, |node| format!(", on {node}"));
        format!("{}, release {}{node}\n", self.name, self.release).into_response()
    }
}

/// The class of the colour of a release.
pub fn hue_of(release: &str) -> String {
    format!("hue-{}", hue(release))
}

/// Spreads names evenly over the hues.
fn hue(release: &str) -> u8 {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, release.as_bytes()).as_bytes()[15] % HUES
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const STYLE: &str = include_str!("../assets/base.css");

    #[test]
    fn releases_that_meet_in_an_update_differ_in_colour() {
        for (old, new) in
            [("1", "2"), ("v1", "v2"), ("0.1.0", "0.2.0"), ("blue", "green"), ("stable", "canary")]
        {
            assert_ne!(hue(old), hue(new), "{old} and {new}");
        }
        let hues: BTreeSet<u8> = (0..100).map(|number| hue(&format!("1.{number}.0"))).collect();
        assert_eq!(hues.len(), usize::from(HUES), "every hue is used");
        for hue in hues {
            assert!(STYLE.contains(&format!(".hue-{hue} {{")), "the style sheet has no hue {hue}");
        }
    }

    #[test]
    fn a_page_is_signed_in_the_visitors_language() {
        let replica = Replica { name: "vote-1", node: None, release: "canary" };
        let signed = Language::ALL.map(|language| replica.sign(language));
        let said = signed.each_ref().map(|signature| (&*signature.by, &*signature.release));
        assert_eq!(said[0], ("Answered by vote-1", "release canary"));
        assert_eq!(said[3], ("Отвечает vote-1", "версия canary"));
        assert!(signed.iter().all(|signature| signature.hue == signed[0].hue));
    }
}
