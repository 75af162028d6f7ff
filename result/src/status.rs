//! The status page, which says where votes are. This module reads the stores, the crate
//! `status` makes the diagnosis of what they say, and this module words it.

mod advice;
mod events;
mod memory;
mod page;
mod phrases;
mod reader;
mod report;
mod text;
mod wording;

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use ::status::Diagnosis;
use axum::Extension;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use web::{Asset, Language, Visitor};

pub(crate) use self::events::{Line, lines};
use self::page::Page;
use self::reader::Reader;
use self::report::report;
pub(crate) use self::report::{state_class, summary};
use self::text::sentence;
pub(crate) use self::wording::{Wording, state_word};
use crate::totals::json;
use crate::{App, Config, MORPH, Newest};

/// The script that keeps the status page up to date.
pub(crate) static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::script("status.js", [MORPH, include_str!("../assets/status.js")].concat()));

/// Somebody who has just killed something looks again about this often.
const READ_EVERY: Duration = Duration::from_secs(1);

/// Reads the state of every hop, and renews the diagnosis, until `shutdown`.
pub(crate) async fn run(
    config: &Config,
    newest: Newest,
    diagnoses: watch::Sender<Arc<Diagnosis>>,
    shutdown: &CancellationToken,
) {
    shutdown.run_until_cancelled(read(config, newest, &diagnoses)).await;
}

async fn read(config: &Config, newest: Newest, diagnoses: &watch::Sender<Arc<Diagnosis>>) {
    let mut reader = Reader::of(config, newest);
    loop {
        let reading = reader.read().await;
        let next = diagnoses.borrow().next(reading, config.poll.id.as_str(), Instant::now());
        diagnoses.send_replace(Arc::new(next));
        sleep(READ_EVERY).await;
    }
}

/// The title of the status page, for links to it.
pub(crate) fn title(language: Language) -> &'static str {
    phrases::say(language).title
}

/// What a page says when it has lost its server.
pub(crate) fn unreachable(language: Language) -> &'static str {
    phrases::say(language).unreachable
}

/// What holds votes up, for the results page: a sentence about the worst finding, and
/// how many votes wait. Empty while all is well.
pub(crate) fn worst_sentence(config: &Config, diagnosis: &Diagnosis, language: Language) -> String {
    let wording = Wording::of(config, language);
    let worst = diagnosis.worst(Instant::now()).and_then(|worst| {
        let problem = worst.problem.as_ref()?;
        Some(sentence(worst.hop, problem, wording))
    });
    let waiting = diagnosis.held_up().map(|votes| language.count(web::say(language).waiting, votes));
    worst.into_iter().chain(waiting).collect::<Vec<_>>().join(" ")
}

/// Shows the status page.
pub(crate) async fn show(State(app): State<Arc<App>>, Extension(visitor): Extension<Visitor>) -> Response {
    let report = report(&app.config, &app.diagnosis.borrow().clone(), visitor.language);
    web::page(&Page::of(&app.config, report, &visitor))
}

/// Sends programs the same report, in English.
pub(crate) async fn api(State(app): State<Arc<App>>) -> Response {
    let report = report(&app.config, &app.diagnosis.borrow().clone(), Language::English);
    ([(CONTENT_TYPE, "application/json")], json(&report).to_string()).into_response()
}
