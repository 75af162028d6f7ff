//! Casting a vote: from the form to the queue, and the answer to the voter.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::rejection::FormRejection;
use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use axum::http::header::{LOCATION, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Form};
use common::ballot::{Ballot, Choice, random_uuid};
use common::http::{Line, Notice, RETRY_AFTER_SECONDS, Reader};
use common::phrases::{Phrase, isolated};
use common::poll::Poll;
use common::queue::AppendError;
use tokio::time::timeout;
use tower_http::csrf::ProtectionError;

use crate::figures::FIGURES;
use crate::page::{self, Outcome, Trouble};
use crate::voter::Voter;
use crate::{BODY_MAX, Desk};

/// The body is a dozen bytes: whoever needs longer is not voting.
const BODY_WITHIN: Duration = Duration::from_secs(10);

const NOT_RECORDED: Trouble = Trouble {
    title: |say| say.not_recorded,
    text: |say| say.box_closed,
    status: StatusCode::SERVICE_UNAVAILABLE,
    outcome: |figures| &figures.refused,
};

const NOT_CONFIRMED: Trouble = Trouble {
    title: |say| say.not_confirmed,
    text: |say| say.no_answer,
    status: StatusCode::SERVICE_UNAVAILABLE,
    outcome: |figures| &figures.unconfirmed,
};

/// The same key means something else there.
const OTHER_POLL: Trouble = Trouble {
    title: |say| say.not_recorded,
    text: |say| say.other_poll,
    status: StatusCode::CONFLICT,
    outcome: |figures| &figures.invalid,
};

/// Takes a vote.
pub(crate) async fn cast(
    State(desk): State<Arc<Desk>>,
    Extension(reader): Extension<Reader>,
    request: Request,
) -> Response {
    let asked = Instant::now();
    let headers = request.headers().clone();
    let line = request.extensions().get::<Line>().cloned();
    let vote = match read(&desk.booth.poll, request).await {
        Ok(vote) => vote,
        Err(notice) => return invalid(notice),
    };
    let Some(mut voter) = desk.booth.keys.verify(&headers) else {
        return invalid(no_identity(&reader));
    };
    let appended = match vote {
        // A replica that hung may hold votes of voters who gave up, and voted elsewhere since. Taken
        // now, such a vote would be the later one.
        Vote::Here(_) if line.is_some_and(|line| line.is_dead()) => Err(NOT_RECORDED),
        Vote::Here(choice) => append(&desk, &mut voter, choice).await,
        Vote::InAnotherPoll => Err(OTHER_POLL),
    };
    let response = match appended {
        Ok(()) => answered(recorded(&desk, &voter), |figures| &figures.recorded),
        Err(trouble) => answered(in_trouble(&desk, &reader, &voter, trouble), trouble.outcome),
    };
    FIGURES.answer.record(asked.elapsed());
    response
}

/// Refuses a vote that another site's page sent in the voter's name.
pub(crate) fn from_another_site(_: ProtectionError) -> Response {
    invalid(refused(StatusCode::FORBIDDEN, |say| say.another_site))
}

/// Sends the voter's next ballot to the queue. From here on the cookie knows
/// its `ord`, so that whatever becomes of it, the ballot after it outranks it.
async fn append(desk: &Desk, voter: &mut Voter, choice: Choice) -> Result<(), Trouble> {
    let now_ms = desk.clock.now_ms().ok_or(NOT_RECORDED)?;
    voter.ord = voter.next_ord(now_ms);
    let ballot = Ballot {
        poll: desk.booth.poll.id.clone(),
        voter: voter.id,
        choice,
        ord: voter.ord,
        id: random_uuid(),
        via: desk.booth.presence.name().to_owned(),
    };
    let asked = Instant::now();
    let appended = desk.booth.queue.append(&ballot, desk.booth.queue_max).await;
    FIGURES.append.record(asked.elapsed());
    appended.map_err(|error| {
        tracing::debug!("a vote was {error}");
        match error {
            AppendError::Refused(_) => NOT_RECORDED,
            AppendError::Unconfirmed(_) => {
                desk.doubt.notify_one();
                NOT_CONFIRMED
            }
        }
    })?;
    desk.booth.presence.did(1);
    voter.remember(ballot.poll, choice, now_ms);
    Ok(())
}

/// A vote that can be understood.
enum Vote {
    Here(Choice),
    /// Made on the page of another poll.
    InAnotherPoll,
}

#[derive(serde::Deserialize)]
struct Fields {
    vote: String,
    /// The poll on the voter's page; somebody with curl need not name it.
    poll: Option<String>,
}

async fn read(poll: &Poll, request: Request) -> Result<Vote, Notice> {
    let read = timeout(BODY_WITHIN, Form::<Fields>::from_request(request, &()));
    let form = read.await.map_err(|_| refused(StatusCode::REQUEST_TIMEOUT, |say| say.too_slow))?;
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
            refused(status, |say| say.too_large).with("bytes", BODY_MAX.to_string())
        }
        status @ StatusCode::UNSUPPORTED_MEDIA_TYPE => refused(status, |say| say.no_form),
        _ => unknown_choice(poll),
    }
}

fn unknown_choice(poll: &Poll) -> Notice {
    let keys: Vec<String> =
        poll.choices().map(|(key, label)| format!("{key} ({})", isolated(label))).collect();
    refused(StatusCode::BAD_REQUEST, |say| say.unknown_choice).with("keys", keys.join(", "))
}

fn no_identity(reader: &Reader) -> Notice {
    let host = reader.host.as_ref().map_or("localhost:8000", |host| host.as_str());
    refused(StatusCode::FORBIDDEN, |say| say.no_identity).with_commands(vec![
        format!("curl -s -o /dev/null -c voter.txt http://{host}/"),
        format!("curl -iL -b voter.txt -c voter.txt -d vote=a http://{host}/"),
    ])
}

fn refused(status: StatusCode, reason: Phrase) -> Notice {
    Notice::new(status, |say| say.not_recorded, reason)
}

/// Sends the browser back to the page, which tells what was recorded: a
/// reload then asks for the page again and not for another vote.
fn recorded(desk: &Desk, voter: &Voter) -> Response {
    let mut response = (StatusCode::SEE_OTHER, [(LOCATION, "/")]).into_response();
    page::set_cookie(desk, &mut response, voter);
    response
}

fn in_trouble(desk: &Desk, reader: &Reader, voter: &Voter, trouble: Trouble) -> Response {
    let mut response = page::render(desk, reader, voter, Some(trouble));
    *response.status_mut() = trouble.status;
    if trouble.status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
    }
    page::set_cookie(desk, &mut response, voter);
    response
}

fn invalid(notice: Notice) -> Response {
    answered(notice.into_response(), |figures| &figures.invalid)
}

fn answered(response: Response, outcome: Outcome) -> Response {
    outcome(&FIGURES).increment(1);
    response
}
