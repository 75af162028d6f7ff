//! Where the other page is.

use std::net::IpAddr;

use axum::http::Uri;

use super::Reader;

/// The other page: where it was set to be, or else on this port of the host
/// under which the browser reached us.
#[derive(Clone, Debug)]
pub struct Sibling {
    /// Its address, if that is set.
    pub url: Option<String>,
    /// Its port otherwise.
    pub port: u16,
    /// Whether it listens on this machine's loopback address alone.
    pub is_loopback: bool,
}

impl Sibling {
    /// Its address, for this reader.
    pub fn url(&self, reader: &Reader) -> String {
        if let Some(url) = &self.url {
            return url.clone();
        }
        let name = reader.host.as_ref().map_or("localhost", |host| host.host());
        format!("http://{name}:{}/", self.port)
    }

    /// Whether other machines cannot open that address.
    pub fn is_local(&self, reader: &Reader) -> bool {
        if self.url.is_none() && self.is_loopback {
            return true;
        }
        let url = self.url(reader).parse::<Uri>().ok();
        let host = url.as_ref().and_then(Uri::host).unwrap_or_default();
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) => address.is_loopback() || address.is_unspecified(),
            Err(_) => host == "localhost" || host.ends_with(".localhost"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;
    use crate::phrases::Phrases;

    fn is_local(url: Option<&str>, is_loopback: bool, host: &str) -> bool {
        let sibling = Sibling { url: url.map(str::to_owned), port: 8000, is_loopback };
        sibling.is_local(&Reader { say: Phrases::of(Language::English), host: host.parse().ok() })
    }

    #[test]
    fn other_machines_open_what_is_neither_loopback_nor_no_address_at_all() {
        for host in ["192.168.1.20:8001", "vote.example.org", "[fd00::1]:8001"] {
            assert!(!is_local(None, false, host), "{host}");
            assert!(is_local(None, true, host), "{host}");
        }
        for host in ["localhost:8001", "127.0.0.1", "[::1]:8001", "a.localhost", "0.0.0.0:8001"] {
            assert!(is_local(None, false, host), "{host}");
        }
    }

    #[test]
    fn what_was_set_counts_more_than_what_is_seen() {
        assert!(!is_local(Some("https://vote.example.org"), true, "localhost:8001"));
        assert!(is_local(Some("http://localhost:8000/"), false, "192.168.1.20:8001"));
    }
}
