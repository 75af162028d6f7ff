//! The page that tells where a vote is: complete before, and without, its script.

use askama::Template;
use common::phrases::{Phrases, StatusPhrases, fill};

use super::SCRIPT;
use super::findings::State;
use super::view::View;
use crate::Board;
use crate::page::{REFRESH_SECONDS, refreshes};

/// The page.
#[derive(Template)]
#[template(path = "status.html")]
pub(crate) struct Page<'a> {
    say: &'static Phrases,
    told: &'static StatusPhrases,
    script: &'a str,
    view: View,
    replica: String,
    embedded: bool,
}

impl<'a> Page<'a> {
    pub(crate) fn of(board: &Board, view: View, say: &'static Phrases) -> Self {
        Self {
            say,
            told: StatusPhrases::of(say.language),
            script: SCRIPT.path(),
            replica: fill(say.answered_by, "replica", board.presence.name()),
            embedded: board.embedded,
            view,
        }
    }

    fn refreshes(&self) -> String {
        refreshes(self.say)
    }

    fn class(&self, state: &State) -> &'static str {
        match state {
            State::Well => "well",
            State::Doubtful => "doubtful",
            State::Broken => "broken",
            State::Unknown => "unknown",
        }
    }
}
