//! What is wrong on a vote's way, hop by hop. Nothing here knows words.

use std::time::Duration;

use common::health::Part;
use common::moment::Moment;
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
    /// Nobody can tell, because the queue is away.
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
    QueueAway,
    SetAside(u64),
    SetBack(Setback),
    WithoutLedger(Vec<String>),
    Behind(Duration),
    LedgerAway,
    VotesElsewhere {
        theirs: String,
        votes: u64,
    },
}

/// How well a hop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Well,
    /// Votes get through, and somebody should look at it.
    Doubtful,
    Broken,
    Unknown,
}

/// What is wrong with a hop of this poll, and how much that matters.
pub(crate) fn judge(hop: Hop, reading: &Reading, poll: &str) -> (State, Option<Trouble>) {
    let found = match hop {
        Hop::Vote => judge_replicas(Kind::Vote, reading, poll).or_else(|| refusing(reading)),
        Hop::Queue => judge_queue(reading),
        Hop::Worker => judge_replicas(Kind::Worker, reading, poll).or_else(|| uncounted(reading)),
        Hop::Ledger => judge_ledger(reading),
        Hop::Result => judge_replicas(Kind::Result, reading, poll),
    };
    found.map_or((State::Well, None), |(state, trouble)| (state, Some(trouble)))
}

type Found = Option<(State, Trouble)>;

fn judge_replicas(kind: Kind, reading: &Reading, poll: &str) -> Found {
    let Some(queue) = &reading.queue else { return Some((State::Unknown, Trouble::NotKnown)) };
    let (silent, there): (Vec<_>, Vec<_>) = queue.of(kind).partition(|replica| replica.is_silent());
    if silent.is_empty() && there.is_empty() {
        return Some((State::Broken, Trouble::NoneRuns));
    }
    let other = there.iter().find_map(|replica| {
        let theirs = replica.announcement.poll.as_deref();
        theirs.filter(|theirs| *theirs != poll)
    });
    if let Some(theirs) = other {
        let have_it = |replica: &&&Replica| replica.announcement.poll.as_deref() == Some(theirs);
        let names = names(there.iter().filter(have_it).copied());
        let state = if names.len() == there.len() { State::Broken } else { State::Doubtful };
        return Some((state, Trouble::OtherPoll { names, theirs: theirs.to_owned() }));
    }
    let state = if there.is_empty() { State::Broken } else { State::Doubtful };
    let heard = silent.iter().map(|replica| replica.heard).max()?;
    Some((state, Trouble::NotHeard { names: names(silent.into_iter()), heard }))
}

fn refusing(reading: &Reading) -> Found {
    lacking(Kind::Vote, Part::Queue, reading).map(|(state, names)| (state, Trouble::Refuses(names)))
}

fn uncounted(reading: &Reading) -> Found {
    if let Some((state, names)) = lacking(Kind::Worker, Part::Ledger, reading) {
        return Some((state, Trouble::WithoutLedger(names)));
    }
    let oldest = reading.queue.as_ref()?.depth.oldest?;
    (oldest > BEHIND_AFTER).then_some((State::Broken, Trouble::Behind(oldest)))
}

/// The replicas of this kind that cannot use what they need.
fn lacking(kind: Kind, part: Part, reading: &Reading) -> Option<(State, Vec<String>)> {
    let there: Vec<&Replica> = reading.queue.iter().flat_map(|queue| queue.of(kind)).collect();
    let lacks = |replica: &&Replica| {
        let said = &replica.announcement;
        said.lacks.contains(&part) && Duration::from_millis(said.running_ms) > STARTING
    };
    let names = names(there.iter().copied().filter(lacks));
    let state = if names.len() == there.len() { State::Broken } else { State::Doubtful };
    (!names.is_empty()).then_some((state, names))
}

fn judge_queue(reading: &Reading) -> Found {
    let Some(queue) = &reading.queue else { return Some((State::Broken, Trouble::QueueAway)) };
    let dead = queue.depth.dead;
    let set_aside = || (dead > 0).then_some((State::Doubtful, Trouble::SetAside(dead)));
    set_back(Part::Queue, reading).or_else(set_aside)
}

fn judge_ledger(reading: &Reading) -> Found {
    if !reading.ledger.live {
        return Some((State::Broken, Trouble::LedgerAway));
    }
    let elsewhere = reading.ledger.elsewhere.clone();
    let elsewhere = elsewhere.map(|(theirs, votes)| Trouble::VotesElsewhere { theirs, votes });
    set_back(Part::Ledger, reading).or_else(|| Some((State::Doubtful, elsewhere?)))
}

/// What this store lost lately.
fn set_back(store: Part, reading: &Reading) -> Found {
    let is_told = |setback: &&Setback| {
        setback.store == store && Moment::from_ms(setback.at_ms).elapsed() < SETBACK_TOLD_FOR
    };
    let setback = reading.queue.as_ref()?.setbacks.iter().find(is_told)?;
    Some((State::Doubtful, Trouble::SetBack(setback.clone())))
}

fn names<'a>(replicas: impl Iterator<Item = &'a Replica>) -> Vec<String> {
    replicas.map(|replica| replica.announcement.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use common::presence::Announcement;
    use common::queue::Depth;
    use common::setback::Loss;

    use super::*;
    use crate::status::reading::{LedgerReading, QueueReading};

    const POLL: &str = "lunch";

    fn replica(kind: Kind, name: &str, heard: Duration) -> Replica {
        let announcement = Announcement {
            kind,
            name: name.to_owned(),
            version: "1".to_owned(),
            poll: (kind != Kind::Worker).then(|| POLL.to_owned()),
            running_ms: 60_000,
            lately: 0,
            idle_ms: None,
            viewers: None,
            lacks: Vec::new(),
            leaving: false,
        };
        Replica { announcement, heard }
    }

    /// One of each, and all is well.
    fn well() -> Reading {
        let replicas = [Kind::Vote, Kind::Worker, Kind::Result];
        let replicas = replicas.map(|kind| replica(kind, &format!("{kind}-1"), Duration::ZERO)).into();
        let queue = QueueReading { depth: Depth::default(), replicas, setbacks: Vec::new() };
        let ledger = LedgerReading { live: true, known: true, total: 1, changed: None, elsewhere: None };
        Reading { queue: Some(queue), ledger }
    }

    fn judged(hop: Hop, change: impl FnOnce(&mut Reading, &mut QueueReading)) -> (State, Option<Trouble>) {
        let mut reading = well();
        let mut queue = reading.queue.take().unwrap();
        change(&mut reading, &mut queue);
        reading.queue = Some(queue);
        judge(hop, &reading, POLL)
    }

    #[test]
    fn while_all_is_well_nothing_is_wrong() {
        for hop in Hop::ALL {
            assert_eq!(judge(hop, &well(), POLL), (State::Well, None), "{hop:?}");
        }
    }

    #[test]
    fn one_replica_of_two_is_worth_a_look_and_the_only_one_is_all_there_was() {
        let names = || vec!["vote-1".to_owned()];
        let silent = |more: Option<Replica>| {
            judged(Hop::Vote, |_, queue| {
                queue.replicas[0].heard = Duration::from_secs(8);
                queue.replicas.extend(more);
            })
        };
        let not_heard = Some(Trouble::NotHeard { names: names(), heard: Duration::from_secs(8) });
        assert_eq!(silent(None), (State::Broken, not_heard.clone()));
        let other = replica(Kind::Vote, "vote-2", Duration::ZERO);
        assert_eq!(silent(Some(other)), (State::Doubtful, not_heard));
        let refusing = judged(Hop::Vote, |_, queue| queue.replicas[0].announcement.lacks = vec![Part::Queue]);
        assert_eq!(refusing, (State::Broken, Some(Trouble::Refuses(names()))));
    }

    #[test]
    fn who_has_just_started_may_lack_its_stores() {
        let lacking = |running_ms| {
            judged(Hop::Worker, |_, queue| {
                let worker = &mut queue.replicas[1].announcement;
                (worker.lacks, worker.running_ms) = (vec![Part::Ledger], running_ms);
            })
        };
        assert_eq!(lacking(1_000).0, State::Well);
        assert_eq!(
            lacking(6_000),
            (State::Broken, Some(Trouble::WithoutLedger(vec!["worker-1".to_owned()])))
        );
    }

    #[test]
    fn votes_that_wait_longer_than_for_a_dead_workers_heir_are_held_up() {
        let waited = |seconds| {
            judged(Hop::Worker, |_, queue| queue.depth.oldest = Some(Duration::from_secs(seconds))).0
        };
        assert_eq!([waited(14), waited(16)], [State::Well, State::Broken]);
    }

    #[test]
    fn what_a_store_has_lost_is_told_of_that_store_and_for_an_hour() {
        let at_ms = |ago: u64| {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
            (now - Duration::from_secs(ago)).as_millis() as i64
        };
        let told = |hop, ago| {
            let setback =
                Setback { at_ms: at_ms(ago), store: Part::Queue, loss: Loss::Emptied, exposed: None };
            judged(hop, |_, queue| queue.setbacks.push(setback)).0
        };
        assert_eq!([told(Hop::Queue, 60), told(Hop::Queue, 3_700)], [State::Doubtful, State::Well]);
        assert_eq!(told(Hop::Ledger, 60), State::Well);
    }
}
