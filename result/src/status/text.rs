//! The sentences about a hop: what it did, what is wrong, what to try.

use std::collections::BTreeMap;
use std::time::Duration;

use presence::{Kind, LATELY, Replica};
use service::Store;
use status::{Hop, LedgerReading, Loss, Problem, QueueReading, Reading, Setback};
use web::fill;

use super::wording::Wording;

/// Facts as numbers, by name.
type Numbers = BTreeMap<&'static str, u64>;

/// What a hop did, in sentences and in numbers, as far as it is known.
pub(super) fn facts(hop: Hop, reading: &Reading, wording: Wording<'_>) -> (Vec<String>, Numbers) {
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
) -> (Vec<String>, Numbers) {
    let language = wording.language;
    let done = done_lately(queue.running(kind));
    let ago = |replica: &Replica| {
        let idle = Duration::from_millis(replica.announcement.idle_ms?);
        Some(idle + replica.heard)
    };
    let last = queue.running(kind).filter_map(ago).min();
    let mut facts = vec![fill(&language.count(phrase, done), "time", &language.duration(LATELY))];
    facts.extend(last.map(|ago| fill(wording.say.last_one, "time", &language.duration(ago))));
    let mut numbers = Numbers::from([("replicas", queue.running(kind).count() as u64), ("lately", done)]);
    numbers.extend(last.map(|ago| ("last_seconds_ago", ago.as_secs())));
    (facts, numbers)
}

/// How many votes these replicas recorded or counted lately. Anybody may have written
/// any number to the registry, so the sum must not overflow.
pub(super) fn done_lately<'a>(replicas: impl Iterator<Item = &'a Replica>) -> u64 {
    replicas.fold(0, |sum, replica| sum.saturating_add(replica.announcement.lately))
}

fn queue_facts(queue: &QueueReading, wording: Wording<'_>) -> (Vec<String>, Numbers) {
    let (language, depth) = (wording.language, queue.depth);
    let waiting = depth.uncounted();
    let mut numbers = Numbers::from([("waiting", waiting), ("dead", depth.dead)]);
    let Some(oldest) = depth.oldest.filter(|_| waiting > 0) else {
        return (vec![wording.say.nothing_waits.to_owned()], numbers);
    };
    numbers.insert("oldest_seconds", oldest.as_secs());
    let oldest = fill(wording.say.oldest, "time", &language.duration(oldest));
    (vec![language.count(web::say(language).waiting, waiting), oldest], numbers)
}

fn ledger_facts(ledger: &LedgerReading, wording: Wording<'_>) -> (Vec<String>, Numbers) {
    let Some(total) = ledger.total else { return Default::default() };
    let (language, counted) = (wording.language, total.unsigned_abs());
    let mut facts = vec![fill(wording.say.in_this_poll, "votes", &language.number(counted))];
    let mut numbers = Numbers::from([("counted", counted)]);
    if let Some(ago) = ledger.changed.map(|changed| changed.elapsed()) {
        facts.push(fill(wording.say.last_change, "time", &language.duration(ago)));
        numbers.insert("last_seconds_ago", ago.as_secs());
    }
    (facts, numbers)
}

fn viewers(queue: &QueueReading, wording: Wording<'_>) -> (Vec<String>, Numbers) {
    let replicas = || queue.running(Kind::Result);
    let viewers = replicas().filter_map(|replica| replica.announcement.viewers).fold(0, u64::saturating_add);
    let facts = vec![wording.language.count(wording.say.viewers, viewers)];
    (facts, Numbers::from([("replicas", replicas().count() as u64), ("viewers", viewers)]))
}

/// What is wrong, in a sentence.
pub(super) fn sentence(hop: Hop, problem: &Problem, wording: Wording<'_>) -> String {
    let (say, language) = (wording.say, wording.language);
    let of = |phrase: &str, store, names: &[String]| {
        fill(&fill(phrase, "store", wording.product(store)), "names", &names.join(", "))
    };
    let polls = |phrase: &str, theirs: &str| {
        fill(&fill(phrase, "ours", wording.config.poll.id.as_str()), "theirs", theirs)
    };
    match problem {
        Problem::NotReadYet => say.not_read_yet.to_owned(),
        Problem::NotKnown => of(say.not_known, Store::Queue, &[]),
        Problem::NoneRuns => fill(&of(say.none_runs, Store::Queue, &[]), "kind", wording.name(hop)),
        Problem::NotHeard { names, .. } => of(say.not_heard, Store::Queue, names),
        Problem::OtherPoll { names, theirs } => {
            let phrase = if hop == Hop::Vote { say.other_poll } else { say.other_results };
            of(&polls(phrase, theirs), Store::Queue, names)
        }
        Problem::Refuses(names) => of(say.refuses, Store::Queue, names),
        Problem::Unsafe(names) => of(say.unsafe_votes, Store::Queue, names),
        Problem::QueueAway => of(say.queue_away, Store::Queue, &[]),
        Problem::TakesNoWrites => of(say.takes_no_writes, Store::Queue, &[]),
        Problem::SetAside(entries) => language.count(say.set_aside, *entries),
        Problem::SetBack(setback, _) => set_back(setback, wording),
        Problem::WithoutLedger(names) => of(say.without_ledger, Store::Ledger, names),
        Problem::Behind(oldest) => fill(say.behind, "time", &language.duration(*oldest)),
        Problem::LedgerAway => of(say.ledger_away, Store::Ledger, &[]),
        Problem::CutOff => of(say.cut_off, Store::Ledger, &[]),
        Problem::VotesElsewhere { theirs, votes } => {
            fill(&polls(say.votes_elsewhere, theirs), "votes", &language.number(*votes))
        }
    }
}

fn set_back(setback: &Setback, wording: Wording<'_>) -> String {
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
    format!("{} {lost}", fill(what, "store", wording.product(setback.store)))
}

/// For how long the problem has lasted, or how long ago it happened. `None` if the
/// problem's own sentence says so already, or if it is not known.
pub(super) fn lasts(problem: &Problem, lasts: Duration, wording: Wording<'_>) -> Option<String> {
    let phrase = match problem {
        Problem::NotReadYet | Problem::NotKnown | Problem::Behind(_) => return None,
        Problem::SetBack(..) => wording.say.ago,
        _ => wording.say.since,
    };
    Some(fill(phrase, "time", &wording.language.duration(lasts)))
}

/// What to try, and the commands to type.
pub(super) fn advice(hop: Hop, problem: &Problem, wording: Wording<'_>) -> (Option<String>, Vec<String>) {
    let (say, name) = (wording.say, wording.name(hop));
    let log = |of: &str| {
        [
            format!("docker compose logs --tail 20 {of}"),
            format!("docker service logs urna_{of}  # in a swarm"),
        ]
    };
    let start = || {
        let [compose, _] = log(name);
        vec![
            format!("docker compose start {name}"),
            compose,
            format!("docker service ps urna_{name}  # in a swarm"),
        ]
    };
    let (advice, commands): (_, Vec<String>) = match problem {
        Problem::NotReadYet | Problem::NotKnown => return Default::default(),
        Problem::NoneRuns | Problem::NotHeard { .. } if hop == Hop::Vote => (say.try_vote, start()),
        Problem::NoneRuns | Problem::NotHeard { .. } | Problem::QueueAway | Problem::LedgerAway => {
            (say.try_start, start())
        }
        Problem::OtherPoll { .. } => (say.try_poll, Vec::new()),
        Problem::VotesElsewhere { .. } => (say.try_former_poll, Vec::new()),
        Problem::Refuses(_) | Problem::Unsafe(_) | Problem::WithoutLedger(_) | Problem::TakesNoWrites => {
            (say.try_log, log(name).into())
        }
        Problem::CutOff => (say.try_log, log(wording.name(Hop::Result)).into()),
        Problem::SetAside(_) | Problem::SetBack(..) => {
            (say.try_worker_log, log(wording.name(Hop::Worker)).into())
        }
        Problem::Behind(_) => {
            let more = format!("docker compose up -d --scale {name}=3");
            (say.try_more, [&log(name)[..1], &[more]].concat())
        }
    };
    // The embedded mode is one process, whose log is in its terminal. It needs no commands.
    let commands = if wording.config.embedded { Vec::new() } else { commands };
    (Some(fill(advice, "store", wording.product(Store::Queue))), commands)
}
