//! Files inside the binary, named by their content and so cached for ever.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;

/// A browser need never ask again: another content has another name.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The style of all pages.
pub const STYLE: Asset = Asset {
    name: "style",
    extension: "css",
    content_type: "text/css; charset=utf-8",
    content: include_str!("../../assets/style.css"),
};

/// A file that is part of the binary.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// Its name, without the extension.
    pub name: &'static str,
    /// Its extension, without the dot.
    pub extension: &'static str,
    /// Its media type.
    pub content_type: &'static str,
    /// What is in it.
    pub content: &'static str,
}

impl Asset {
    /// Where it is served: the name changes with the content.
    pub fn path(&self) -> String {
        format!("/assets/{}.{:016x}.{}", self.name, fnv1a(self.content.as_bytes()), self.extension)
    }

    /// Adds its route.
    pub fn serve_in(self, app: Router) -> Router {
        let headers = [(CONTENT_TYPE, self.content_type), (CACHE_CONTROL, FOR_EVER)];
        app.route(&self.path(), get(async move || (headers, self.content).into_response()))
    }
}

/// FNV-1a: the same on every replica and in every build, which the standard
/// library's hasher does not promise. Nobody attacks it: the files are ours.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
