//! What happened lately, in the order in which somebody saw it.
//!
//! Every replica of `result` compares what it reads with what was last noted, and notes
//! the difference. The note replaces the former one only if that is still in place, so
//! each event is noted once, and all replicas tell the same history.

mod event;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use presence::{Kind, Replica};
use serde::{Deserialize, Serialize};
use service::Store;
use uuid::Uuid;

pub use self::event::{Event, Happening, Who};
use crate::QueueReading;

/// Enough for a lesson, and little for the store that keeps them.
const EVENTS_MAX: usize = 40;

/// A shorter outage is the restart of a connection, or one reading that failed.
const OUTAGE_FROM: Duration = Duration::from_secs(2);

/// While our own announcement is older than this, the others' may be late for the same reason.
const LATE_AFTER: Duration = Duration::from_secs(5);

/// A new history begins with the setback that ended the former one, and not with older ones.
const SETBACK_IS_NEW_FOR: Duration = Duration::from_secs(60);

/// What happened, and what was last seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// The events, the newest first.
    pub events: Vec<Event>,
    /// The replicas that were last seen.
    #[serde(default)]
    seen: BTreeMap<Uuid, Seen>,
    /// The outage of the ledger that goes on.
    #[serde(default)]
    ledger_away: Option<Outage>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    #[serde(flatten)]
    who: Who,
    silent: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Outage {
    since_ms: i64,
    /// The replica of `result` that cannot reach the ledger. Others may still reach it.
    witness: Uuid,
}

/// What a replica of `result` sees at one moment.
#[derive(Debug)]
pub struct Sight<'a> {
    /// The time on the clock of the queue.
    pub now_ms: i64,
    /// The replica that looks.
    pub witness: Uuid,
    /// What the queue says.
    pub queue: &'a QueueReading,
    /// When the queue was away, from and to, if it has just come back.
    pub queue_was_away: Option<(i64, i64)>,
    /// Whether the ledger answers. `None` while that is not known.
    pub ledger_live: Option<bool>,
    /// For how long the ledger has not answered.
    pub ledger_away: Duration,
}

impl Sight<'_> {
    fn listed(&self, replica: Uuid) -> Option<&Replica> {
        self.queue.replicas.iter().find(|listed| listed.id == replica)
    }

    /// Whether announcements may be late because the queue is, or was a moment ago.
    fn is_late(&self) -> bool {
        !self.queue.is_complete || self.listed(self.witness).is_some_and(|us| us.heard > LATE_AFTER)
    }
}

impl History {
    /// The history after this sight. It is the same if nothing happened.
    pub fn next(&self, sight: &Sight<'_>) -> Self {
        let mut next = self.clone();
        next.note_queue(sight);
        next.note_ledger(sight);
        next.note_setbacks(sight);
        for replica in &sight.queue.replicas {
            next.note_replica(replica, sight);
        }
        next.note_absent(sight);
        for kind in Kind::ALL {
            next.note_rollout(kind, sight.now_ms);
        }
        next.events.truncate(EVENTS_MAX);
        next
    }

    fn note(&mut self, at_ms: i64, what: Happening) {
        self.events.insert(0, Event { at_ms, what });
    }

    /// Nothing can be noted while the queue is away, so the first who reads it again notes both ends.
    fn note_queue(&mut self, sight: &Sight<'_>) {
        let Some((began_ms, ended_ms)) = sight.queue_was_away else { return };
        let (store, after_ms) = (Store::Queue, ended_ms.saturating_sub(began_ms));
        let is_back = |event: &Event| matches!(event.what, Happening::Back { store: Store::Queue, .. });
        let is_noted = self.events.iter().any(|event| is_back(event) && event.at_ms > began_ms);
        if after_ms >= in_ms(OUTAGE_FROM) && !is_noted {
            self.note(began_ms, Happening::Away { store });
            self.note(ended_ms, Happening::Back { store, after_ms });
        }
    }

    fn note_ledger(&mut self, sight: &Sight<'_>) {
        let (store, live) = (Store::Ledger, sight.ledger_live);
        match &self.ledger_away {
            None if live == Some(false) && sight.ledger_away >= OUTAGE_FROM => {
                let since_ms = sight.now_ms.saturating_sub(in_ms(sight.ledger_away));
                self.ledger_away = Some(Outage { since_ms, witness: sight.witness });
                self.note(since_ms, Happening::Away { store });
            }
            Some(outage)
                if live == Some(true)
                    && (outage.witness == sight.witness || !self.is_seen(outage.witness)) =>
            {
                let after_ms = sight.now_ms.saturating_sub(outage.since_ms);
                self.ledger_away = None;
                self.note(sight.now_ms, Happening::Back { store, after_ms });
            }
            _ => {}
        }
    }

    fn is_seen(&self, replica: Uuid) -> bool {
        self.seen.get(&replica).is_some_and(|seen| !seen.silent)
    }

    fn note_setbacks(&mut self, sight: &Sight<'_>) {
        for (setback, ago) in sight.queue.setbacks.iter().rev() {
            let what = Happening::SetBack(setback.clone());
            if *ago < SETBACK_IS_NEW_FOR && self.events.iter().all(|event| event.what != what) {
                self.note(setback.at_ms, what);
            }
        }
    }

    fn note_replica(&mut self, replica: &Replica, sight: &Sight<'_>) {
        let (who, silent) = (Who::of(replica), replica.is_silent());
        let was_silent = self.seen.get(&replica.id).map(|former| former.silent);
        let what = match was_silent {
            Some(was_silent) if was_silent == silent => return,
            Some(_) if silent && sight.is_late() => return,
            Some(_) if silent => Happening::FellSilent(who.clone()),
            Some(_) => Happening::Heard(who.clone()),
            // Nobody has seen it alive.
            None if silent => return,
            None if self.is_restart(replica, sight) => Happening::Restarted(who.clone()),
            None => Happening::Appeared(who.clone()),
        };
        self.seen.insert(replica.id, Seen { who, silent });
        self.note(sight.now_ms, what);
    }

    /// Whether a replica of the same name ended before this one started.
    fn is_restart(&self, replica: &Replica, sight: &Sight<'_>) -> bool {
        let who = Who::of(replica);
        let ended = |id: &Uuid| sight.listed(*id).is_none_or(|former| replica.follows(former));
        self.seen.iter().any(|(id, seen)| seen.who.is_namesake(&who) && ended(id))
    }

    /// A replica that is not listed has left, unless it fell silent before, or runs again under its name.
    fn note_absent(&mut self, sight: &Sight<'_>) {
        if !sight.queue.is_complete {
            return;
        }
        let (here, gone): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut self.seen).into_iter().partition(|(id, _)| sight.listed(*id).is_some());
        let runs_again = |who: &Who| here.values().any(|seen: &Seen| seen.who.is_namesake(who));
        let left = gone.into_values().filter(|seen| !seen.silent && !runs_again(&seen.who));
        let left: Vec<Who> = left.map(|seen| seen.who).collect();
        self.seen = here;
        for who in left {
            self.note(sight.now_ms, Happening::Left(who));
        }
    }

    /// Notes how far a rollout has come. It is one event, which moves up as the rollout goes on.
    fn note_rollout(&mut self, kind: Kind, now_ms: i64) {
        let came = |event: &Event| match &event.what {
            Happening::Appeared(who) if who.kind == kind => Some(who.release.clone()),
            _ => None,
        };
        let Some(release) = self.events.iter().find_map(came) else { return };
        let running = || self.seen.values().filter(|seen| seen.who.kind == kind && !seen.silent);
        let (on, of) = (running().filter(|seen| seen.who.release == release).count(), running().count());
        let (on, of) = (on as u64, of as u64);
        let noted = self.events.iter().position(|event| {
            matches!(&event.what, Happening::Rollout { kind: theirs, release: one, on, of }
                if *theirs == kind && *one == release && on < of)
        });
        let what = Happening::Rollout { kind, release, on, of };
        match noted {
            Some(at) if self.events[at].what != what && of > 0 => {
                self.events.remove(at);
                self.note(now_ms, what);
            }
            None if 0 < on && on < of => self.note(now_ms, what),
            _ => {}
        }
    }
}

fn in_ms(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
