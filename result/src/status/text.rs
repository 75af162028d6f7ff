//! The sentences about a hop: what it did, and what is wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use election::Relabelled;
use presence::{Kind, LATELY, Replica};
use service::Store;
use status::{Hop, LedgerReading, Loss, Problem, QueueReading, Reading, Setback};
use web::{fill, isolated};

use super::wording::Wording;

/// Facts as numbers, by name.
type Figures = BTreeMap<String, u64>;

/// What a hop did, in sentences and in numbers, as far as it is known.
pub(super) fn facts(hop: Hop, reading: &Reading, wording: Wording<'_>) -> (Vec<String>, Figures) {
    if hop == Hop::Ledger {
        return ledger_facts(&reading.ledger, wording);
    }
    let Some(queue) = &reading.queue else { return Default::default() };
    match hop {
        Hop::Vote => done_facts(queue, Kind::Vote, wording.say.recorded_lately, wording),
        Hop::Worker => done_facts(queue, Kind::Worker, wording.say.counted_lately, wording),
        Hop::Result => viewers(queue, wording),
        Hop::Queue | Hop::Ledger => queue_facts(queue, wording),
    }
}

fn done_facts(
    queue: &QueueReading,
    kind: Kind,
    phrase: &str,
    wording: Wording<'_>,
) -> (Vec<String>, Figures) {
    let done = done_lately(queue.running(kind));
    let done_in_words = wording.language.count(phrase, done);
    let mut facts = vec![wording.time(&done_in_words, LATELY)];
    let mut figures = figures([("replicas", queue.running(kind).count() as u64), ("lately", done)]);
    if let Some(ago) = queue.last_done(kind) {
        facts.push(wording.time(wording.say.last_one, ago));
        figures.insert("last_seconds_ago".to_owned(), ago.as_secs());
    }
    (facts, figures)
}

fn figures<const N: usize>(figures: [(&str, u64); N]) -> Figures {
    figures.map(|(name, number)| (name.to_owned(), number)).into()
}

/// How many votes these replicas recorded or counted lately. Anybody may have written
/// any number to the registry, so the sum must not overflow.
pub(super) fn done_lately<'a>(replicas: impl Iterator<Item = &'a Replica>) -> u64 {
    replicas.fold(0, |sum, replica| sum.saturating_add(replica.announcement.lately))
}

fn queue_facts(queue: &QueueReading, wording: Wording<'_>) -> (Vec<String>, Figures) {
    let waiting = queue.depth.uncounted();
    let mut figures = figures([("waiting", waiting), ("dead", queue.depth.dead)]);
    let Some(oldest) = queue.depth.oldest.filter(|_| waiting > 0) else {
        return (vec![wording.say.nothing_waits.to_owned()], figures);
    };
    figures.insert("oldest_seconds".to_owned(), oldest.as_secs());
    let language = wording.language;
    let waiting = language.count(web::say(language).waiting, waiting);
    (vec![waiting, wording.time(wording.say.oldest, oldest)], figures)
}

fn ledger_facts(ledger: &LedgerReading, wording: Wording<'_>) -> (Vec<String>, Figures) {
    let Some(total) = ledger.total.map(i64::unsigned_abs) else { return Default::default() };
    let mut facts = vec![fill(wording.say.in_this_poll, "votes", &wording.language.number(total))];
    let mut figures = figures([("counted", total)]);
    if let Some(ago) = ledger.changed.map(|changed| changed.elapsed()) {
        facts.push(wording.time(wording.say.last_change, ago));
        figures.insert("last_seconds_ago".to_owned(), ago.as_secs());
    }
    (facts, figures)
}

fn viewers(queue: &QueueReading, wording: Wording<'_>) -> (Vec<String>, Figures) {
    let replicas = || queue.running(Kind::Result);
    let viewers = replicas().filter_map(|replica| replica.announcement.viewers).fold(0, u64::saturating_add);
    let facts = vec![wording.language.count(wording.say.viewers, viewers)];
    (facts, figures([("replicas", replicas().count() as u64), ("viewers", viewers)]))
}

/// What is wrong, in a sentence.
pub(super) fn sentence(hop: Hop, problem: &Problem, wording: Wording<'_>) -> String {
    let (say, language) = (wording.say, wording.language);
    let queue = |phrase| wording.store(phrase, Store::Queue);
    let ledger = |phrase| wording.store(phrase, Store::Ledger);
    let other_poll = if hop == Hop::Vote { say.other_poll } else { say.other_results };
    match problem {
        Problem::NotReadYet => say.not_read_yet.to_owned(),
        Problem::NotKnown => queue(say.not_known),
        Problem::NoneRuns => fill(&queue(say.none_runs), "kind", wording.name(hop)),
        Problem::NotHeard { names, .. } => list(&queue(say.not_heard), names),
        Problem::OtherPoll { names, theirs } => list(&wording.polls(other_poll, theirs), names),
        Problem::Refuses(names) => list(&queue(say.refuses), names),
        Problem::Unsafe(store, names) => list(&wording.store(say.unsafe_votes, *store), names),
        Problem::QueueAway => queue(say.queue_away),
        Problem::TakesNoWrites => queue(say.takes_no_writes),
        Problem::DeadLetters(entries) => language.count(say.dead_letters, *entries),
        Problem::SetBack(setback, _) => set_back(setback, wording),
        Problem::WithoutLedger(names) => list(&ledger(say.without_ledger), names),
        Problem::Behind(oldest) => wording.time(say.behind, *oldest),
        Problem::LedgerAway => ledger(say.ledger_away),
        Problem::CutOff => ledger(say.cut_off),
        Problem::VotesElsewhere { theirs, votes } => {
            fill(&wording.polls(say.votes_elsewhere, theirs), "votes", &language.number(*votes))
        }
        Problem::Relabelled(options) => relabelled(options, wording),
    }
}

fn list(phrase: &str, names: &[String]) -> String {
    fill(phrase, "names", &names.join(", "))
}

fn relabelled(options: &[Relabelled], wording: Wording<'_>) -> String {
    let change = |option: &Relabelled| {
        format!("{}: {} → {}", option.choice, isolated(&option.was), isolated(&option.is))
    };
    let changes: Vec<String> = options.iter().map(change).collect();
    let phrase = wording.poll(wording.say.relabelled);
    fill(&phrase, "changes", &changes.join(", "))
}

/// How a store was wiped or set back, and what that cost.
pub(super) fn set_back(setback: &Setback, wording: Wording<'_>) -> String {
    let (say, language) = (wording.say, wording.language);
    let what = match setback.loss {
        Loss::Wiped => say.wiped,
        Loss::Older => say.older,
    };
    let lost = match (setback.store, setback.exposed) {
        (Store::Queue, Some(votes)) => language.count(say.lost_waiting, votes),
        (Store::Queue, None) => say.lost_unseen.to_owned(),
        (Store::Ledger, Some(votes)) => language.count(say.lost_counted, votes),
        (Store::Ledger, None) => say.lost_some.to_owned(),
    };
    format!("{} {lost}", wording.store(what, setback.store))
}

/// For how long the problem has lasted, or how long ago it happened. `None` if the
/// problem's own sentence says so already, or if it is not known.
pub(super) fn lasts(problem: &Problem, lasts: Duration, wording: Wording<'_>) -> Option<String> {
    let phrase = match problem {
        Problem::NotReadYet | Problem::NotKnown | Problem::Behind(_) => return None,
        Problem::SetBack(..) => wording.say.ago,
        _ => wording.say.since,
    };
    Some(wording.time(phrase, lasts))
}
