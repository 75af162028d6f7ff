//! The results page. It is complete even without its script.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use election::Poll;
use web::{Frame, Visitor, fill};

use crate::pace::{INTERVALS, REMEMBERED_MINUTES};
use crate::phrases::{Phrases, say};
use crate::qr::Invitation;
use crate::refresh::{REFRESH_SECONDS, refreshes};
use crate::view::{CURVE_HEIGHT, Freshness, View};
use crate::{App, SCRIPT, status};

/// What opens the embedded mode to the room.
const OPEN_TO_THE_ROOM: &str = "VOTE_LISTEN=0.0.0.0:8000 RESULT_LISTEN=0.0.0.0:8001 cargo run";

/// Shows the newest totals.
pub(crate) async fn results(State(app): State<Arc<App>>, Extension(visitor): Extension<Visitor>) -> Response {
    show(&app, &visitor, false)
}

/// Shows the newest totals in the presenter view, for a projector.
pub(crate) async fn presenter(
    State(app): State<Arc<App>>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    show(&app, &visitor, true)
}

fn show(app: &App, visitor: &Visitor, presenter: bool) -> Response {
    let (config, language) = (&app.config, visitor.language);
    web::page(&Page {
        frame: Frame::of(visitor, config.replica(), config.embedded),
        say: say(language),
        script: SCRIPT.path(),
        poll: &config.poll,
        view: app.newest.borrow().view(config, language),
        refreshes: refreshes(language),
        where_is_my_vote: status::title(language),
        invitation: Invitation::to(&config.ballot, visitor, &app.codes),
        presenter,
    })
}

#[derive(Template)]
#[template(path = "results.html")]
struct Page<'a> {
    frame: Frame,
    say: &'static Phrases,
    script: &'a str,
    poll: &'a Poll,
    view: View,
    refreshes: String,
    where_is_my_vote: &'static str,
    invitation: Invitation,
    presenter: bool,
}

impl Page<'_> {
    /// How fresh the totals are, for a page without its script.
    fn freshness(&self) -> String {
        let phrase = match self.view.freshness {
            Freshness::Live => self.say.as_of,
            Freshness::Away => self.say.away,
        };
        self.view.as_of.map_or(String::new(), |as_of| fill(phrase, "time", &as_of.in_utc()))
    }

    fn pace_title(&self) -> String {
        fill(self.say.pace, "minutes", &REMEMBERED_MINUTES.to_string())
    }

    fn curve_box(&self) -> String {
        format!("0 0 {} {CURVE_HEIGHT}", INTERVALS - 1)
    }
}
