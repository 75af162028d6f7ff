//! The names of hops and stores in this deployment, and the language of a text.

use service::Store;
use status::Hop;
use web::Language;

use super::phrases::{Phrases, say};
use crate::Config;

/// The deployment that a text is about, and the language of the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wording<'a> {
    pub(super) config: &'a Config,
    pub(super) language: Language,
    pub(super) say: &'static Phrases,
}

impl<'a> Wording<'a> {
    pub(super) fn of(config: &'a Config, language: Language) -> Self {
        Self { config, language, say: say(language) }
    }

    /// The name of a hop, as deployments call it.
    pub(super) fn name(self, hop: Hop) -> &'static str {
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

    /// The name of the product that serves as this store.
    pub(super) fn product(self, store: Store) -> &'static str {
        match store {
            _ if self.config.embedded => "SQLite",
            Store::Queue => "Redis",
            Store::Ledger => "PostgreSQL",
        }
    }
}
