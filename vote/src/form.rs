//! Casting a vote: from the form to the queue, and the answer to the voter.

use std::sync::Arc;
use std::time::Duration;

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{FromRequest, Request, State};
use axum::http::header::{HOST, LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use common::ballot::{Ballot, Choice, random_uuid};
use common::http::{Notice, RETRY_AFTER_SECONDS};
use common::poll::Poll;
use common::queue::AppendError;
use tokio::time::timeout;
use tower_http::csrf::ProtectionError;

use crate::page::{self, Trouble};
use crate::voter::{Recorded, Voter};
use crate::{BODY_MAX, Desk};

/// The body is a dozen bytes: whoever needs longer is not voting.
const BODY_WITHIN: Duration = Duration::from_secs(10);

const NOT_RECORDED: Trouble = Trouble {
    title: "Not recorded",
    text: "The ballot box cannot take votes right now. Press again in a moment.",
    outcome: "refused",
};

const NOT_CONFIRMED: Trouble = Trouble {
    title: "Not confirmed",
    text: "Your vote was sent, and no answer came back. Press again, it is safe: \
        only your last vote counts, once.",
    outcome: "unconfirmed",
};

/// Takes a vote.
pub(crate) async fn cast(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let headers = request.headers().clone();
    let choice = match read(&desk.booth.poll, request).await {
        Ok(choice) => choice,
        Err(notice) => return answered(notice.into_response(), "invalid"),
    };
    let Some(mut voter) = desk.booth.keys.verify(&headers) else {
        return answered(no_identity(&headers).into_response(), "invalid");
    };
    match append(&desk, &mut voter, choice).await {
        Ok(()) => answered(recorded(&desk, &voter), "recorded"),
        Err(trouble) => answered(in_trouble(&desk, &headers, &voter, trouble), trouble.outcome),
    }
}

/// Refuses a vote that another site's page sent in the voter's name.
pub(crate) fn from_another_site(_: ProtectionError) -> Response {
    let text = "This vote was sent by another site's page, so it was not recorded. \
        Open this site's own page and vote there.";
    answered(Notice::new(StatusCode::FORBIDDEN, "Not recorded", text).into_response(), "invalid")
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
        via: desk.booth.replica.clone(),
    };
    let appended = desk.booth.queue.append(&ballot, desk.booth.queue_max).await;
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
    voter.recorded = Some(Recorded { poll: ballot.poll, choice, at_ms: now_ms });
    Ok(())
}

#[derive(serde::Deserialize)]
struct Vote {
    vote: String,
}

async fn read(poll: &Poll, request: Request) -> Result<Choice, Notice> {
    let read = timeout(BODY_WITHIN, Form::<Vote>::from_request(request, &()));
    let form = read.await.map_err(|_| too_slow())?;
    let Form(Vote { vote }) = form.map_err(|rejection| unreadable(poll, &rejection))?;
    let choice = vote.parse::<Choice>().ok();
    choice.filter(|choice| poll.label(*choice).is_some()).ok_or_else(|| unknown_choice(poll))
}

fn too_slow() -> Notice {
    Notice::new(
        StatusCode::REQUEST_TIMEOUT,
        "Not recorded",
        "Your vote arrived too slowly. Please vote again.",
    )
}

fn unreadable(poll: &Poll, rejection: &FormRejection) -> Notice {
    match rejection.status() {
        status @ StatusCode::PAYLOAD_TOO_LARGE => {
            Notice::new(status, "Not recorded", format!("A vote has at most {BODY_MAX} bytes."))
        }
        status @ StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            let text = "A vote is a form: send it as application/x-www-form-urlencoded.";
            Notice::new(status, "Not recorded", text)
        }
        _ => unknown_choice(poll),
    }
}

fn unknown_choice(poll: &Poll) -> Notice {
    let keys: Vec<String> = poll.choices().map(|(key, label)| format!("{key} ({label})")).collect();
    let text = format!("A vote is one of these keys: {}.", keys.join(", "));
    Notice::new(StatusCode::BAD_REQUEST, "Not recorded", text)
}

fn no_identity(headers: &HeaderMap) -> Notice {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost:8000");
    let text = "Your browser sent no valid cookie, and without one a vote cannot be told from \
        another voter's. Open the page, allow its cookie, and vote again. With curl:";
    Notice::new(StatusCode::FORBIDDEN, "Not recorded", text).with_commands(vec![
        format!("curl -s -o /dev/null -c voter.txt http://{host}/"),
        format!("curl -iL -b voter.txt -c voter.txt -d vote=a http://{host}/"),
    ])
}

/// Sends the browser back to the page, which tells what was recorded: a
/// reload then asks for the page again and not for another vote.
fn recorded(desk: &Desk, voter: &Voter) -> Response {
    let mut response = (StatusCode::SEE_OTHER, [(LOCATION, "/")]).into_response();
    page::set_cookie(desk, &mut response, voter);
    response
}

fn in_trouble(desk: &Desk, headers: &HeaderMap, voter: &Voter, trouble: Trouble) -> Response {
    let mut response = page::render(desk, headers, voter, Some(trouble));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
    page::set_cookie(desk, &mut response, voter);
    response
}

fn answered(response: Response, outcome: &'static str) -> Response {
    metrics::counter!("urna_votes_total", "outcome" => outcome).increment(1);
    response
}
