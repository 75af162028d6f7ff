//! The ballot page.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use axum::response::Response;
use common::ballot::Choice;
use common::http;

use crate::Desk;
use crate::voter::Voter;

/// Shows the ballot, and gives a browser that is not known yet its identity.
/// Only here: if a POST did so too, a lost answer and a second try would make
/// two voters of one.
pub(crate) async fn ballot(State(desk): State<Arc<Desk>>, headers: HeaderMap) -> Response {
    let known = desk.booth.keys.verify(&headers);
    let give_cookie = known.is_none() || !desk.booth.keys.is_current(&headers);
    let voter = known.unwrap_or_else(Voter::unknown);
    let mut response = render(&desk, &headers, &voter, None);
    if give_cookie {
        set_cookie(&desk, &mut response, &voter);
    }
    response
}

/// Answers HEAD like GET, but gives out no identity: whoever asks for heads
/// only, such as a monitor, does not vote.
pub(crate) async fn head(State(desk): State<Arc<Desk>>, headers: HeaderMap) -> Response {
    let voter = desk.booth.keys.verify(&headers).unwrap_or_else(Voter::unknown);
    render(&desk, &headers, &voter, None)
}

/// What the page says about a vote that was not recorded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trouble {
    pub(crate) title: &'static str,
    pub(crate) text: &'static str,
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
        results: http::sibling_url(booth.addresses.result_url(), headers, booth.result_port),
    })
}

/// Sends the voter's cookie with the response.
pub(crate) fn set_cookie(desk: &Desk, response: &mut Response, voter: &Voter) {
    let secure = desk.booth.addresses.vote_url().is_some_and(|url| url.starts_with("https://"));
    match desk.booth.keys.sign(voter, secure) {
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
