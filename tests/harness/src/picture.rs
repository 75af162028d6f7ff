//! What the map of a deployment shows.

use std::collections::{BTreeMap, BTreeSet};

use super::eventually;

/// The replicas on each node, by their names, and their states. Replicas that know no node are at "".
pub type Picture = BTreeMap<String, BTreeMap<String, String>>;

/// Waits until the map shows such a picture.
pub async fn map_shows(result: &str, what: &str, condition: impl Fn(&Picture) -> bool) {
    eventually(&format!("a map that shows {what}"), async || {
        condition(&picture(&map(result).await?)).then_some(())
    })
    .await;
}

/// Waits until the map tells that something happened.
pub async fn map_tells(result: &str, words: &str) {
    eventually(&format!("a map that tells {words:?}"), async || {
        let page = map(result).await?;
        page.split_once("id=\"events\"")?.1.contains(words).then_some(())
    })
    .await;
}

/// Waits until the map has these words anywhere.
pub async fn map_says(result: &str, words: &str) {
    eventually(&format!("a map that says {words:?}"), async || {
        map(result).await?.contains(words).then_some(())
    })
    .await;
}

/// Whether nobody works on a node. A replica that was killed there stays on the map for a while.
pub fn is_empty(picture: &Picture, node: &str) -> bool {
    !picture.get(node).is_some_and(|replicas| replicas.values().any(|state| works(state)))
}

/// The names of the replicas that work, wherever they are.
pub fn at_work(picture: &Picture) -> BTreeSet<String> {
    let replicas = picture.values().flatten().filter(|(_, state)| works(state));
    replicas.map(|(name, _)| name.clone()).collect()
}

fn works(state: &str) -> bool {
    state != "gone" && state != "silent"
}

async fn map(result: &str) -> Option<String> {
    reqwest::get(format!("{result}/map")).await.ok()?.text().await.ok()
}

fn picture(page: &str) -> Picture {
    let bands = page.split("<section class=\"band\">").skip(1);
    bands.map(|band| (between(band, "<h2><bdi>", "</bdi>").unwrap_or_default(), replicas(band))).collect()
}

fn replicas(band: &str) -> BTreeMap<String, String> {
    let band = band.split_once("</section>").map_or(band, |(band, _)| band);
    let cards = band.split("class=\"card ").skip(1);
    cards
        .filter_map(|card| Some((between(card, "<bdi>", "</bdi>")?, card.split_once('"')?.0.to_owned())))
        .collect()
}

fn between(text: &str, start: &str, end: &str) -> Option<String> {
    let (_, rest) = text.split_once(start)?;
    Some(rest.split_once(end)?.0.to_owned())
}
