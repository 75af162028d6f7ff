//! What happened, in words.

use std::time::{Duration, UNIX_EPOCH};

use presence::{Kind, Replica};
use service::Store;
use status::{Diagnosis, Event, Happening, Who};
use web::{Moment, fill};

use super::text::set_back;
use super::wording::Wording;

/// A worker compares the stores every 2 s. If nothing was missing by then, nothing was lost.
const COMPARED_WITHIN: Duration = Duration::from_secs(6);

/// One event.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) at: Moment,
    pub(crate) text: String,
    /// Whether it is good news, bad news, or neither, as a class of the page.
    pub(crate) class: &'static str,
}

/// The events in words, the newest first.
pub(crate) fn lines(diagnosis: &Diagnosis, wording: Wording<'_>) -> Vec<Line> {
    let reading = &diagnosis.reading.history;
    let line = |event: &Event| {
        let (text, class) = worded(event, diagnosis, wording)?;
        let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(event.at_ms).unwrap_or(0));
        Some(Line { at: Moment::at(at), text, class })
    };
    reading.history.events.iter().filter_map(line).collect()
}

fn worded(event: &Event, diagnosis: &Diagnosis, wording: Wording<'_>) -> Option<(String, &'static str)> {
    let say = wording.say;
    let text = match &event.what {
        Happening::Appeared(one) => (who(say.appeared, one, wording), "good"),
        Happening::Restarted(one) => (who(say.restarted, one, wording), "good"),
        Happening::Heard(one) => (who(say.heard, one, wording), "good"),
        Happening::FellSilent(one) => (who(say.fell_silent, one, wording), "bad"),
        Happening::Left(one) => (who(say.stopped, one, wording), "plain"),
        Happening::Away { store: Store::Queue } => (wording.store(say.votes_refused, Store::Queue), "bad"),
        Happening::Away { store } => (wording.store(say.votes_wait, *store), "bad"),
        Happening::Back { store, after_ms } => (back(*store, *after_ms, event, diagnosis, wording), "good"),
        Happening::SetBack(setback) => (set_back(setback, wording), "bad"),
        Happening::Rollout { kind, release, on, of } => {
            let phrase = fill(&fill(say.rollout, "kind", &kind.to_string()), "release", release);
            let language = wording.language;
            let phrase = fill(&phrase, "on", &language.number(*on));
            (fill(&phrase, "of", &language.number(*of)), "plain")
        }
        Happening::Unknown(_) => return None,
    };
    Some(text)
}

fn who(phrase: &str, who: &Who, wording: Wording<'_>) -> String {
    let say = wording.say;
    let place = who.node.as_ref().map_or(String::new(), |node| fill(say.place, "node", node));
    // The name of a container may be only a number.
    let kind = who.kind.to_string();
    let full = if who.name.starts_with(&kind) { who.name.clone() } else { format!("{kind} {}", who.name) };
    let phrase = fill(&fill(phrase, "name", &full), "release", &who.release);
    fill(&phrase, "place", &place)
}

/// Says that nothing was lost only once a worker has compared the stores.
fn back(store: Store, after_ms: i64, event: &Event, diagnosis: &Diagnosis, wording: Wording<'_>) -> String {
    let after = Duration::from_millis(u64::try_from(after_ms).unwrap_or(0));
    let ago = diagnosis.reading.history.ago(event.at_ms);
    let queue = diagnosis.reading.queue.as_ref();
    let is_whole = ago > COMPARED_WITHIN
        && queue.is_some_and(|queue| {
            let set_back = queue.setbacks.iter().any(|(_, noticed)| *noticed <= ago.saturating_add(after));
            !set_back && queue.running(Kind::Worker).any(has_compared)
        });
    let phrase = if is_whole { wording.say.back_whole } else { wording.say.back };
    wording.time(&wording.store(phrase, store), after)
}

fn has_compared(worker: &Replica) -> bool {
    let said = &worker.announcement;
    said.lacks.is_empty() && Duration::from_millis(said.running_ms) > COMPARED_WITHIN
}
