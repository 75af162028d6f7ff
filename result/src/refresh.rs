//! How a page keeps up to date without its script.

use web::{Language, fill};

use crate::phrases::say;

/// How often the page loads itself anew: seldom enough to be read in peace.
pub(crate) const REFRESH_SECONDS: u32 = 15;

/// Says so.
pub(crate) fn refreshes(language: Language) -> String {
    fill(say(language).refreshes, "seconds", &REFRESH_SECONDS.to_string())
}
