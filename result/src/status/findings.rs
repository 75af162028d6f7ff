//! What is wrong on a vote's way, hop by hop. Nothing here knows words.

#[cfg(test)]
mod tests;

use std::time::Duration;

use common::health::Part;
use common::presence::{Kind, Replica};
use common::setback::Setback;
use serde::Serialize;

use super::reading::Reading;

/// A vote whose worker died waits for 5 s until another claims it; what waits
/// much longer waits for somebody who does not come.
const BEHIND_AFTER: Duration = Duration::from_secs(15);

/// A replica may lack its stores for so long after its start, and nobody need worry.
const STARTING: Duration = Duration::from_secs(5);

/// A store that lost something is named for as long as somebody may come and wonder.
const SETBACK_TOLD_FOR: Duration = Duration::from_secs(3600);

/// The hops of a vote, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hop {
    Vote,
    Queue,
    Worker,
    Ledger,
    Result,
}

impl Hop {
    pub(crate) const ALL: [Self; 5] = [Self::Vote, Self::Queue, Self::Worker, Self::Ledger, Self::Result];

    /// The service whose replicas it consists of, unless it is a store.
    pub(crate) fn kind(self) -> Option<Kind> {
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
pub(crate) enum Trouble {
    /// It was not read yet.
    NotReadYet,
    /// Nobody can tell, because nobody's announcements are in the queue.
    NotKnown,
    NoneRuns,
    /// They should have said something.
    NotHeard {
        names: Vec<String>,
        heard: Duration,
    },
    OtherPoll {
        names: Vec<String>,
        theirs: String,
    },
    /// They reach the queue, and it may take no votes.
    Refuses(Vec<String>),
    /// They take votes that the queue may lose.
    Unsafe(Vec<String>),
    QueueAway,
    /// It answers, and takes no writes.
    TakesNoWrites,
    SetAside(u64),
    /// What it lost, and how long ago.
    SetBack(Setback, Duration),
    WithoutLedger(Vec<String>),
    /// For how long the oldest vote has waited.
    Behind(Duration),
    LedgerAway,
    /// Votes are counted, and only we cannot read them.
    CutOff,
    VotesElsewhere {
        theirs: String,
        votes: u64,
    },
}

/// How well a hop is, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Well,
    /// Votes get through, and somebody should look at it.
    Doubtful,
    Unknown,
    Broken,
}

/// The worst that is wrong with a hop of this poll; of what is equally bad, the first.
pub(crate) fn judge(hop: Hop, reading: &Reading, poll: &str) -> (State, Option<Trouble>) {
    let found = match hop {
        Hop::Vote => [replicas(Kind::Vote, reading, poll), voting(reading)].concat(),
        Hop::Queue => queue(reading),
        Hop::Worker => [replicas(Kind::Worker, reading, poll), counting(reading)].concat(),
        Hop::Ledger => ledger(reading),
        Hop::Result => replicas(Kind::Result, reading, poll),
    };
    let worst = found.iter().map(|(state, _)| *state).max();
    let first = found.into_iter().find(|(state, _)| Some(*state) == worst);
    first.map_or((State::Well, None), |(state, trouble)| (state, Some(trouble)))
}

type Found = Vec<(State, Trouble)>;

fn replicas(kind: Kind, reading: &Reading, poll: &str) -> Found {
    let Some(queue) = &reading.queue else { return vec![(State::Unknown, Trouble::NotKnown)] };
    let silent: Vec<_> = queue.of(kind).filter(|replica| replica.is_silent()).collect();
    let has_another =
        |replica: &&Replica| replica.announcement.poll.as_deref().is_some_and(|theirs| theirs != poll);
    let (others, ours): (Vec<_>, Vec<_>) = queue.there(kind).partition(has_another);
    let state = match ours.is_empty() {
        false => State::Doubtful,
        true if queue.settled => State::Broken,
        true if others.is_empty() => return vec![(State::Unknown, Trouble::NotKnown)],
        true => State::Broken,
    };
    let mut found = Found::new();
    if let Some(heard) = silent.iter().map(|replica| replica.heard).max().filter(|_| queue.settled) {
        found.push((state, Trouble::NotHeard { names: names(silent), heard }));
    }
    if let Some(theirs) = others.first().and_then(|replica| replica.announcement.poll.clone()) {
        found.push((state, Trouble::OtherPoll { names: names(others), theirs }));
    }
    if found.is_empty() && ours.is_empty() {
        found.push((State::Broken, Trouble::NoneRuns));
    }
    found
}

fn voting(reading: &Reading) -> Found {
    let refusing =
        lacking(Kind::Vote, Part::Queue, reading).map(|(state, names)| (state, Trouble::Refuses(names)));
    let worried = reading.queue.iter().flat_map(|queue| queue.there(Kind::Vote));
    let worried = names(worried.filter(|replica| replica.announcement.worries));
    let worried = (!worried.is_empty()).then_some((State::Doubtful, Trouble::Unsafe(worried)));
    refusing.into_iter().chain(worried).collect()
}

fn counting(reading: &Reading) -> Found {
    let lacking = lacking(Kind::Worker, Part::Ledger, reading);
    // What breaks a worker then is told of the ledger.
    let is_excused = reading.ledger.live == Some(false);
    let lacking = lacking.map(|(state, names)| {
        (if is_excused { State::Doubtful } else { state }, Trouble::WithoutLedger(names))
    });
    let oldest = reading.queue.as_ref().and_then(|queue| queue.depth.oldest);
    let behind = oldest.filter(|oldest| *oldest > BEHIND_AFTER).map(|oldest| {
        let at_work = last_counted(reading).is_some_and(|ago| ago < BEHIND_AFTER);
        (if at_work { State::Doubtful } else { State::Broken }, Trouble::Behind(oldest))
    });
    lacking.into_iter().chain(behind).collect()
}

/// The replicas of this kind that cannot use what they need.
fn lacking(kind: Kind, part: Part, reading: &Reading) -> Option<(State, Vec<String>)> {
    let there: Vec<&Replica> = reading.queue.iter().flat_map(|queue| queue.there(kind)).collect();
    let lacks = |replica: &&Replica| {
        let said = &replica.announcement;
        said.lacks.contains(&part) && Duration::from_millis(said.running_ms) > STARTING
    };
    let names = names(there.iter().copied().filter(lacks));
    let state = if names.len() == there.len() { State::Broken } else { State::Doubtful };
    (!names.is_empty()).then_some((state, names))
}

/// How long ago a worker counted something.
fn last_counted(reading: &Reading) -> Option<Duration> {
    let workers = reading.queue.iter().flat_map(|queue| queue.there(Kind::Worker));
    let ago = |worker: &Replica| Some(Duration::from_millis(worker.announcement.idle_ms?) + worker.heard);
    workers.filter_map(ago).min()
}

fn queue(reading: &Reading) -> Found {
    let Some(queue) = &reading.queue else { return vec![(State::Broken, Trouble::QueueAway)] };
    let no_writes = queue.takes_no_writes.then_some((State::Broken, Trouble::TakesNoWrites));
    let set_aside = Some(queue.depth.dead).filter(|dead| *dead > 0);
    let set_aside = set_aside.map(|dead| (State::Doubtful, Trouble::SetAside(dead)));
    no_writes.into_iter().chain(set_aside).chain(set_back(Part::Queue, reading)).collect()
}

fn ledger(reading: &Reading) -> Found {
    let Some(live) = reading.ledger.live else { return vec![(State::Unknown, Trouble::NotReadYet)] };
    // A worker that has counted since we last could read is not cut off.
    let away = match last_counted(reading) {
        Some(ago) if ago + STARTING < reading.ledger.away => Trouble::CutOff,
        _ => Trouble::LedgerAway,
    };
    let away = (!live).then_some((State::Broken, away));
    let elsewhere = reading.ledger.elsewhere.clone();
    let elsewhere =
        elsewhere.map(|(theirs, votes)| (State::Doubtful, Trouble::VotesElsewhere { theirs, votes }));
    away.into_iter().chain(elsewhere).chain(set_back(Part::Ledger, reading)).collect()
}

/// What this store lost lately.
fn set_back(store: Part, reading: &Reading) -> Option<(State, Trouble)> {
    let mut setbacks = reading.queue.iter().flat_map(|queue| &queue.setbacks);
    let told = setbacks.find(|(setback, ago)| setback.store == store && *ago < SETBACK_TOLD_FOR)?;
    Some((State::Doubtful, Trouble::SetBack(told.0.clone(), told.1)))
}

fn names<'a>(replicas: impl IntoIterator<Item = &'a Replica>) -> Vec<String> {
    replicas.into_iter().map(|replica| replica.announcement.name.clone()).collect()
}
