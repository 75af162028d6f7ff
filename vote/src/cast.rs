//! Casting a vote: from the form to the queue, and the answer to the voter.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::rejection::FormRejection;
use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use axum::http::header::{LOCATION, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Form};
use election::{Ballot, Choice, Poll, random_uuid};
use queue::AppendError;
use service::http::Client;
use tokio::time::timeout;
use tower_http::csrf::ProtectionError;
use web::{Notice, Phrase, RETRY_AFTER_SECONDS, Visitor, isolated};

use crate::cookie::VoterCookie;
use crate::followed::Followed;
use crate::metrics::METRICS;
use crate::page::{self, Failure};
use crate::phrases::say;
use crate::{App, BODY_MAX};

/// A vote is a dozen bytes, which a browser sends at once.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// Takes a vote.
pub(crate) async fn cast(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Response {
    let asked = Instant::now();
    let cookie = VoterCookie::verify(&app.config.keys, request.headers(), app.config.is_secure());
    let client = request.extensions().get::<Client>().cloned();
    let vote = read(&app.config.poll, request).await;
    client.iter().for_each(Client::has_asked);
    let vote = match vote {
        Ok(vote) => vote,
        Err(notice) => return invalid(notice),
    };
    let Some(mut cookie) = cookie else { return invalid(no_cookie(&visitor)) };
    let recorded = match vote {
        // A replica that was paused may hold requests of voters who have given up since and have
        // voted elsewhere. If it took such a vote now, the old vote would outrank the newer one.
        Vote::Here(_) if client.is_some_and(|client| client.has_hung_up()) => Err(Failure::NotRecorded),
        Vote::Here(_) if app.faults.fails() => Err(Failure::NotRecorded),
        Vote::Here(choice) => append(&app, &mut cookie, choice).await,
        Vote::InAnotherPoll => Err(Failure::OtherPoll),
    };
    // The answer is held back, and not the vote: a late vote could outrank the voter's next one.
    app.faults.hold().await;
    let response = answer(&app, &visitor, &cookie, recorded);
    METRICS.answer.record(asked.elapsed());
    response
}

/// Refuses a vote that another site's page sent in the voter's name.
pub(crate) fn from_another_site(_: ProtectionError) -> Response {
    invalid(refused(StatusCode::FORBIDDEN, |to| say(to).another_site))
}

/// A valid vote.
enum Vote {
    Here(Choice),
    /// The vote was made on the page of another poll.
    InAnotherPoll,
}

#[derive(serde::Deserialize)]
struct Fields {
    vote: String,
    /// The poll of the voter's page. A vote by curl may leave it out.
    poll: Option<String>,
}

async fn read(poll: &Poll, request: Request) -> Result<Vote, Notice> {
    let read = timeout(BODY_WITHIN, Form::<Fields>::from_request(request, &()));
    let form = read.await.map_err(|_| refused(StatusCode::REQUEST_TIMEOUT, |to| say(to).too_slow))?;
    let Form(fields) = form.map_err(|rejection| unreadable(poll, &rejection))?;
    if fields.poll.is_some_and(|named| named != poll.id.as_str()) {
        return Ok(Vote::InAnotherPoll);
    }
    let choice = fields.vote.parse().ok().filter(|choice| poll.label(*choice).is_some());
    choice.map(Vote::Here).ok_or_else(|| unknown_choice(poll))
}

fn unreadable(poll: &Poll, rejection: &FormRejection) -> Notice {
    match rejection.status() {
        status @ StatusCode::PAYLOAD_TOO_LARGE => {
            refused(status, |to| say(to).too_large).with("bytes", BODY_MAX.to_string())
        }
        status @ StatusCode::UNSUPPORTED_MEDIA_TYPE => refused(status, |to| say(to).no_form),
        _ => unknown_choice(poll),
    }
}

fn unknown_choice(poll: &Poll) -> Notice {
    let keys: Vec<String> =
        poll.choices().map(|(key, label)| format!("{key} ({})", isolated(label))).collect();
    refused(StatusCode::BAD_REQUEST, |to| say(to).unknown_choice).with("keys", keys.join(", "))
}

fn no_cookie(visitor: &Visitor) -> Notice {
    let host = visitor.host.as_ref().map_or("localhost:8000", |host| host.as_str());
    refused(StatusCode::FORBIDDEN, |to| say(to).no_identity).with_commands(vec![
        format!("curl -s -o /dev/null -c voter.txt http://{host}/"),
        format!("curl -iL -b voter.txt -c voter.txt -d vote=a http://{host}/"),
    ])
}

fn refused(status: StatusCode, reason: Phrase) -> Notice {
    Notice::new(status, |to| say(to).not_recorded, reason)
}

fn invalid(notice: Notice) -> Response {
    METRICS.invalid.increment(1);
    notice.into_response()
}

/// Sends the voter's next ballot to the queue. The cookie gets the ballot's `ord`
/// before that, so the voter's next ballot outranks this one, whatever happens to it.
async fn append(app: &App, cookie: &mut VoterCookie, choice: Choice) -> Result<Followed, Failure> {
    let config = &app.config;
    let now_ms = app.clock.now_ms().ok_or(Failure::NotRecorded)?;
    cookie.ord = cookie.next_ord(now_ms);
    let ballot = Ballot {
        poll: config.poll.id.clone(),
        voter: cookie.voter,
        choice,
        ord: cookie.ord,
        id: random_uuid(),
        via: config.presence.name().to_owned(),
    };
    let asked = Instant::now();
    // The labels leave first, on the same connection. They cost the vote hardly any time, and if they
    // fail, the vote does not.
    let ((), appended) = tokio::join!(
        biased;
        app.labels.bring(&config.poll, &config.queue),
        config.queue.append(ballot, config.queue_max),
    );
    METRICS.append.record(asked.elapsed());
    let receipt = appended.map_err(|error| failure(app, &error))?;
    config.presence.did(1);
    Ok(Followed::new(receipt, cookie.remember(config.poll.id.clone(), choice, now_ms)))
}

fn failure(app: &App, error: &AppendError) -> Failure {
    tracing::debug!("a vote was {error}");
    match error {
        AppendError::Refused(_) => Failure::NotRecorded,
        AppendError::Unconfirmed(_) => {
            app.doubt.notify_one();
            Failure::NotConfirmed
        }
    }
}

fn answer(
    app: &App,
    visitor: &Visitor,
    cookie: &VoterCookie,
    recorded: Result<Followed, Failure>,
) -> Response {
    let page = |failure| page::render(app, visitor, cookie, Err(failure));
    let unavailable = |failure| {
        (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, RETRY_AFTER_SECONDS)], page(failure)).into_response()
    };
    let (counter, mut response) = match &recorded {
        // The browser then asks for the page, which says what was recorded. So a reload asks for
        // the page again and does not vote again.
        Ok(_) => (&METRICS.recorded, (StatusCode::SEE_OTHER, [(LOCATION, "/")]).into_response()),
        Err(failure @ Failure::NotRecorded) => (&METRICS.refused, unavailable(*failure)),
        Err(failure @ Failure::NotConfirmed) => (&METRICS.unconfirmed, unavailable(*failure)),
        Err(failure @ Failure::OtherPoll) => {
            (&METRICS.invalid, (StatusCode::CONFLICT, page(*failure)).into_response())
        }
    };
    counter.increment(1);
    if matches!(recorded, Err(Failure::NotConfirmed)) {
        // That vote may replace the one that the page followed.
        page::follow_nothing(app, &mut response);
    }
    page::set_cookies(app, &mut response, Some(cookie), recorded.ok().as_ref());
    response
}
