//! The ballot page.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use common::ballot::Choice;
use common::http::{self, Reader};
use common::moment::Moment;
use common::phrases::{Phrase, Phrases, fill, isolated};
use common::poll::Poll;
use metrics::Counter;

use crate::figures::Figures;
use crate::voter::{Recorded, Voter};
use crate::{Desk, SCRIPT};

/// Shows the ballot, and gives a browser that is not known yet its identity.
///
/// Only on GET. If a POST did so too, a lost answer and a second try would
/// make two voters of one; and whoever asks with HEAD, such as a monitor, does
/// not vote. An old key's cookie is signed anew, and the voter stays the same.
pub(crate) async fn ballot(
    State(desk): State<Arc<Desk>>,
    Extension(reader): Extension<Reader>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let voter = desk.booth.keys.verify(&headers).unwrap_or_else(Voter::unknown);
    let mut response = render(&desk, &reader, &voter, None);
    if method == Method::GET && !desk.booth.keys.is_current(&headers) {
        set_cookie(&desk, &mut response, &voter);
    }
    response
}

/// What the page says about a vote that was not recorded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trouble {
    pub(crate) title: Phrase,
    pub(crate) text: Phrase,
    pub(crate) status: StatusCode,
    /// How it is counted in the metrics.
    pub(crate) outcome: Outcome,
}

/// The counter of one outcome.
pub(crate) type Outcome = fn(&Figures) -> &Counter;

/// The page for this voter.
pub(crate) fn render(desk: &Desk, reader: &Reader, voter: &Voter, trouble: Option<Trouble>) -> Response {
    let (booth, say) = (&desk.booth, reader.say);
    let recorded = voter.recorded.as_ref().filter(|recorded| recorded.poll == booth.poll.id);
    let waiting = desk.waiting.load(Ordering::Relaxed);
    http::page(&Page {
        say,
        script: SCRIPT.path(),
        edition: &desk.edition,
        poll: &booth.poll,
        chosen: recorded.map(|recorded| recorded.choice),
        answer: answer(&booth.poll, recorded, trouble, say),
        waiting: if waiting > 0 { say.language.count(say.waiting, waiting) } else { String::new() },
        replica: fill(say.answered_by, "replica", booth.presence.name()),
        embedded: booth.embedded,
        results: booth.results.url(reader),
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
    say: &'static Phrases,
    script: &'a str,
    edition: &'a str,
    poll: &'a Poll,
    chosen: Option<Choice>,
    answer: Answer,
    /// How many recorded votes are not counted yet, if any are not.
    waiting: String,
    replica: String,
    embedded: bool,
    results: String,
}

/// What became of the last vote.
#[derive(Default)]
struct Answer {
    /// How it looks.
    class: &'static str,
    verdict: &'static str,
    at: Option<Moment>,
    text: String,
    invitation: &'static str,
}

fn answer(poll: &Poll, recorded: Option<&Recorded>, trouble: Option<Trouble>, say: &Phrases) -> Answer {
    let told = recorded.and_then(|recorded| Some((recorded, isolated(poll.label(recorded.choice)?))));
    match (trouble, told) {
        (Some(trouble), told) => {
            let kept = told.map(|(_, label)| format!(" {}", fill(say.last_recorded, "label", &label)));
            let text = (trouble.text)(say).to_owned() + &kept.unwrap_or_default();
            Answer { class: "trouble", verdict: (trouble.title)(say), text, ..Answer::default() }
        }
        (None, Some((recorded, label))) => {
            let phrase = if recorded.changed { say.changed_to } else { say.voted_for };
            Answer {
                class: "recorded",
                verdict: say.recorded,
                at: Some(Moment::from_ms(recorded.at_ms)),
                text: fill(phrase, "label", &label),
                invitation: say.change_invited,
            }
        }
        (None, None) => Answer { text: say.invitation.to_owned(), ..Answer::default() },
    }
}
