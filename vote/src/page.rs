//! The ballot page.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use election::{Choice, Poll};
use web::{Frame, Language, Moment, Phrase, Visitor, fill, isolated};

use crate::cookie::{Recorded, VoterCookie};
use crate::followed::{Followed, Tick};
use crate::phrases::{Phrases, say};
use crate::{App, SCRIPT};

/// Shows the ballot. A GET also gives a new browser its voter id.
///
/// A POST gives no id: after a lost answer, the second try would make another voter.
/// A HEAD gives none either, because it comes from programs that do not vote, such
/// as monitors. A cookie of an older key or name is written again for the same voter.
pub(crate) async fn ballot(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let (keys, secure) = (&app.config.keys, app.config.is_secure());
    let cookie = VoterCookie::verify(keys, &headers, secure).unwrap_or_else(VoterCookie::new);
    let recorded = cookie.recorded.as_ref();
    let mut followed = recorded.and_then(|recorded| Followed::verify(keys, &headers, secure, recorded));
    let now_ms = app.clock.now_ms().unwrap_or_default();
    let is_news = followed.as_mut().is_some_and(|followed| followed.note(&app.progress.borrow(), now_ms));
    let mut response = render(&app, &visitor, &cookie, Ok(followed.as_ref()));
    if method == Method::GET {
        let renewed = (!VoterCookie::is_current(keys, &headers, secure)).then_some(&cookie);
        set_cookies(&app, &mut response, renewed, followed.as_ref().filter(|_| is_news));
    }
    response
}

/// Why a vote that was understood was not recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It is certainly not in the queue.
    NotRecorded,
    /// It was sent to the queue, and no answer came.
    NotConfirmed,
    /// It was made on the page of another poll, where its key means something else.
    OtherPoll,
}

impl Failure {
    /// The title and the text of the answer.
    fn phrases(self) -> (Phrase, Phrase) {
        match self {
            Self::NotRecorded => (|to| say(to).not_recorded, |to| say(to).box_closed),
            Self::NotConfirmed => (|to| say(to).not_confirmed, |to| say(to).no_answer),
            Self::OtherPoll => (|to| say(to).not_recorded, |to| say(to).other_poll),
        }
    }
}

/// The page for the voter with this cookie: with the vote to follow, if there is one, or after a
/// vote that failed.
pub(crate) fn render(
    app: &App,
    visitor: &Visitor,
    cookie: &VoterCookie,
    outcome: Result<Option<&Followed>, Failure>,
) -> Response {
    let (config, language) = (&app.config, visitor.language);
    let recorded = cookie.recorded.as_ref().filter(|recorded| recorded.poll == config.poll.id);
    let followed = outcome.ok().flatten().filter(|_| recorded.is_some());
    let tick = followed.map(|followed| followed.tick(&app.progress.borrow()));
    let waiting = app.waiting.load(Ordering::Relaxed);
    let results = config.results.url(visitor);
    web::page(&Page {
        frame: Frame::of(visitor, config.replica(), config.embedded),
        say: say(language),
        script: SCRIPT.path(),
        edition: &app.edition,
        poll: &config.poll,
        chosen: recorded.map(|recorded| recorded.choice),
        answer: answer(&config.poll, recorded, outcome.err(), language),
        relabelled: if app.labels.has_changed() { say(language).relabelled } else { "" },
        fate: tick.map(|tick| fate(tick, language)).unwrap_or_default(),
        waiting: if waiting > 0 {
            language.count(web::say(language).waiting, waiting)
        } else {
            String::new()
        },
        map: format!("{}/map", results.trim_end_matches('/')),
        results,
    })
}

/// Sends the voter's cookie, and that of the vote to follow, with the response.
pub(crate) fn set_cookies(
    app: &App,
    response: &mut Response,
    voter: Option<&VoterCookie>,
    followed: Option<&Followed>,
) {
    let (keys, secure) = (&app.config.keys, app.config.is_secure());
    let voter = voter.map(|cookie| cookie.sign(keys, secure));
    let followed = followed.map(|cookie| cookie.sign(keys, secure).map(|cookie| vec![cookie]));
    for signed in [voter, followed].into_iter().flatten() {
        match signed {
            Ok(cookies) => {
                response.headers_mut().extend(cookies.into_iter().map(|cookie| (SET_COOKIE, cookie)));
            }
            Err(error) => tracing::error!("cannot write a cookie: {error}"),
        }
    }
}

/// Tells the browser to forget the vote that the page followed.
pub(crate) fn follow_nothing(app: &App, response: &mut Response) {
    let cookie = Followed::forgotten(app.config.is_secure());
    response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
}

#[derive(Template)]
#[template(path = "ballot.html")]
struct Page<'a> {
    frame: Frame,
    say: &'static Phrases,
    script: &'a str,
    edition: &'a str,
    poll: &'a Poll,
    chosen: Option<Choice>,
    /// A sentence that warns of options with other labels than before. Empty if there are none.
    relabelled: &'static str,
    answer: Answer,
    fate: Fate,
    /// A sentence that says how many recorded votes wait to be counted. Empty if none do.
    waiting: String,
    results: String,
    map: String,
}

/// What the page says about the voter's last vote.
#[derive(Default)]
struct Answer {
    /// The class in the style sheet.
    class: &'static str,
    verdict: &'static str,
    at: Option<Moment>,
    text: String,
    invitation: &'static str,
}

fn answer(poll: &Poll, recorded: Option<&Recorded>, failure: Option<Failure>, language: Language) -> Answer {
    let say = say(language);
    let told = recorded.and_then(|recorded| Some((recorded, isolated(poll.label(recorded.choice)?))));
    match (failure, told) {
        (Some(failure), told) => {
            let (title, text) = failure.phrases();
            let kept = told.map(|(_, label)| format!(" {}", fill(say.last_recorded, "label", &label)));
            let text = text(language).to_owned() + &kept.unwrap_or_default();
            Answer { class: "trouble", verdict: title(language), text, ..Answer::default() }
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

/// What the page says about the fate of the vote that it follows.
#[derive(Default)]
struct Fate {
    /// That it waits. This changes often, so no screen reader says it.
    waits: String,
    /// The class in the style sheet.
    class: &'static str,
    verdict: &'static str,
    at: Option<Moment>,
    text: &'static str,
}

fn fate(tick: Tick, language: Language) -> Fate {
    let say = say(language);
    match tick {
        Tick::Waits(0) => Fate { waits: say.waits.to_owned(), ..Fate::default() },
        Tick::Waits(behind) => Fate { waits: language.count(say.waits_behind, behind), ..Fate::default() },
        Tick::Counted(at_ms) => {
            let at = Some(Moment::from_ms(at_ms));
            Fate { class: "counted", verdict: say.counted, at, ..Fate::default() }
        }
        Tick::Dead => Fate { class: "trouble", verdict: say.not_counted, ..Fate::default() },
        Tick::Unknown => Fate { text: say.untold, ..Fate::default() },
    }
}
