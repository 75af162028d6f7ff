//! Reads the stores again and again, and remembers what a single reading cannot show.

use std::time::{Duration, Instant, SystemTime};

use election::{Choice, Labels};
use ledger::Ledger;
use presence::{Listing, Replica, SILENT_AFTER};
use status::{LedgerReading, QueueReading, Reading};
use tokio::time::timeout;
use uuid::Uuid;

use super::memory::Memory;
use crate::totals::{OptionVotes, PollTotals};
use crate::{Config, Newest};

/// Once announcements have arrived for this long, a replica that is not listed
/// does not run: every running replica has announced itself twice by then.
const COMPLETE_AFTER: Duration = Duration::from_secs(4);

/// A ledger that has not answered by this time after our start is away. Until then, this
/// replica may just have had no time to ask.
const ANSWERED_WITHIN: Duration = Duration::from_secs(4);

/// The diagnosis waits this long for the other poll, and for labels. The totals do not wait.
const LEDGER_WITHIN: Duration = Duration::from_secs(2);

/// Reads the queue, and follows the totals that viewers are shown. It asks the ledger
/// only for other polls and for labels.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    config: &'a Config,
    newest: Newest,
    ledger: Ledger,
    /// Since when both stores have answered.
    answering_since: Instant,
    /// When our own announcement was last listed, and since when it has been listed
    /// without a gap.
    heard: Instant,
    heard_since: Option<Instant>,
    /// When the ledger last answered.
    answered: Instant,
    /// The epoch and the version that were last shown, and when they last changed.
    seen: Option<(Uuid, i64)>,
    changed: Option<Instant>,
    /// The labels for which votes were recorded, as far as they were read, and the epoch of the
    /// ledger that keeps them.
    labels: Labels,
    labels_of: Uuid,
    memory: Memory,
}

impl<'a> Reader<'a> {
    pub(super) fn of(config: &'a Config, newest: Newest) -> Self {
        let now = Instant::now();
        Self {
            config,
            newest,
            ledger: config.ledger.on_side_connection(),
            answering_since: now,
            heard: now,
            heard_since: None,
            answered: now,
            seen: None,
            changed: None,
            labels: Labels::new(),
            labels_of: Uuid::nil(),
            memory: Memory::default(),
        }
    }

    /// Reads the stores. The queue comes first, because it may take long.
    pub(super) async fn read(&mut self) -> Reading {
        // A paused store may take seconds to fail. What is known then is as old as the question.
        let at = Some(SystemTime::now());
        let queue = self.queue().await;
        let ledger = self.ledger().await;
        self.memory.queue_answers(queue.is_some());
        let (queue, listing) = queue.unzip();
        let listed = queue.as_ref().zip(listing.flatten());
        let history = self.memory.recall(&self.config.presence, listed, &ledger).await;
        let now = Instant::now();
        if queue.is_none() || ledger.live == Some(false) {
            self.answering_since = now;
        }
        Reading { at, queue, ledger, answering: now.duration_since(self.answering_since), history }
    }

    /// What the queue says, if it says at least how many votes wait. An outage is
    /// not logged here: the feed reads the same number and logs it.
    async fn queue(&mut self) -> Option<(QueueReading, Option<Listing>)> {
        let Ok(depth) = self.config.queue.depth().await else {
            (self.heard, self.heard_since) = (Instant::now(), None);
            return None;
        };
        let listing = self.config.presence.registry().listing().await.ok();
        let replicas =
            without_restarted(listing.iter().flat_map(|listing| listing.replicas.clone()).collect());
        let us = self.config.presence.id();
        let now = Instant::now();
        if replicas.iter().any(|replica| replica.id == us && !replica.is_silent()) {
            self.heard = now;
            self.heard_since.get_or_insert(now);
        } else {
            self.heard_since = None;
        }
        let setbacks = match &self.config.setbacks {
            Some(log) => log.latest().await.unwrap_or_default(),
            None => Vec::new(),
        };
        let is_complete = self.heard_since.is_some_and(|since| now.duration_since(since) > COMPLETE_AFTER);
        let takes_no_writes = now.duration_since(self.heard) > SILENT_AFTER;
        Some((QueueReading { depth, replicas, is_complete, takes_no_writes, setbacks }, listing))
    }

    async fn ledger(&mut self) -> LedgerReading {
        let newest = self.newest.borrow().clone();
        let totals = &newest.totals;
        let (now, is_known) = (Instant::now(), totals.as_of.is_some());
        if totals.live {
            self.answered = now;
            let seen = (totals.epoch, totals.version);
            // The votes of the first reading were counted before it. Nobody knows when.
            if self.seen.replace(seen).is_some_and(|former| former != seen) {
                self.changed = Some(now);
            }
            self.read_labels(totals).await;
        }
        let away = now.duration_since(self.answered);
        let elsewhere = if totals.live && totals.total == 0 { self.other_poll().await } else { None };
        LedgerReading {
            live: (is_known || away > ANSWERED_WITHIN).then_some(totals.live),
            total: is_known.then_some(totals.total),
            away,
            changed: self.changed,
            elsewhere,
            relabelled: self.config.poll.relabelled(&self.labels),
        }
    }

    /// A label that is kept never changes, so the labels are read only until every option with votes
    /// has one.
    async fn read_labels(&mut self, totals: &PollTotals) {
        if self.labels_of != totals.epoch {
            (self.labels, self.labels_of) = (Labels::new(), totals.epoch);
        }
        let lacks_label = |option: &OptionVotes| {
            option.votes != 0 && option.key.parse().is_ok_and(|key: Choice| !self.labels.contains_key(&key))
        };
        if totals.options.iter().any(lacks_label) {
            let labels = self.ledger.labels(&self.config.poll.id);
            if let Ok(Ok(labels)) = timeout(LEDGER_WITHIN, labels).await {
                self.labels = labels;
            }
        }
    }

    async fn other_poll(&self) -> Option<(String, u64)> {
        let other = self.ledger.other_poll(&self.config.poll.id);
        timeout(LEDGER_WITHIN, other).await.ok()?.ok()?
    }
}

/// Sorts the replicas by name, and removes silent ones that run again under the same name.
fn without_restarted(replicas: Vec<Replica>) -> Vec<Replica> {
    let is_back = |former: &Replica| {
        former.is_silent() && replicas.iter().any(|replica| !replica.is_silent() && replica.follows(former))
    };
    let mut kept: Vec<Replica> = replicas.iter().filter(|former| !is_back(former)).cloned().collect();
    kept.sort_by(|one, other| one.announcement.name.cmp(&other.announcement.name));
    kept
}
