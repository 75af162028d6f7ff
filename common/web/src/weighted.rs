//! Headers in which a client lists what it accepts, such as `es, en;q=0.5`.

use axum::http::{HeaderMap, HeaderName};

/// The values in such a header, each with its weight. The weight is 1 if none is
/// given, and 0 if it is not a number. The client does not accept a value of weight 0.
pub(crate) fn weighted(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = (&str, f32)> {
    let lists = headers.get_all(name).into_iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(|item| {
        let (value, weight) = item.split_once(';').unwrap_or((item, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok());
        (value.trim(), weight.unwrap_or(0.0))
    })
}
