//! The keys of the cookies, which sign and verify them.

use anyhow::{Context, ensure};
use axum::http::header::InvalidHeaderValue;
use axum::http::{HeaderMap, HeaderValue};
use cookie::{Cookie, CookieJar, Key, SameSite};
use web::{COOKIE_KEPT_FOR, cookies};

/// A shorter key is too easy to guess.
const KEY_MIN_BYTES: usize = 32;

/// The keys of the cookies. The first key signs, and all keys verify, so that a new
/// key makes nobody a new voter.
#[derive(Clone)]
pub struct Keys {
    signing: Key,
    retired: Vec<Key>,
}

impl std::fmt::Debug for Keys {
    /// Shows no key: keys must not get into a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("retired", &self.retired.len()).finish_non_exhaustive()
    }
}

impl Keys {
    /// Reads one key from each line.
    pub fn parse(lines: &str) -> anyhow::Result<Self> {
        let keys: Result<Vec<Key>, _> = lines
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(|line| key(line.as_bytes()))
            .collect();
        let mut keys = keys?.into_iter();
        let signing = keys.next().context("COOKIE_KEY holds no key")?;
        Ok(Self { signing, retired: keys.collect() })
    }

    /// Takes these bytes as the only key.
    pub fn from_bytes(bytes: &[u8]) -> anyhow::Result<Self> {
        Ok(Self { signing: key(bytes)?, retired: Vec::new() })
    }

    /// The `Set-Cookie` header with this value, signed.
    pub(crate) fn sign(
        &self,
        name: &'static str,
        value: String,
        secure: bool,
    ) -> Result<HeaderValue, InvalidHeaderValue> {
        let cookie = Cookie::build((name, value))
            .path("/")
            .max_age(COOKIE_KEPT_FOR)
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(secure);
        let mut jar = CookieJar::new();
        jar.signed_mut(&self.signing).add(cookie);
        let signed = jar.get(name).map(|cookie| cookie.to_string());
        HeaderValue::try_from(signed.unwrap_or_default())
    }

    /// The values of those cookies of this name that one of the keys has signed.
    pub(crate) fn verified<'a>(
        &'a self,
        name: &'static str,
        headers: &'a HeaderMap,
    ) -> impl Iterator<Item = Signed> + 'a {
        let keys = || [&self.signing].into_iter().chain(&self.retired).enumerate();
        cookies(headers, name).filter_map(move |cookie| {
            keys().find_map(|(number, key)| {
                let mut jar = CookieJar::new();
                jar.add_original(cookie.clone());
                let value = jar.signed(key).get(name)?.value().to_owned();
                Some(Signed { value, is_current: number == 0 })
            })
        })
    }
}

/// The content of a signed cookie.
#[derive(Debug)]
pub(crate) struct Signed {
    pub(crate) value: String,
    /// Whether it was signed by the key that signs now.
    pub(crate) is_current: bool,
}

fn key(bytes: &[u8]) -> anyhow::Result<Key> {
    ensure!(
        bytes.len() >= KEY_MIN_BYTES,
        "a key in COOKIE_KEY has {} characters, and needs at least {KEY_MIN_BYTES}: \
         make one with `openssl rand -hex 32`",
        bytes.len()
    );
    Ok(Key::derive_from(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_key_is_refused() {
        let said = Keys::parse("too short").unwrap_err().to_string();
        assert!(said.contains("9 characters"), "{said}");
    }
}
