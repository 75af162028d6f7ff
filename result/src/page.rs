//! The results page: complete before, and without, its script.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use common::http::{self, Reader};
use common::phrases::{Phrases, StatusPhrases, fill};
use common::poll::Poll;

use crate::pace::{REMEMBERED_MINUTES, STRETCHES};
use crate::poster::Poster;
use crate::view::{CURVE_HEIGHT, Freshness, View};
use crate::{Hall, SCRIPT};

/// A page without its script asks again after this: seldom enough to be read in peace.
pub(crate) const REFRESH_SECONDS: u32 = 15;

/// What opens the embedded mode to the room.
const OPEN_TO_THE_ROOM: &str = "VOTE_LISTEN=0.0.0.0:8000 RESULT_LISTEN=0.0.0.0:8001 cargo run";

/// Shows the newest totals.
pub(crate) async fn results(State(hall): State<Arc<Hall>>, Extension(reader): Extension<Reader>) -> Response {
    show(&hall, &reader, false)
}

/// Shows them to a room.
pub(crate) async fn presenter(
    State(hall): State<Arc<Hall>>,
    Extension(reader): Extension<Reader>,
) -> Response {
    show(&hall, &reader, true)
}

fn show(hall: &Hall, reader: &Reader, presenter: bool) -> Response {
    let (board, say) = (&hall.board, reader.say);
    http::page(&Page {
        say,
        script: SCRIPT.path(),
        poll: &board.poll,
        view: View::of(board, &hall.newest.borrow(), say),
        where_is_my_vote: StatusPhrases::of(say.language).title,
        poster: Poster::to(&board.ballot, reader),
        embedded: board.embedded,
        presenter,
    })
}

/// Tells a reader without the script when it asks again.
pub(crate) fn refreshes(say: &Phrases) -> String {
    fill(say.refreshes, "seconds", &REFRESH_SECONDS.to_string())
}

#[derive(Template)]
#[template(path = "results.html")]
struct Page<'a> {
    say: &'static Phrases,
    script: &'a str,
    poll: &'a Poll,
    view: View,
    poster: Poster,
    where_is_my_vote: &'static str,
    embedded: bool,
    presenter: bool,
}

impl Page<'_> {
    /// How fresh the totals are, for a reader without the script.
    fn freshness(&self) -> String {
        let phrase = match self.view.freshness {
            Freshness::Live => self.say.as_of,
            Freshness::Away => self.say.away,
        };
        self.view.as_of.map_or(String::new(), |as_of| fill(phrase, "time", &as_of.in_utc()))
    }

    fn refreshes(&self) -> String {
        refreshes(self.say)
    }

    fn pace_title(&self) -> String {
        fill(self.say.pace, "minutes", &REMEMBERED_MINUTES.to_string())
    }

    fn curve_box(&self) -> String {
        format!("0 0 {} {CURVE_HEIGHT}", STRETCHES - 1)
    }
}
