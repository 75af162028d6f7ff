//! The ballot page.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use askama::Template;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use common::ballot::Choice;
use common::http;

use crate::Desk;
use crate::voter::Voter;

/// Shows the ballot, and gives a browser that is not known yet its identity.
///
/// Only on GET. If a POST did so too, a lost answer and a second try would
/// make two voters of one; and whoever asks with HEAD, such as a monitor, does
/// not vote. An old key's cookie is signed anew, and the voter stays the same.
pub(crate) async fn ballot(State(desk): State<Arc<Desk>>, method: Method, headers: HeaderMap) -> Response {
    let voter = desk.booth.keys.verify(&headers).unwrap_or_else(Voter::unknown);
    let mut response = render(&desk, &headers, &voter, None);
    if method == Method::GET && !desk.booth.keys.is_current(&headers) {
        set_cookie(&desk, &mut response, &voter);
    }
    response
}

/// What the page says about a vote that was not recorded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trouble {
    pub(crate) title: &'static str,
    pub(crate) text: &'static str,
    /// How it is counted in the metrics.
    pub(crate) outcome: &'static str,
}

/// The page for this voter.
pub(crate) fn render(desk: &Desk, headers: &HeaderMap, voter: &Voter, trouble: Option<Trouble>) -> Response {
    let booth = &desk.booth;
    let recorded = voter.recorded.as_ref().filter(|recorded| recorded.poll == booth.poll.id);
    http::page(&Page {
        question: &booth.poll.question,
        options: booth.poll.choices().collect(),
        chosen: recorded.map(|recorded| recorded.choice),
        recorded: recorded.and_then(|recorded| {
            let label = booth.poll.label(recorded.choice)?;
            Some((label, clock_time(recorded.at_ms)))
        }),
        trouble,
        replica: &booth.replica,
        embedded: booth.embedded,
        results: booth.results.url(headers),
    })
}

/// Sends the voter's cookie with the response.
pub(crate) fn set_cookie(desk: &Desk, response: &mut Response, voter: &Voter) {
    match desk.booth.keys.sign(voter, desk.booth.secure_cookie) {
        Ok(cookie) => {
            response.headers_mut().insert(SET_COOKIE, cookie);
        }
        Err(error) => tracing::error!("cannot write a cookie: {error}"),
    }
}

#[derive(Template)]
#[template(path = "ballot.html")]
struct Page<'a> {
    question: &'a str,
    options: Vec<(Choice, &'a str)>,
    chosen: Option<Choice>,
    /// The label of the recorded vote, and when it was recorded.
    recorded: Option<(&'a str, String)>,
    trouble: Option<Trouble>,
    replica: &'a str,
    embedded: bool,
    results: String,
}

/// The time of day in UTC, which the page names: the server knows no other.
fn clock_time(at_ms: i64) -> String {
    let at = UNIX_EPOCH + Duration::from_millis(at_ms.unsigned_abs());
    let date_and_time = humantime::format_rfc3339_seconds(at).to_string();
    date_and_time[11..19].to_owned()
}
