//! The frame around every page; `base.html` draws it.

use crate::phrases::{Phrases, fill, say};
use crate::{Language, Visitor};

/// The frame of a page, in the visitor's language.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The language of the page.
    pub language: Language,
    /// The phrases of the frame.
    pub say: &'static Phrases,
    /// A sentence that names the replica that answered. A notice has none.
    pub replica: Option<String>,
    /// Whether everything runs in one process.
    pub embedded: bool,
}

impl Frame {
    /// The frame of a page that this replica shows to this visitor.
    pub fn of(visitor: &Visitor, replica: &str, embedded: bool) -> Self {
        let replica = answered_by(replica, visitor.language);
        Self { replica: Some(replica), embedded, ..Self::of_notice(visitor.language) }
    }

    pub(crate) fn of_notice(language: Language) -> Self {
        Self { language, say: say(language), replica: None, embedded: false }
    }
}

/// A sentence that names the replica that answered.
pub fn answered_by(replica: &str, language: Language) -> String {
    fill(say(language).answered_by, "replica", replica)
}
