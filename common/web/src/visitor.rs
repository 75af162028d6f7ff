//! The visitor who sent a request: their language, and the host name that they used.

use std::net::Ipv6Addr;

use axum::extract::Request;
use axum::http::header::{ACCEPT_LANGUAGE, COOKIE, HOST, SET_COOKIE};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::middleware::Next;
use axum::response::Response;
use cookie::time::Duration;
use cookie::{Cookie, SameSite};

use crate::{Language, Notice};

/// The name of the query parameter and of the cookie for a chosen language. A browser
/// sends its cookies to every port of a host, so a choice holds for both pages.
const CHOICE: &str = "lang";

/// The longest name that DNS allows.
const HOST_MAX_BYTES: usize = 253;

/// Browsers keep no cookie for longer than this.
pub const COOKIE_KEPT_FOR: Duration = Duration::days(400);

/// The person, or the program, that sent a request.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The language of the answer.
    pub language: Language,
    /// The host name and port that the visitor used, if the request names them.
    pub host: Option<Authority>,
}

/// The cookies with this name in these headers. Another program on this host may
/// have set cookies that are not ASCII. They must not hide ours.
pub fn cookies<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = Cookie<'static>> + 'a {
    let texts = headers.get_all(COOKIE).iter().map(|header| String::from_utf8_lossy(header.as_bytes()));
    texts.flat_map(move |text| {
        let named = text.split(';').filter(|pair| pair.split('=').next().unwrap_or_default().trim() == name);
        named.filter_map(|pair| Cookie::parse(pair.to_owned()).ok()).collect::<Vec<_>>()
    })
}

/// Finds out the visitor's language and host name for the handlers, writes notices
/// in that language, and remembers a language that the visitor has just chosen.
pub(crate) async fn welcome(mut request: Request, next: Next) -> Response {
    let chosen = chosen_now(request.uri());
    let language = chosen.or_else(|| remembered(request.headers())).or_else(|| accepted(request.headers()));
    let language = language.unwrap_or(Language::English);
    let visitor = Visitor { language, host: host(request.headers()) };
    request.extensions_mut().insert(visitor);
    let mut response = next.run(request).await;
    if let Some(notice) = response.extensions_mut().remove::<Notice>() {
        notice.write_to(&mut response, language);
    }
    if let Some(cookie) = chosen.and_then(cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

fn chosen_now(uri: &Uri) -> Option<Language> {
    let parameters = uri.query()?.split('&').filter_map(|parameter| parameter.split_once('='));
    parameters.filter(|(name, _)| *name == CHOICE).find_map(|(_, code)| Language::from_code(code))
}

fn remembered(headers: &HeaderMap) -> Option<Language> {
    cookies(headers, CHOICE).find_map(|cookie| Language::from_code(cookie.value()))
}

/// The language that the browser's user prefers among ours. Of equally preferred
/// ones it is the first.
fn accepted(headers: &HeaderMap) -> Option<Language> {
    let lists = headers.get_all(ACCEPT_LANGUAGE).into_iter().filter_map(|list| list.to_str().ok());
    let languages = lists.flat_map(|list| list.split(',')).filter_map(weighted);
    let best = languages.reduce(|best, next| if next.1 > best.1 { next } else { best });
    best.map(|(language, _)| language)
}

/// Reads one language and its weight, such as `es;q=0.5`. The user does not accept a
/// language of weight 0.
fn weighted(item: &str) -> Option<(Language, f32)> {
    let (tag, weight) = item.split_once(';').unwrap_or((item, "q=1"));
    let language = Language::from_code(tag.trim().split('-').next()?)?;
    let weight = weight.trim().strip_prefix("q=")?.parse().ok()?;
    (weight > 0.0).then_some((language, weight))
}

/// The host that the headers name, if it is a possible one. The pages show it, so anything
/// else is ignored.
fn host(headers: &HeaderMap) -> Option<Authority> {
    let authority = Authority::try_from(headers.get(HOST)?.as_bytes()).ok()?;
    let host = authority.host();
    let is_bare = match authority.port_u16() {
        Some(port) => authority.as_str() == format!("{host}:{port}"),
        None => authority.as_str() == host,
    };
    (is_bare && is_host(host)).then_some(authority)
}

/// Whether this is a name that DNS allows, or an address. Names in a home network may
/// also have an underscore.
fn is_host(host: &str) -> bool {
    let is_name = || host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.len() <= HOST_MAX_BYTES && is_name(),
    }
}

fn cookie(language: Language) -> Option<HeaderValue> {
    let cookie =
        Cookie::build((CHOICE, language.code())).path("/").max_age(COOKIE_KEPT_FOR).same_site(SameSite::Lax);
    HeaderValue::try_from(cookie.to_string()).ok()
}

#[cfg(test)]
mod tests {
    use super::Language::{English, Galician, Russian, Spanish};
    use super::*;

    #[test]
    fn the_preferred_language_is_taken_of_those_we_have() {
        let cases = [
            ("es-ES,es;q=0.9,en;q=0.8", Some(Spanish)),
            ("de, fr;q=0.9, ru;q=0.5, en;q=0.4", Some(Russian)),
            ("en;q=0.3, GL-es;q=0.7", Some(Galician)),
            ("en, es", Some(English)),
            ("es;q=0, en;q=0.1", Some(English)),
            ("ru;q=many, gl", Some(Galician)),
            ("de", None),
            ("*", None),
            ("", None),
        ];
        for (header, expected) in cases {
            let headers = HeaderMap::from_iter([(ACCEPT_LANGUAGE, HeaderValue::from_static(header))]);
            assert_eq!(accepted(&headers), expected, "{header:?}");
        }
    }

    #[test]
    fn only_a_name_or_an_address_counts_as_the_host() {
        let longest = "a".repeat(HOST_MAX_BYTES);
        let (with_port, too_long) = (format!("{longest}:8000"), format!("{longest}a"));
        let hosts = ["localhost:8000", "my_box", "192.168.1.20", "[::1]:8001", &with_port];
        let others = ["", ":8000", "a@b", "a:", "a:99999", "a:080", "[x]", "a!b", &too_long];
        let named = |host: &str| {
            let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_str(host).unwrap())]);
            super::host(&headers).is_some()
        };
        assert_eq!(hosts.map(named), [true; 5]);
        assert_eq!(others.map(named), [false; 9]);
    }

    #[test]
    fn a_choice_in_the_address_or_the_cookie_is_one_of_the_languages_or_none() {
        let cases = [
            ("/?lang=ru", Some(Russian)),
            ("/?a=b&lang=es", Some(Spanish)),
            ("/?lang=xx", None),
            ("/", None),
        ];
        for (uri, expected) in cases {
            assert_eq!(chosen_now(&uri.parse().unwrap()), expected, "{uri}");
        }
        for (cookie, expected) in
            [("voter=x; lang=gl", Some(Galician)), ("language=gl", None), ("lang", None)]
        {
            let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::from_static(cookie))]);
            assert_eq!(remembered(&headers), expected, "{cookie}");
        }
    }
}
