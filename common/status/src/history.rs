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

/// A shorter outage is the restart of a connection.
const OUTAGE_FROM: Duration = Duration::from_secs(1);

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
    /// For how long the queue was away, if it has just come back.
    pub queue_was_away: Option<Duration>,
    /// For how long the ledger has not answered. `None` if it answers.
    pub ledger_away: Option<Duration>,
}

impl History {
    /// The history after this sight. It is the same if nothing happened.
    pub fn next(&self, sight: &Sight<'_>) -> Self {
        let mut next = self.clone();
        next.note_queue(sight);
        next.note_ledger(sight);
        next.note_setbacks(sight);
        next.note_absent(sight);
        for replica in &sight.queue.replicas {
            next.note_replica(replica, sight);
        }
        for kind in [Kind::Vote, Kind::Worker, Kind::Result] {
            next.note_rollout(kind, sight.now_ms);
        }
        next.events.truncate(EVENTS_MAX);
        next
    }

    /// The nodes on which something happened within this time before `now_ms`.
    pub fn nodes_since(&self, now_ms: i64, within: Duration) -> Vec<&str> {
        let lately = self.events.iter().filter(|event| now_ms - event.at_ms < in_ms(within));
        lately.filter_map(|event| event.what.who()?.node.as_deref()).collect()
    }

    fn note(&mut self, at_ms: i64, what: Happening) {
        self.events.insert(0, Event { at_ms, what });
    }

    /// Nothing can be noted while the queue is away, so the first who reads it again notes both ends.
    fn note_queue(&mut self, sight: &Sight<'_>) {
        let Some(away) = sight.queue_was_away.filter(|away| *away >= OUTAGE_FROM) else { return };
        let (store, after_ms) = (Store::Queue, in_ms(away));
        let began_ms = sight.now_ms - after_ms;
        let is_back = |event: &Event| matches!(event.what, Happening::Back { store: Store::Queue, .. });
        if !self.events.iter().any(|event| is_back(event) && event.at_ms > began_ms) {
            self.note(began_ms, Happening::Away { store });
            self.note(sight.now_ms, Happening::Back { store, after_ms });
        }
    }

    fn note_ledger(&mut self, sight: &Sight<'_>) {
        let store = Store::Ledger;
        match (&self.ledger_away, sight.ledger_away) {
            (None, Some(away)) if away >= OUTAGE_FROM => {
                let since_ms = sight.now_ms - in_ms(away);
                self.ledger_away = Some(Outage { since_ms, witness: sight.witness });
                self.note(since_ms, Happening::Away { store });
            }
            (Some(outage), None) if outage.witness == sight.witness || !self.is_seen(outage.witness) => {
                let after_ms = sight.now_ms - outage.since_ms;
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

    /// A replica that is not listed has left, unless it fell silent long ago or runs again under its name.
    fn note_absent(&mut self, sight: &Sight<'_>) {
        if !sight.queue.is_complete {
            return;
        }
        let listed = |id: &Uuid| sight.queue.replicas.iter().any(|replica| replica.id == *id);
        let runs_again = |who: &Who| {
            let said = sight.queue.replicas.iter().map(|replica| &replica.announcement);
            said.into_iter().any(|said| said.kind == who.kind && said.name == who.name)
        };
        let (here, gone): (BTreeMap<_, _>, BTreeMap<_, _>) = std::mem::take(&mut self.seen)
            .into_iter()
            .partition(|(id, seen)| listed(id) || runs_again(&seen.who));
        self.seen = here;
        for seen in gone.into_values().filter(|seen| !seen.silent) {
            self.note(sight.now_ms, Happening::Left(seen.who));
        }
    }

    fn note_replica(&mut self, replica: &Replica, sight: &Sight<'_>) {
        let (who, silent) = (Who::of(replica), replica.is_silent());
        let was_silent = self.seen.get(&replica.id).map(|former| former.silent);
        let what = match was_silent {
            Some(was_silent) if was_silent == silent => return,
            // Nobody could announce anything.
            Some(_) if silent && !sight.queue.is_complete => return,
            Some(_) if silent => Happening::FellSilent(who.clone()),
            Some(_) => Happening::Heard(who.clone()),
            // Nobody has seen it alive.
            None if silent => return,
            None if self.replaces(&who) => Happening::Restarted(who.clone()),
            None => Happening::Appeared(who.clone()),
        };
        self.seen.insert(replica.id, Seen { who, silent });
        self.note(sight.now_ms, what);
    }

    /// Forgets a replica of the same name, and says whether there was one.
    fn replaces(&mut self, who: &Who) -> bool {
        let before = self.seen.len();
        self.seen.retain(|_, seen| seen.who.kind != who.kind || seen.who.name != who.name);
        self.seen.len() < before
    }

    /// Notes how far a rollout has come. It is one event, which moves up as the rollout goes on.
    fn note_rollout(&mut self, kind: Kind, now_ms: i64) {
        let came = |event: &Event| match &event.what {
            Happening::Appeared(who) | Happening::Restarted(who) if who.kind == kind => {
                Some(who.release.clone())
            }
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
