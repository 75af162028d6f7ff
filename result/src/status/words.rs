//! The sentences about a hop: what it did, what is wrong, what to try.

use std::collections::BTreeMap;
use std::time::Duration;

use common::health::Part;
use common::phrases::fill;
use common::presence::{Kind, LATELY, Replica};
use common::setback::{Loss, Setback};

use super::findings::{Hop, Trouble};
use super::reading::{LedgerReading, QueueReading, Reading};
use super::view::Tongue;

type Figures = BTreeMap<&'static str, u64>;

/// What a hop did, in sentences and in numbers; nothing where that is not known.
pub(super) fn facts(hop: Hop, reading: &Reading, tongue: Tongue<'_>) -> (Vec<String>, Figures) {
    if hop == Hop::Ledger {
        return ledger_facts(&reading.ledger, tongue);
    }
    let Some(queue) = &reading.queue else { return Default::default() };
    match hop {
        Hop::Vote => done_facts(queue, Kind::Vote, tongue.say.recorded_lately, tongue),
        Hop::Worker => done_facts(queue, Kind::Worker, tongue.say.counted_lately, tongue),
        Hop::Result => viewers(queue, tongue),
        Hop::Queue | Hop::Ledger => queue_facts(queue, tongue),
    }
}

fn done_facts(queue: &QueueReading, kind: Kind, phrase: &str, tongue: Tongue<'_>) -> (Vec<String>, Figures) {
    let language = tongue.language();
    let replicas: Vec<&Replica> = queue.there(kind).collect();
    let done = done_lately(&replicas);
    let ago = |replica: &&Replica| {
        let idle = Duration::from_millis(replica.announcement.idle_ms?);
        Some(idle + replica.heard)
    };
    let last = replicas.iter().filter_map(ago).min();
    let mut facts = vec![fill(&language.count(phrase, done), "time", &language.duration(LATELY))];
    facts.extend(last.map(|ago| fill(tongue.say.last_one, "time", &language.duration(ago))));
    let mut figures = Figures::from([("replicas", replicas.len() as u64), ("lately", done)]);
    figures.extend(last.map(|ago| ("last_seconds_ago", ago.as_secs())));
    (facts, figures)
}

/// What these did lately; sums of what anybody may have written do not overflow.
pub(super) fn done_lately(replicas: &[&Replica]) -> u64 {
    replicas.iter().fold(0, |sum, replica| sum.saturating_add(replica.announcement.lately))
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
    let Some(total) = ledger.total else { return Default::default() };
    let (language, counted) = (tongue.language(), total.unsigned_abs());
    let mut facts = vec![fill(tongue.say.in_this_poll, "votes", &language.number(counted))];
    let mut figures = Figures::from([("counted", counted)]);
    if let Some(ago) = ledger.changed.map(|changed| changed.elapsed()) {
        facts.push(fill(tongue.say.last_change, "time", &language.duration(ago)));
        figures.insert("last_seconds_ago", ago.as_secs());
    }
    (facts, figures)
}

fn viewers(queue: &QueueReading, tongue: Tongue<'_>) -> (Vec<String>, Figures) {
    let replicas: Vec<&Replica> = queue.there(Kind::Result).collect();
    let viewers =
        replicas.iter().filter_map(|replica| replica.announcement.viewers).fold(0, u64::saturating_add);
    let facts = vec![tongue.language().count(tongue.say.viewers, viewers)];
    (facts, Figures::from([("replicas", replicas.len() as u64), ("viewers", viewers)]))
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
        Trouble::NotReadYet => say.not_read_yet.to_owned(),
        Trouble::NotKnown => of(say.not_known, Part::Queue, &[]),
        Trouble::NoneRuns => fill(&of(say.none_runs, Part::Queue, &[]), "kind", tongue.name(hop)),
        Trouble::NotHeard { names, .. } => of(say.not_heard, Part::Queue, names),
        Trouble::OtherPoll { names, theirs } => {
            let phrase = if hop == Hop::Vote { say.other_poll } else { say.other_results };
            of(&polls(phrase, theirs), Part::Queue, names)
        }
        Trouble::Refuses(names) => of(say.refuses, Part::Queue, names),
        Trouble::Unsafe(names) => of(say.unsafe_votes, Part::Queue, names),
        Trouble::QueueAway => of(say.queue_away, Part::Queue, &[]),
        Trouble::TakesNoWrites => of(say.takes_no_writes, Part::Queue, &[]),
        Trouble::SetAside(entries) => language.count(say.set_aside, *entries),
        Trouble::SetBack(setback, _) => set_back(setback, tongue),
        Trouble::WithoutLedger(names) => of(say.without_ledger, Part::Ledger, names),
        Trouble::Behind(oldest) => fill(say.behind, "time", &language.duration(*oldest)),
        Trouble::LedgerAway => of(say.ledger_away, Part::Ledger, &[]),
        Trouble::CutOff => of(say.cut_off, Part::Ledger, &[]),
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

/// For how long it has been wrong, or how long ago it happened; nothing where
/// the sentence says so, or nobody knows.
pub(super) fn lasts(trouble: &Trouble, lasts: Duration, tongue: Tongue<'_>) -> Option<String> {
    let phrase = match trouble {
        Trouble::NotReadYet | Trouble::NotKnown | Trouble::Behind(_) => return None,
        Trouble::SetBack(..) => tongue.say.ago,
        _ => tongue.say.since,
    };
    Some(fill(phrase, "time", &tongue.language().duration(lasts)))
}

/// What to try, and the commands for that.
pub(super) fn advice(hop: Hop, trouble: &Trouble, tongue: Tongue<'_>) -> (Option<String>, Vec<String>) {
    let (say, name) = (tongue.say, tongue.name(hop));
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
    let (advice, commands): (_, Vec<String>) = match trouble {
        Trouble::NotReadYet | Trouble::NotKnown => return Default::default(),
        Trouble::NoneRuns | Trouble::NotHeard { .. } if hop == Hop::Vote => (say.try_vote, start()),
        Trouble::NoneRuns | Trouble::NotHeard { .. } | Trouble::QueueAway | Trouble::LedgerAway => {
            (say.try_start, start())
        }
        Trouble::OtherPoll { .. } => (say.try_poll, Vec::new()),
        Trouble::VotesElsewhere { .. } => (say.try_former_poll, Vec::new()),
        Trouble::Refuses(_) | Trouble::Unsafe(_) | Trouble::WithoutLedger(_) | Trouble::TakesNoWrites => {
            (say.try_log, log(name).into())
        }
        Trouble::CutOff => (say.try_log, log(tongue.name(Hop::Result)).into()),
        Trouble::SetAside(_) | Trouble::SetBack(..) => {
            (say.try_worker_log, log(tongue.name(Hop::Worker)).into())
        }
        Trouble::Behind(_) => {
            let more = format!("docker compose up -d --scale {name}=3");
            (say.try_more, [&log(name)[..1], &[more]].concat())
        }
    };
    // Embedded, there is one process, and its terminal is its log.
    let commands = if tongue.board.embedded { Vec::new() } else { commands };
    (Some(fill(advice, "store", tongue.store(Part::Queue))), commands)
}
