//! The results page: complete before, and without, its script.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use common::http;

use crate::feed::Snapshot;
use crate::{Hall, SCRIPT};

/// Shows the newest totals.
pub(crate) async fn results(State(hall): State<Arc<Hall>>, headers: HeaderMap) -> Response {
    let newest = hall.newest.borrow().clone();
    let board = &hall.board;
    http::page(&Page {
        question: &board.poll.question,
        snapshot: newest.as_deref().map(|frame| &frame.snapshot),
        script: SCRIPT.path(),
        vote: board.ballot.url(&headers),
        replica: &board.replica,
        embedded: board.embedded,
    })
}

#[derive(Template)]
#[template(path = "results.html")]
struct Page<'a> {
    question: &'a str,
    snapshot: Option<&'a Snapshot>,
    script: String,
    vote: String,
    replica: &'a str,
    embedded: bool,
}
