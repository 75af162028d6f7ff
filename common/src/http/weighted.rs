//! Headers in which a client lists what it takes, such as `gzip, br;q=0.5`.

use axum::http::{HeaderMap, HeaderName};

/// What the client takes and how much it likes it: 1 unless it says otherwise,
/// and 0 for what it does not take. A weight that is no number is 0 as well.
pub(super) fn weighted(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = (&str, f32)> {
    let lists = headers.get_all(name).into_iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(|item| {
        let (value, weight) = item.split_once(';').unwrap_or((item, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok());
        (value.trim(), weight.unwrap_or(0.0))
    })
}
