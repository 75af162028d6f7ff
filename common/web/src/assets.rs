//! Files inside the binary. Their addresses contain a hash of their content, so
//! browsers may cache them for ever.

use std::sync::LazyLock;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::routing::get;
use uuid::Uuid;

/// A browser never needs to ask again, because other content has another address.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The style of all pages but the map, which has a style of its own.
pub static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::style("style.css", [BASE_STYLE, include_str!("../assets/style.css")].concat()));

/// The style of what all pages have in common. The style of a page begins with it.
pub const BASE_STYLE: &str = include_str!("../assets/base.css");

/// Writes times in the visitor's own time zone. The scripts of both pages begin with it.
pub const LOCAL_TIME: &str = include_str!("../assets/local-time.js");

/// A file that is part of the binary.
#[derive(Debug)]
pub struct Asset {
    path: String,
    content_type: &'static str,
    content: String,
}

impl Asset {
    /// A file with this name, media type and content.
    pub fn new(name: &str, content_type: &'static str, content: String) -> Self {
        Self { path: format!("/assets/{}/{name}", fingerprint([&*content])), content_type, content }
    }

    /// A script with this name and content.
    pub fn script(name: &str, content: String) -> Self {
        Self::new(name, "text/javascript; charset=utf-8", content)
    }

    /// A style sheet with this name and content.
    pub fn style(name: &str, content: String) -> Self {
        Self::new(name, "text/css; charset=utf-8", content)
    }

    /// The path under which it is served. It changes with the content, and is the
    /// same on every replica.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Adds the route that serves the file.
    pub fn serve_in(&'static self, app: Router) -> Router {
        let headers = [(CONTENT_TYPE, self.content_type), (CACHE_CONTROL, FOR_EVER)];
        app.route(&self.path, get(async move || (headers, &*self.content)))
    }
}

/// The edition of a page. It changes with the page's script, style and poll, so
/// an open page can notice that it is out of date.
pub fn edition<'a>(script: &'a Asset, texts: impl IntoIterator<Item = &'a str>) -> String {
    fingerprint([STYLE.path(), script.path()].into_iter().chain(texts))
}

fn fingerprint<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let texts: Vec<&str> = texts.into_iter().collect();
    Uuid::new_v5(&Uuid::NAMESPACE_OID, texts.join("\n").as_bytes()).simple().to_string()
}
