//! What happened, in words.

use std::time::{Duration, SystemTime};

use presence::Kind;
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
        Some(Line {
            at: Moment::at(reading.time(event.at_ms).unwrap_or(SystemTime::UNIX_EPOCH)),
            text,
            class,
        })
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
            let phrase = fill(&fill(say.rollout, "kind", name(*kind)), "release", release);
            let language = wording.language;
            let phrase = fill(&phrase, "on", &language.number(*on));
            (fill(&phrase, "of", &language.number(*of)), "plain")
        }
        Happening::Unknown => return None,
    };
    Some(text)
}

fn who(phrase: &str, who: &Who, wording: Wording<'_>) -> String {
    let say = wording.say;
    let place = who.node.as_ref().map_or(String::new(), |node| fill(say.place, "node", node));
    // The name of a container may be only a number.
    let kind = name(who.kind);
    let full = if who.name.starts_with(kind) { who.name.clone() } else { format!("{kind} {}", who.name) };
    let phrase = fill(&fill(phrase, "name", &full), "release", &who.release);
    fill(&phrase, "place", &place)
}

/// Says that nothing was lost only once a worker has compared the stores.
fn back(store: Store, after_ms: i64, event: &Event, diagnosis: &Diagnosis, wording: Wording<'_>) -> String {
    let say = wording.say;
    let reading = &diagnosis.reading.history;
    let lost =
        |other: &Event| matches!(other.what, Happening::SetBack(_)) && other.at_ms >= event.at_ms - after_ms;
    let is_compared = reading.ago(event.at_ms) > COMPARED_WITHIN && has_worker(diagnosis);
    let phrase = match is_compared && !reading.history.events.iter().any(lost) {
        true => say.back_whole,
        false => say.back,
    };
    let after = Duration::from_millis(after_ms.unsigned_abs());
    wording.time(&wording.store(phrase, store), after)
}

fn has_worker(diagnosis: &Diagnosis) -> bool {
    let queue = diagnosis.reading.queue.as_ref();
    queue.is_some_and(|queue| queue.running(Kind::Worker).any(|worker| worker.announcement.lacks.is_empty()))
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Vote => "vote",
        Kind::Worker => "worker",
        Kind::Result => "result",
    }
}
