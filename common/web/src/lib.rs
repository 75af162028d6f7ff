//! What all pages have in common: the frame, the languages, the notices that say
//! what went wrong, and the assets. Nothing here knows ballots or stores.

// The templates are compiled into every crate that uses them, this one included. They refer to
// this crate as `web`.
extern crate self as web;

mod assets;
mod frame;
mod language;
mod moment;
mod notice;
mod other_page;
mod phrases;
mod replica;
mod visitor;

use askama::Template;
use axum::Router;
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse, Response};

pub use self::assets::{Asset, BASE_STYLE, LOCAL_TIME, STYLE, edition};
pub use self::frame::Frame;
pub use self::language::Language;
pub use self::moment::Moment;
pub use self::notice::Notice;
pub use self::other_page::{OtherPage, origin, page_url};
pub use self::phrases::{Phrase, Phrases, assert_complete, fill, isolated, say};
pub use self::replica::{Replica, Signature, hue_of};
pub use self::visitor::{COOKIE_KEPT_FOR, Visitor, cookies};

/// The value of `Retry-After`. Most outages are a restart of a store, which takes about this long.
pub const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("2");

/// Every answer gets these headers, unless it sets them itself.
const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    // Only assets may be cached. If a shared cache kept one voter's page and cookie, a whole
    // classroom would be one voter.
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    // Not `no-referrer`, because forms would then send `Origin: null`.
    (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
];

/// A page may load only our own files, and no other site may put it into a frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
    connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// Adds the headers of every answer, chooses the visitor's language, and answers
/// unknown paths and methods with a notice.
pub fn for_browsers(app: Router) -> Router {
    app.fallback(async || Notice::not_found())
        .method_not_allowed_fallback(async || Notice::method_not_allowed())
        .layer(from_fn(serve))
}

/// Renders a page. Our templates cannot fail, so a failure is a bug and is logged.
pub fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!("cannot render a page: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// One layer for all that every answer gets, because each layer costs each request an allocation.
async fn serve(request: Request, next: Next) -> Response {
    let mut response = visitor::welcome(request, next).await;
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}
