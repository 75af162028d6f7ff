//! Files inside the binary, named by their content and so cached for ever.

use std::io::Write;
use std::sync::LazyLock;

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::response::IntoResponse;
use axum::routing::get;
use flate2::Compression;
use flate2::write::GzEncoder;
use uuid::Uuid;

use super::weighted::weighted;

/// A browser need never ask again: another content has another address.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The style of all pages.
pub static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("style.css", "text/css; charset=utf-8", include_str!("../../assets/style.css"))
});

/// A file that is part of the binary.
#[derive(Debug)]
pub struct Asset {
    path: String,
    content_type: &'static str,
    content: &'static str,
    gzipped: Bytes,
}

impl Asset {
    /// A file with this name, media type and content.
    pub fn new(name: &str, content_type: &'static str, content: &'static str) -> Self {
        let path = format!("/assets/{}/{name}", fingerprint([content]));
        Self { path, content_type, content, gzipped: gzip(content) }
    }

    /// Where it is served: the address changes with the content, and is the
    /// same on every replica.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Adds its route.
    pub fn serve_in(&'static self, app: Router) -> Router {
        let answer = async |headers: HeaderMap| {
            let kept =
                [(CONTENT_TYPE, self.content_type), (CACHE_CONTROL, FOR_EVER), (VARY, "accept-encoding")];
            if takes_gzip(&headers) {
                (kept, [(CONTENT_ENCODING, "gzip")], self.gzipped.clone()).into_response()
            } else {
                (kept, self.content).into_response()
            }
        };
        app.route(&self.path, get(answer))
    }
}

/// The edition of a page: another style, script or poll is another one, by
/// which an open page learns that it is outdated.
pub fn edition<'a>(script: &'a Asset, texts: impl IntoIterator<Item = &'a str>) -> String {
    fingerprint([STYLE.path(), script.path()].into_iter().chain(texts))
}

fn fingerprint<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let texts: Vec<&str> = texts.into_iter().collect();
    Uuid::new_v5(&Uuid::NAMESPACE_OID, texts.join("\n").as_bytes()).simple().to_string()
}

/// Once for all requests. Writing to memory cannot fail; were it to, the empty
/// answer would be seen by the first test.
fn gzip(content: &str) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(content.as_bytes());
    written.and_then(|()| encoder.finish()).unwrap_or_default().into()
}

/// Only what a client names is sent to it: whoever says nothing gets the plain
/// file, also one that says it takes none.
fn takes_gzip(headers: &HeaderMap) -> bool {
    weighted(headers, ACCEPT_ENCODING)
        .any(|(coding, weight)| coding.eq_ignore_ascii_case("gzip") && weight > 0.0)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        let cases = [
            ("gzip, deflate, br", true),
            ("br;q=1.0, GZIP;q=0.8", true),
            ("identity;q=0, gzip", true),
            ("gzip;q=0", false),
            ("identity;q=0", false),
            ("br", false),
            ("", false),
        ];
        for (accepted, expected) in cases {
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(accepted))]);
            assert_eq!(takes_gzip(&headers), expected, "{accepted:?}");
        }
    }
}
