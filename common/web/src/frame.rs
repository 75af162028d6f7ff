//! The frame around every page; `base.html` draws it.

use crate::phrases::{Phrases, say};
use crate::{Language, Replica, Signature, Visitor};

/// The frame of a page, in the visitor's language.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The language of the page.
    pub language: Language,
    /// The phrases of the frame.
    pub say: &'static Phrases,
    /// The replica that answered. A notice names none.
    pub replica: Option<Signature>,
    /// Whether everything runs in one process.
    pub embedded: bool,
}

impl Frame {
    /// The frame of a page that this replica shows to this visitor.
    pub fn of(visitor: &Visitor, replica: Replica<'_>, embedded: bool) -> Self {
        Self { replica: Some(replica.sign(visitor.language)), embedded, ..Self::of_notice(visitor.language) }
    }

    pub(crate) fn of_notice(language: Language) -> Self {
        Self { language, say: say(language), replica: None, embedded: false }
    }
}
