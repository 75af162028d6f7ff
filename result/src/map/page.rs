//! The page of the map. It is complete even without its script.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use web::{Frame, Visitor};

use super::phrases::{Phrases, say};
use super::picture::Picture;
use super::{SCRIPT, STYLE, edition};
use crate::refresh::{REFRESH_SECONDS, refreshes};
use crate::{App, phrases, status};

#[derive(Template)]
#[template(path = "map.html")]
struct Page {
    frame: Frame,
    say: &'static Phrases,
    edition: String,
    script: &'static str,
    style: &'static str,
    picture: Picture,
    unreachable: &'static str,
    refreshes: String,
    results: &'static str,
    where_is_my_vote: &'static str,
}

/// Shows the map.
pub(crate) async fn show(State(app): State<Arc<App>>, Extension(visitor): Extension<Visitor>) -> Response {
    let (config, language) = (&app.config, visitor.language);
    let scene = app.scene.borrow().clone();
    web::page(&Page {
        frame: Frame::of(&visitor, config.replica(), config.embedded),
        say: say(language),
        edition: edition(),
        script: SCRIPT.path(),
        style: STYLE.path(),
        picture: Picture::of(config, &scene, language),
        unreachable: status::unreachable(language),
        refreshes: refreshes(language),
        results: phrases::say(language).results,
        where_is_my_vote: status::title(language),
    })
}
