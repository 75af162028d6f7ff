//! The sentences about a hop: what it did, what is wrong, what to try.

use std::collections::BTreeMap;
use std::time::Duration;

use common::health::Part;
use common::phrases::fill;
use common::presence::{Kind, Replica};
use common::setback::{Loss, Setback};

use super::findings::{Hop, Trouble};
use super::reading::{LedgerReading, QueueReading, Reading};
use super::view::{Tongue, lately};

type Figures = BTreeMap<&'static str, u64>;

/// What a hop did, in sentences and in numbers; nothing where that is not known.
pub(super) fn facts(hop: Hop, reading: &Reading, tongue: Tongue<'_>) -> (Vec<String>, Figures) {
    let known = match hop {
        Hop::Ledger => Some(ledger_facts(&reading.ledger, tongue)),
        Hop::Queue => reading.queue.as_ref().map(|queue| queue_facts(queue, tongue)),
        Hop::Vote => reading
            .queue
            .as_ref()
            .map(|queue| done_facts(queue, Kind::Vote, tongue.say.recorded_lately, tongue)),
        Hop::Worker => reading
            .queue
            .as_ref()
            .map(|queue| done_facts(queue, Kind::Worker, tongue.say.counted_lately, tongue)),
        Hop::Result => reading.queue.as_ref().map(|queue| viewers(queue, tongue)),
    };
    known.unwrap_or_default()
}

fn done_facts(queue: &QueueReading, kind: Kind, phrase: &str, tongue: Tongue<'_>) -> (Vec<String>, Figures) {
    let language = tongue.language();
    let replicas: Vec<&Replica> = queue.of(kind).collect();
    let done = replicas.iter().map(|replica| replica.announcement.lately).sum();
    let ago = |replica: &&Replica| {
        let idle = Duration::from_millis(replica.announcement.idle_ms?);
        Some(idle + replica.heard)
    };
    let last = replicas.iter().filter_map(ago).min();
    let mut facts = vec![fill(&language.count(phrase, done), "time", &lately(language))];
    facts.extend(last.map(|ago| fill(tongue.say.last_one, "time", &language.duration(ago))));
    let mut figures = Figures::from([("replicas", replicas.len() as u64), ("lately", done)]);
    figures.extend(last.map(|ago| ("last_seconds_ago", ago.as_secs())));
    (facts, figures)
}

fn queue_facts(queue: &QueueReading, tongue: Tongue<'_>) -> (Vec<String>, Figures) {
    let (language, depth) = (tongue.language(), queue.depth);
    let waiting = depth.uncounted();
    let mut figures = Figures::from([("waiting", waiting), ("dead", depth.dead)]);
    let Some(oldest) = depth.oldest.filter(|_| waiting > 0) else {
        return (vec![tongue.say.nothing_waits.to_owned()], figures);
    };
    figures.insert("oldest_seconds", oldest.as_secs());
    let oldest = fill(tongue.say.oldest, "time", &language.duration(oldest));
    (vec![language.count(tongue.plain.waiting, waiting), oldest], figures)
}

fn ledger_facts(ledger: &LedgerReading, tongue: Tongue<'_>) -> (Vec<String>, Figures) {
    if !ledger.known {
        return Default::default();
    }
    let (language, counted) = (tongue.language(), ledger.total.unsigned_abs());
    let mut facts = vec![fill(tongue.say.in_this_poll, "votes", &language.number(counted))];
    let mut figures = Figures::from([("counted", counted)]);
    if let Some(ago) = ledger.changed.map(|changed| changed.elapsed()) {
        facts.push(fill(tongue.say.last_change, "time", &language.duration(ago)));
        figures.insert("last_seconds_ago", ago.as_secs());
    }
    (facts, figures)
}

fn viewers(queue: &QueueReading, tongue: Tongue<'_>) -> (Vec<String>, Figures) {
    let replicas = queue.of(Kind::Result).count() as u64;
    let viewers = queue.of(Kind::Result).filter_map(|replica| replica.announcement.viewers).sum();
    let facts = vec![tongue.language().count(tongue.say.viewers, viewers)];
    (facts, Figures::from([("replicas", replicas), ("viewers", viewers)]))
}

/// What is wrong, in a sentence.
pub(super) fn sentence(hop: Hop, trouble: &Trouble, tongue: Tongue<'_>) -> String {
    let (say, language) = (tongue.say, tongue.language());
    let of = |phrase: &str, part, names: &[String]| {
        fill(&fill(phrase, "store", tongue.store(part)), "names", &names.join(", "))
    };
    let polls = |phrase: &str, theirs: &str| {
        fill(&fill(phrase, "ours", tongue.board.poll.id.as_str()), "theirs", theirs)
    };
    match trouble {
        Trouble::NotKnown => of(say.not_known, Part::Queue, &[]),
        Trouble::NoneRuns => fill(&of(say.none_runs, Part::Queue, &[]), "kind", tongue.name(hop)),
        Trouble::NotHeard { names, .. } => of(say.not_heard, Part::Queue, names),
        Trouble::OtherPoll { names, theirs } => of(&polls(say.other_poll, theirs), Part::Queue, names),
        Trouble::Refuses(names) => of(say.refuses, Part::Queue, names),
        Trouble::QueueAway => of(say.queue_away, Part::Queue, &[]),
        Trouble::SetAside(entries) => language.count(say.set_aside, *entries),
        Trouble::SetBack(setback) => set_back(setback, tongue),
        Trouble::WithoutLedger(names) => of(say.without_ledger, Part::Ledger, names),
        Trouble::Behind(oldest) => fill(say.behind, "time", &language.duration(*oldest)),
        Trouble::LedgerAway => of(say.ledger_away, Part::Ledger, &[]),
        Trouble::VotesElsewhere { theirs, votes } => {
            fill(&polls(say.votes_elsewhere, theirs), "votes", &language.number(*votes))
        }
    }
}

fn set_back(setback: &Setback, tongue: Tongue<'_>) -> String {
    let (say, language) = (tongue.say, tongue.language());
    let what = match setback.loss {
        Loss::Emptied => say.emptied,
        Loss::Older => say.older,
    };
    let lost = match (setback.store, setback.exposed) {
        (Part::Queue, Some(votes)) => language.count(say.lost_waiting, votes),
        (Part::Queue, None) => say.lost_unseen.to_owned(),
        (Part::Ledger, Some(votes)) => language.count(say.lost_counted, votes),
        (Part::Ledger, None) => say.lost_some.to_owned(),
    };
    format!("{} {lost}", fill(what, "store", tongue.store(setback.store)))
}

/// What to try, and the commands for that.
pub(super) fn advice(hop: Hop, trouble: &Trouble, tongue: Tongue<'_>) -> (Option<String>, Vec<String>) {
    let (say, name) = (tongue.say, tongue.name(hop));
    let start = [format!("docker compose up -d {name}"), format!("docker compose logs --tail 20 {name}")];
    let log =
        |of: &str| [format!("docker compose logs --tail 20 {of}"), format!("docker service logs urna_{of}")];
    let on_swarm = format!("docker service ps urna_{name}");
    let (advice, commands): (_, Vec<String>) = match trouble {
        Trouble::NotKnown => return Default::default(),
        Trouble::NoneRuns | Trouble::NotHeard { .. } if hop == Hop::Vote => {
            (say.try_vote, [&start[..], &[on_swarm]].concat())
        }
        Trouble::NoneRuns | Trouble::NotHeard { .. } | Trouble::QueueAway | Trouble::LedgerAway => {
            (say.try_start, [&start[..], &[on_swarm]].concat())
        }
        Trouble::OtherPoll { .. } | Trouble::VotesElsewhere { .. } => (say.try_poll, Vec::new()),
        Trouble::Refuses(_) | Trouble::WithoutLedger(_) => (say.try_log, log(name).into()),
        Trouble::SetAside(_) | Trouble::SetBack(_) => (say.try_log, log(tongue.name(Hop::Worker)).into()),
        Trouble::Behind(_) => {
            let more = format!("docker compose up -d --scale {name}=3");
            (say.try_more, [&log(name)[..1], &[more]].concat())
        }
    };
    // Embedded, there is one process, and its terminal is its log.
    let commands = if tongue.board.embedded { Vec::new() } else { commands };
    (Some(fill(advice, "store", tongue.store(Part::Queue))), commands)
}
