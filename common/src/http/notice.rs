//! A short page for everything that is not the page itself.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::page;
use crate::phrases::{Phrase, Phrases, fill};

/// Tells a reader what is wrong. A handler names the phrases; the words come
/// at the edge, in the language of whoever asked.
#[derive(Clone, Debug)]
pub struct Notice {
    status: StatusCode,
    title: Phrase,
    text: Phrase,
    /// What belongs in a gap of the text.
    filling: Option<(&'static str, String)>,
    /// Lines to type, for those who came with curl.
    commands: Vec<String>,
}

impl Notice {
    /// A page with this status, this title and this sentence.
    pub fn new(status: StatusCode, title: Phrase, text: Phrase) -> Self {
        Self { status, title, text, filling: None, commands: Vec::new() }
    }

    /// Fills a gap in the sentence.
    pub fn with(mut self, gap: &'static str, text: String) -> Self {
        self.filling = Some((gap, text));
        self
    }

    /// Shows commands that would have worked.
    pub fn with_commands(mut self, commands: Vec<String>) -> Self {
        self.commands = commands;
        self
    }

    /// There is nothing at this address.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, |say| say.not_found, |say| say.nothing_here)
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, |say| say.not_allowed, |say| say.wrong_method)
    }

    pub(super) fn write_to(self, response: &mut Response, say: &'static Phrases) {
        let text = (self.text)(say);
        let text = match &self.filling {
            Some((gap, filling)) => fill(text, gap, filling),
            None => text.to_owned(),
        };
        let written = page(&Page { say, title: (self.title)(say), text, commands: self.commands });
        let (parts, body) = written.into_parts();
        *response.body_mut() = body;
        response.headers_mut().extend(parts.headers);
    }
}

impl IntoResponse for Notice {
    /// Without words yet: they are written where the reader is known.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[derive(Template)]
#[template(path = "notice.html")]
struct Page {
    say: &'static Phrases,
    title: &'static str,
    text: String,
    commands: Vec<String>,
}
