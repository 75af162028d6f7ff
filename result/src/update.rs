//! An update for all viewers, encoded once for programs and once for each language.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::extract::ws::Utf8Bytes;
use status::Diagnosis;
use web::Language;

use crate::Config;
use crate::totals::{PollTotals, json};
use crate::view::View;

/// The totals, the pace and the diagnosis at one moment.
#[derive(Debug)]
pub(crate) struct Update {
    pub(crate) totals: PollTotals,
    /// How many votes were counted in each interval of the last minutes. `None` where that
    /// is not known.
    pub(crate) pace: Vec<Option<u64>>,
    pub(crate) diagnosis: Arc<Diagnosis>,
    /// The totals for programs.
    pub(crate) json: Utf8Bytes,
    /// The views for pages. The view of a language is made when somebody watches in it.
    views: [OnceLock<Utf8Bytes>; Language::ALL.len()],
}

impl Update {
    pub(crate) fn new(totals: PollTotals, pace: Vec<Option<u64>>, diagnosis: Arc<Diagnosis>) -> Self {
        Self { json: json(&totals), totals, pace, diagnosis, views: Default::default() }
    }

    /// What a page shows in this language.
    pub(crate) fn view(&self, config: &Config, language: Language) -> View {
        View::of(config, &self.totals, &self.pace, &self.diagnosis, language)
    }

    /// The same, as it is sent to a page that is open.
    pub(crate) fn view_json(&self, config: &Config, language: Language) -> Utf8Bytes {
        self.views[language as usize].get_or_init(|| json(&self.view(config, language))).clone()
    }

    /// Whether viewers would see a difference, so that they need a message at once.
    pub(crate) fn differs_from(&self, other: &Self) -> bool {
        let counted = |update: &Self| update.pace.iter().map(|votes| votes.unwrap_or(0)).collect::<Vec<_>>();
        !self.totals.equals(&other.totals)
            || counted(self) != counted(other)
            || !self.diagnosis.reads_like(&other.diagnosis, Instant::now())
    }
}
