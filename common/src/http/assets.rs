//! Files inside the binary, named by their content and so cached for ever.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::routing::get;
use uuid::Uuid;

/// A browser need never ask again: another content has another address.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The style of all pages.
pub const STYLE: Asset = Asset {
    name: "style.css",
    content_type: "text/css; charset=utf-8",
    content: include_str!("../../assets/style.css"),
};

/// A file that is part of the binary.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// Its name.
    pub name: &'static str,
    /// Its media type.
    pub content_type: &'static str,
    /// What is in it.
    pub content: &'static str,
}

impl Asset {
    /// Where it is served: the address changes with the content, and is the
    /// same on every replica.
    pub fn path(&self) -> String {
        let digest = Uuid::new_v5(&Uuid::NAMESPACE_OID, self.content.as_bytes());
        format!("/assets/{}/{}", digest.simple(), self.name)
    }

    /// Adds its route.
    pub fn serve_in(self, app: Router) -> Router {
        let headers = [(CONTENT_TYPE, self.content_type), (CACHE_CONTROL, FOR_EVER)];
        app.route(&self.path(), get(async move || (headers, self.content)))
    }
}
