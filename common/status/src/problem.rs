//! What can be wrong with each hop of a vote.

#[cfg(test)]
mod tests;

use std::time::Duration;

use election::Relabelled;
use presence::{Kind, Replica};
use serde::{Deserialize, Serialize};
use service::Store;

use crate::Setback;
use crate::reading::Reading;

/// When a worker dies, another worker claims its votes after 5 s. A vote that
/// waits much longer than that is not claimed at all.
const BEHIND_AFTER: Duration = Duration::from_secs(15);

/// For this long after its start, a replica need not reach its stores yet.
const STARTING: Duration = Duration::from_secs(5);

/// A worker pauses for up to 3 s between two tries to reach a store. By then it
/// has reached a store that is back, and has counted what waited for it.
const RECOVERED_AFTER: Duration = Duration::from_secs(5);

/// A setback is shown for this long, so that people who come later still learn of it.
const SETBACK_TOLD_FOR: Duration = Duration::from_secs(3600);

/// The hops of a vote, in the order in which the vote passes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hop {
    /// The service that takes the vote.
    Vote,
    /// The store where the vote waits.
    Queue,
    /// The service that counts the vote.
    Worker,
    /// The store that holds the counted vote.
    Ledger,
    /// The service that shows the totals.
    Result,
}

impl Hop {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Vote, Self::Queue, Self::Worker, Self::Ledger, Self::Result];

    /// The kind of the hop's replicas, unless the hop is a store.
    pub fn kind(self) -> Option<Kind> {
        match self {
            Self::Vote => Some(Kind::Vote),
            Self::Worker => Some(Kind::Worker),
            Self::Result => Some(Kind::Result),
            Self::Queue | Self::Ledger => None,
        }
    }
}

/// What is wrong with a hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The hop was not read yet.
    NotReadYet,
    /// It is not known which replicas run, because no announcement arrives.
    NotKnown,
    /// No replica runs.
    NoneRuns,
    /// Some replicas are silent.
    NotHeard {
        /// Their names.
        names: Vec<String>,
        /// How long the longest of them has been silent.
        heard: Duration,
    },
    /// Some replicas run another poll.
    OtherPoll {
        /// Their names.
        names: Vec<String>,
        /// The id of their poll.
        theirs: String,
    },
    /// These replicas of `vote` refuse votes, although they reach the queue.
    Refuses(Vec<String>),
    /// These replicas go on although this store may lose votes.
    Unsafe(Store, Vec<String>),
    /// The queue does not answer.
    QueueAway,
    /// The queue answers, but takes no writes.
    TakesNoWrites,
    /// This many entries became dead letters.
    DeadLetters(u64),
    /// The store was wiped or set back this long ago.
    SetBack(Setback, Duration),
    /// These workers cannot use the ledger.
    WithoutLedger(Vec<String>),
    /// The oldest vote has waited for this long.
    Behind(Duration),
    /// The ledger does not answer.
    LedgerAway,
    /// Votes are counted, but this `result` cannot read the ledger.
    CutOff,
    /// Another poll has votes, but this one has none.
    VotesElsewhere {
        /// The id of the other poll.
        theirs: String,
        /// How many votes the other poll has.
        votes: u64,
    },
    /// Votes count for other labels than those for which they were recorded.
    Relabelled(Vec<Relabelled>),
}

impl Problem {
    /// Whether votes or viewers are known to suffer from it. Of the others, some only
    /// deserve a look, and stay for an hour or for ever.
    pub fn holds_up_votes(&self) -> bool {
        let is_unknown = matches!(self, Self::NotReadYet | Self::NotKnown);
        let deserves_a_look = matches!(
            self,
            Self::DeadLetters(_) | Self::SetBack(..) | Self::VotesElsewhere { .. } | Self::Relabelled(_)
        );
        !is_unknown && !deserves_a_look
    }
}

/// The state of a hop, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HopState {
    /// Nothing is wrong.
    Well,
    /// Votes get through, but somebody should look at the hop.
    Doubtful,
    /// The state is not known.
    Unknown,
    /// Votes do not get through.
    Broken,
}

/// The state of a hop and its worst problem. Of equally bad problems it is the
/// first. `poll` is the id of the poll whose totals are shown.
pub(crate) fn judge(hop: Hop, reading: &Reading, poll: &str) -> (HopState, Option<Problem>) {
    let found = match hop {
        Hop::Vote => [replicas(Kind::Vote, reading, poll), voting(reading)].concat(),
        Hop::Queue => queue(reading),
        Hop::Worker => [replicas(Kind::Worker, reading, poll), counting(reading)].concat(),
        Hop::Ledger => ledger(reading),
        Hop::Result => [replicas(Kind::Result, reading, poll), showing(reading)].concat(),
    };
    let worst = found.iter().map(|(state, _)| *state).max();
    let first = found.into_iter().find(|(state, _)| Some(*state) == worst);
    first.map_or((HopState::Well, None), |(state, problem)| (state, Some(problem)))
}

type Found = Vec<(HopState, Problem)>;

fn replicas(kind: Kind, reading: &Reading, poll: &str) -> Found {
    let Some(queue) = &reading.queue else { return vec![(HopState::Unknown, Problem::NotKnown)] };
    let silent: Vec<_> = queue.of(kind).filter(|replica| replica.is_silent()).collect();
    let has_another =
        |replica: &&Replica| replica.announcement.poll.as_deref().is_some_and(|theirs| theirs != poll);
    let (others, ours): (Vec<_>, Vec<_>) = queue.running(kind).partition(has_another);
    if ours.is_empty() && others.is_empty() && !queue.is_complete {
        return vec![(HopState::Unknown, Problem::NotKnown)];
    }
    let state = if ours.is_empty() { HopState::Broken } else { HopState::Doubtful };
    let mut found = Found::new();
    if let Some(heard) = silent.iter().map(|replica| replica.heard).max().filter(|_| queue.is_complete) {
        found.push((state, Problem::NotHeard { names: names(silent), heard }));
    }
    if let Some(theirs) = others.first().and_then(|replica| replica.announcement.poll.clone()) {
        found.push((state, Problem::OtherPoll { names: names(others), theirs }));
    }
    if found.is_empty() && ours.is_empty() {
        found.push((HopState::Broken, Problem::NoneRuns));
    }
    found
}

fn voting(reading: &Reading) -> Found {
    let refusing = lacking(Kind::Vote, Store::Queue, reading);
    // Just after the queue is back, a replica may not have noticed.
    let refusing = refusing.filter(|_| reading.answering > RECOVERED_AFTER);
    let refusing = refusing.map(|(state, names)| (state, Problem::Refuses(names)));
    refusing.into_iter().chain(warned(Kind::Vote, Store::Queue, reading)).collect()
}

fn counting(reading: &Reading) -> Found {
    let lacking = lacking(Kind::Worker, Store::Ledger, reading);
    // While the ledger is away, the ledger is the problem and not the worker.
    let is_excused = reading.ledger.live == Some(false);
    let lacking = lacking.map(|(state, names)| {
        (if is_excused { HopState::Doubtful } else { state }, Problem::WithoutLedger(names))
    });
    let oldest = reading.queue.as_ref().and_then(|queue| queue.depth.oldest);
    // While a store is away, and just after, no worker can count.
    let can_count = reading.answering > RECOVERED_AFTER;
    let behind = oldest.filter(|oldest| can_count && *oldest > BEHIND_AFTER).map(|oldest| {
        let at_work = last_counted(reading).is_some_and(|ago| ago < BEHIND_AFTER);
        (if at_work { HopState::Doubtful } else { HopState::Broken }, Problem::Behind(oldest))
    });
    let warned = warned(Kind::Worker, Store::Ledger, reading);
    lacking.into_iter().chain(behind).chain(warned).collect()
}

/// The replicas of this kind that go on although their store may lose votes.
fn warned(kind: Kind, store: Store, reading: &Reading) -> Option<(HopState, Problem)> {
    let running = reading.queue.iter().flat_map(|queue| queue.running(kind));
    let names = names(running.filter(|replica| replica.announcement.has_warnings));
    (!names.is_empty()).then_some((HopState::Doubtful, Problem::Unsafe(store, names)))
}

/// The replicas of this kind that cannot use this store.
fn lacking(kind: Kind, store: Store, reading: &Reading) -> Option<(HopState, Vec<String>)> {
    let running: Vec<&Replica> = reading.queue.iter().flat_map(|queue| queue.running(kind)).collect();
    let lacks = |replica: &&Replica| {
        let said = &replica.announcement;
        said.lacks.contains(&store) && Duration::from_millis(said.running_ms) > STARTING
    };
    let names = names(running.iter().copied().filter(lacks));
    let state = if names.len() == running.len() { HopState::Broken } else { HopState::Doubtful };
    (!names.is_empty()).then_some((state, names))
}

/// How long ago any worker last counted a vote.
fn last_counted(reading: &Reading) -> Option<Duration> {
    reading.queue.as_ref()?.last_done(Kind::Worker)
}

fn queue(reading: &Reading) -> Found {
    let Some(queue) = &reading.queue else { return vec![(HopState::Broken, Problem::QueueAway)] };
    let no_writes = queue.takes_no_writes.then_some((HopState::Broken, Problem::TakesNoWrites));
    let dead_letters = Some(queue.depth.dead).filter(|dead| *dead > 0);
    let dead_letters = dead_letters.map(|dead| (HopState::Doubtful, Problem::DeadLetters(dead)));
    no_writes.into_iter().chain(dead_letters).chain(set_back(Store::Queue, reading)).collect()
}

fn ledger(reading: &Reading) -> Found {
    let Some(live) = reading.ledger.live else { return vec![(HopState::Unknown, Problem::NotReadYet)] };
    // If a worker has counted a vote since our last reading of the ledger, the ledger works.
    let away = match last_counted(reading) {
        Some(ago) if ago + STARTING < reading.ledger.away => Problem::CutOff,
        _ => Problem::LedgerAway,
    };
    let away = (!live).then_some((HopState::Broken, away));
    let elsewhere = reading.ledger.elsewhere.clone();
    let elsewhere =
        elsewhere.map(|(theirs, votes)| (HopState::Doubtful, Problem::VotesElsewhere { theirs, votes }));
    away.into_iter().chain(elsewhere).chain(set_back(Store::Ledger, reading)).collect()
}

/// The poll file is to blame, and not the ledger, which keeps the votes as they were recorded.
fn showing(reading: &Reading) -> Found {
    let relabelled = Some(&reading.ledger.relabelled).filter(|options| !options.is_empty());
    relabelled.map(|options| (HopState::Doubtful, Problem::Relabelled(options.clone()))).into_iter().collect()
}

/// The latest setback of this store.
fn set_back(store: Store, reading: &Reading) -> Option<(HopState, Problem)> {
    let mut setbacks = reading.queue.iter().flat_map(|queue| &queue.setbacks);
    let told = setbacks.find(|(setback, ago)| setback.store == store && *ago < SETBACK_TOLD_FOR)?;
    Some((HopState::Doubtful, Problem::SetBack(told.0.clone(), told.1)))
}

fn names<'a>(replicas: impl IntoIterator<Item = &'a Replica>) -> Vec<String> {
    replicas.into_iter().map(|replica| replica.announcement.name.clone()).collect()
}
