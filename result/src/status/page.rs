//! The status page, which says where votes are. It is complete even without its script.

use askama::Template;
use status::report::Report;
use web::{Frame, Visitor};

use super::SCRIPT;
use super::phrases::{Phrases, say};
use crate::refresh::{REFRESH_SECONDS, refreshes};
use crate::{Config, phrases};

/// The status page.
#[derive(Template)]
#[template(path = "status.html")]
pub(crate) struct Page {
    frame: Frame,
    say: &'static Phrases,
    script: &'static str,
    report: Report,
    results: &'static str,
    refreshes: String,
}

impl Page {
    pub(crate) fn of(config: &Config, report: Report, visitor: &Visitor) -> Self {
        Self {
            frame: Frame::of(visitor, config.replica(), config.embedded),
            say: say(visitor.language),
            script: SCRIPT.path(),
            report,
            results: phrases::say(visitor.language).results,
            refreshes: refreshes(visitor.language),
        }
    }
}
