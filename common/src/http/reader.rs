//! Who asks: in which language they read, and under which name they reached us.

use axum::extract::Request;
use axum::http::header::{ACCEPT_LANGUAGE, COOKIE, HOST, SET_COOKIE};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::middleware::Next;
use axum::response::Response;
use cookie::time::Duration;
use cookie::{Cookie, SameSite};

use super::Notice;
use super::weighted::weighted;
use crate::language::Language;
use crate::phrases::Phrases;

/// The query parameter and the cookie that hold a chosen language. A browser
/// sends its cookies to every port of a host, so the choice is made once for both pages.
const CHOICE: &str = "lang";

/// As long as browsers keep a cookie.
pub const COOKIE_KEPT_FOR: Duration = Duration::days(400);

/// Who asks.
#[derive(Clone, Debug)]
pub struct Reader {
    /// The phrases of their language.
    pub say: &'static Phrases,
    /// The name and port in the address of their request, if it had any.
    pub host: Option<Authority>,
}

/// Gets to know the reader, for the handlers and for the notices they answer
/// with, and remembers the language that a reader chose.
pub(super) async fn welcome(mut request: Request, next: Next) -> Response {
    let chosen = chosen_now(request.uri());
    let language = chosen.or_else(|| remembered(request.headers())).or_else(|| accepted(request.headers()));
    let say = Phrases::of(language.unwrap_or(Language::English));
    let reader = Reader { say, host: host(request.headers()) };
    request.extensions_mut().insert(reader);
    let mut response = next.run(request).await;
    if let Some(notice) = response.extensions_mut().remove::<Notice>() {
        notice.write_to(&mut response, say);
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
    let texts = headers.get_all(COOKIE).iter().map(|header| String::from_utf8_lossy(header.as_bytes()));
    let cookies = texts.flat_map(Cookie::split_parse).filter_map(Result::ok);
    cookies.filter(|cookie| cookie.name() == CHOICE).find_map(|cookie| Language::from_code(cookie.value()))
}

/// Of the languages we have, the one this browser's user likes best, and the
/// first of those they like alike.
fn accepted(headers: &HeaderMap) -> Option<Language> {
    let languages = weighted(headers, ACCEPT_LANGUAGE).filter_map(|(tag, weight)| {
        let code = tag.split('-').next()?;
        Some((Language::from_code(code)?, weight)).filter(|_| weight > 0.0)
    });
    let best = languages.reduce(|best, next| if next.1 > best.1 { next } else { best });
    best.map(|(language, _)| language)
}

fn host(headers: &HeaderMap) -> Option<Authority> {
    Authority::try_from(headers.get(HOST)?.as_bytes()).ok()
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
    fn the_best_liked_language_is_taken_of_those_we_have() {
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
