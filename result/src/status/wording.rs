//! The names of hops and stores in this deployment, and the language of a text.

use std::time::Duration;

use service::Store;
use status::{Hop, HopState};
use web::{Language, fill};

use super::phrases::{Phrases, say};
use crate::Config;

/// The deployment that a text is about, and the language of the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wording<'a> {
    pub(crate) config: &'a Config,
    pub(crate) language: Language,
    pub(crate) say: &'static Phrases,
}

impl<'a> Wording<'a> {
    pub(crate) fn of(config: &'a Config, language: Language) -> Self {
        Self { config, language, say: say(language) }
    }

    /// The name of a hop, as deployments call it.
    pub(crate) fn name(self, hop: Hop) -> &'static str {
        match hop {
            Hop::Vote => "vote",
            Hop::Worker => "worker",
            Hop::Result => "result",
            Hop::Queue if self.config.embedded => "queue",
            Hop::Ledger if self.config.embedded => "ledger",
            Hop::Queue => "redis",
            Hop::Ledger => "db",
        }
    }

    /// What the hop does.
    pub(crate) fn does(self, hop: Hop) -> &'static str {
        match hop {
            Hop::Vote => self.say.takes,
            Hop::Queue => self.say.keeps,
            Hop::Worker => self.say.counts,
            Hop::Ledger => self.say.holds,
            Hop::Result => self.say.shows,
        }
    }

    /// The phrase with the name of the product that serves as this store.
    pub(crate) fn store(self, phrase: &str, store: Store) -> String {
        let product = match store {
            _ if self.config.embedded => "SQLite",
            Store::Queue => "Redis",
            Store::Ledger => "PostgreSQL",
        };
        fill(phrase, "store", product)
    }

    /// The phrase with the poll of this page.
    pub(crate) fn poll(self, phrase: &str) -> String {
        fill(phrase, "ours", self.config.poll.id.as_str())
    }

    /// The phrase with the poll of this page, and with another one.
    pub(crate) fn polls(self, phrase: &str, theirs: &str) -> String {
        fill(&self.poll(phrase), "theirs", theirs)
    }

    /// The phrase with this time.
    pub(crate) fn time(self, phrase: &str, time: Duration) -> String {
        fill(phrase, "time", &self.language.duration(time))
    }
}

/// A state in a word.
pub(crate) fn state_word(state: HopState, say: &Phrases) -> &'static str {
    match state {
        HopState::Well => say.well,
        HopState::Doubtful => say.doubtful,
        HopState::Broken => say.broken,
        HopState::Unknown => say.unknown,
    }
}
