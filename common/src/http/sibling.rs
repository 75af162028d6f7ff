//! Where the other page is.

use axum::http::HeaderMap;
use axum::http::header::HOST;
use axum::http::uri::Authority;

/// The other page: where it was set to be, or else on this port of the host
/// under which the browser reached us.
#[derive(Clone, Debug)]
pub struct Sibling {
    /// Its address, if that is set.
    pub url: Option<String>,
    /// Its port otherwise.
    pub port: u16,
}

impl Sibling {
    /// Its address, for the browser that sent these headers.
    pub fn url(&self, headers: &HeaderMap) -> String {
        if let Some(url) = &self.url {
            return url.clone();
        }
        let host = headers.get(HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok());
        let name = host.as_ref().map_or("localhost", |host| host.host());
        format!("http://{name}:{}/", self.port)
    }
}
