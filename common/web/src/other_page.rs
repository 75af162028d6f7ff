//! The address of the other page: the results for the ballot, and the ballot for the results.

use std::net::IpAddr;

use anyhow::ensure;
use axum::http::Uri;

use crate::Visitor;

/// The other of the two pages. If no address is set, it is on this port of the host
/// name that the visitor used.
#[derive(Clone, Debug)]
pub struct OtherPage {
    /// Its address, if one is set.
    pub url: Option<String>,
    /// Its port, if no address is set.
    pub port: u16,
    /// Whether it listens only on this machine's loopback address.
    pub is_loopback: bool,
}

impl OtherPage {
    /// The address of the page, for this visitor.
    pub fn url(&self, visitor: &Visitor) -> String {
        if let Some(url) = &self.url {
            return url.clone();
        }
        let name = visitor.host.as_ref().map_or("localhost", |host| host.host());
        format!("http://{name}:{}/", self.port)
    }

    /// Whether only this machine can open that address.
    pub fn is_local(&self, visitor: &Visitor) -> bool {
        if self.url.is_none() && self.is_loopback {
            return true;
        }
        let url = self.url(visitor).parse::<Uri>().ok();
        let host = url.as_ref().and_then(Uri::host).unwrap_or_default();
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) => address.is_loopback() || address.is_unspecified(),
            Err(_) => host == "localhost" || host.ends_with(".localhost"),
        }
    }
}

/// Checks that a browser can open this address of a page.
pub fn page_url(url: &str) -> anyhow::Result<String> {
    ensure!(
        url.starts_with("http://") || url.starts_with("https://"),
        "an address begins with http:// or https://"
    );
    Ok(url.to_owned())
}

/// The origin of this address, as browsers write it: in small letters, without the scheme's own port.
pub fn origin(url: &str) -> Option<String> {
    let url: Uri = url.parse().ok()?;
    let (scheme, host) = (url.scheme_str()?, url.host()?.to_ascii_lowercase());
    let usual = if scheme == "https" { 443 } else { 80 };
    let port = url.port_u16().filter(|port| *port != usual);
    Some(format!("{scheme}://{host}{}", port.map(|port| format!(":{port}")).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Language;

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        for (url, expected) in [
            ("http://Vote.Example:80/", Some("http://vote.example")),
            ("https://vote.example:443", Some("https://vote.example")),
            ("http://192.168.1.20:8000/", Some("http://192.168.1.20:8000")),
            ("http://[fd00::1]:8000/poll", Some("http://[fd00::1]:8000")),
            ("http://", None),
        ] {
            assert_eq!(origin(url).as_deref(), expected, "{url}");
        }
    }

    fn is_local(url: Option<&str>, is_loopback: bool, host: &str) -> bool {
        let page = OtherPage { url: url.map(str::to_owned), port: 8000, is_loopback };
        page.is_local(&Visitor { language: Language::English, host: host.parse().ok() })
    }

    #[test]
    fn other_machines_can_open_what_is_neither_loopback_nor_unspecified() {
        for host in ["192.168.1.20:8001", "vote.example.org", "[fd00::1]:8001"] {
            assert!(!is_local(None, false, host), "{host}");
            assert!(is_local(None, true, host), "{host}");
        }
        for host in ["localhost:8001", "127.0.0.1", "[::1]:8001", "a.localhost", "0.0.0.0:8001"] {
            assert!(is_local(None, false, host), "{host}");
        }
    }

    #[test]
    fn an_address_that_is_set_counts_more_than_what_is_seen() {
        assert!(!is_local(Some("https://vote.example.org"), true, "localhost:8001"));
        assert!(is_local(Some("http://localhost:8000/"), false, "192.168.1.20:8001"));
    }
}
