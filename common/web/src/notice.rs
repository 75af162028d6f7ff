//! A short page that says what went wrong.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::phrases::{Phrase, fill, say};
use crate::{Frame, Language, page};

/// Tells a visitor what is wrong. A handler only names the phrases. The layer
/// [`crate::for_browsers`] writes them in the visitor's language, because fallbacks
/// and other layers answer with notices, too, and do not know the language.
#[derive(Clone, Debug)]
pub struct Notice {
    status: StatusCode,
    title: Phrase,
    text: Phrase,
    /// The name of a gap in the text, and the words that fill it.
    filling: Option<(&'static str, String)>,
    /// Commands for visitors who use curl.
    commands: Vec<String>,
}

impl Notice {
    /// A notice with this status, title and text.
    pub fn new(status: StatusCode, title: Phrase, text: Phrase) -> Self {
        Self { status, title, text, filling: None, commands: Vec::new() }
    }

    /// Fills a gap in the text.
    pub fn with(mut self, gap: &'static str, text: String) -> Self {
        self.filling = Some((gap, text));
        self
    }

    /// Shows commands that would have worked.
    pub fn with_commands(mut self, commands: Vec<String>) -> Self {
        self.commands = commands;
        self
    }

    /// The notice of a replica that fails because somebody ordered that.
    pub fn on_purpose() -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self::new(status, |to| say(to).fails_on_purpose, |to| say(to).try_again)
    }

    /// The notice for an address that does not exist.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, |to| say(to).not_found, |to| say(to).nothing_here)
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, |to| say(to).not_allowed, |to| say(to).wrong_method)
    }

    pub(crate) fn write_to(self, response: &mut Response, language: Language) {
        let text = (self.text)(language);
        let text = match &self.filling {
            Some((gap, filling)) => fill(text, gap, filling),
            None => text.to_owned(),
        };
        let title = (self.title)(language);
        let written = page(&Page { frame: Frame::of_notice(language), title, text, commands: self.commands });
        let (parts, body) = written.into_parts();
        *response.body_mut() = body;
        response.headers_mut().extend(parts.headers);
    }
}

impl IntoResponse for Notice {
    /// The response has no text yet. The layer that knows the language writes it.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[derive(Template)]
#[template(path = "notice.html")]
struct Page {
    frame: Frame,
    title: &'static str,
    text: String,
    commands: Vec<String>,
}
