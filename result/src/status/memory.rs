//! What a replica remembers between two readings, so that it can note what happened.

use std::time::{Duration, Instant, SystemTime};

use presence::{Listing, Presence};
use status::{History, HistoryReading, LedgerReading, QueueReading, Sight};

/// Whoever notes that the queue is back needs some readings for it: the first may find that
/// another replica has noted something else meanwhile.
const BACK_IS_NEWS_FOR: Duration = Duration::from_secs(10);

/// The history as it was last read, and when the queue was away.
#[derive(Debug, Default)]
pub(super) struct Memory {
    known: HistoryReading,
    /// Since when the queue has not answered.
    away_since: Option<Instant>,
    /// When it was away the last time, from and to.
    was_away: Option<(Instant, Instant)>,
}

impl Memory {
    /// Notes whether the queue answers.
    pub(super) fn queue_answers(&mut self, answers: bool) {
        let now = Instant::now();
        if answers {
            self.was_away = self.away_since.take().map(|since| (since, now)).or(self.was_away);
        } else {
            self.away_since.get_or_insert(now);
        }
    }

    /// Reads the history that is listed, and notes what happened since. While nothing is listed, the
    /// history is what was last known.
    pub(super) async fn recall(
        &mut self,
        presence: &Presence,
        listed: Option<(&QueueReading, Listing)>,
        ledger: &LedgerReading,
    ) -> HistoryReading {
        let Some((queue, Listing { history: former, now_ms, .. })) = listed else {
            return self.known.clone();
        };
        // A text that cannot be read is replaced: anybody may have written it. A history that was lost with
        // its store goes on from what was last known.
        let read = former.as_deref().map(|text| serde_json::from_str::<History>(text).unwrap_or_default());
        let read = read.unwrap_or_else(|| self.known.history.clone());
        let sight = Sight {
            now_ms,
            witness: presence.id(),
            queue,
            queue_was_away: self.queue_was_away(now_ms),
            ledger_live: ledger.live,
            ledger_away: ledger.away,
        };
        let next = read.next(&sight);
        let is_noted = next != read && replaced(presence, former.as_deref(), &next).await;
        let history = if is_noted { next } else { read };
        self.known = HistoryReading { history, at: Some(SystemTime::now()), now_ms };
        self.known.clone()
    }

    /// From when to when the queue was away, on its own clock.
    fn queue_was_away(&self, now_ms: i64) -> Option<(i64, i64)> {
        let (from, to) = self.was_away.filter(|(_, to)| to.elapsed() < BACK_IS_NEWS_FOR)?;
        let before = |at: Instant| now_ms.saturating_sub(at.elapsed().as_millis() as i64);
        Some((before(from), before(to)))
    }
}

/// Whether this history is in place now. If not, the next reading tries again.
async fn replaced(presence: &Presence, former: Option<&str>, next: &History) -> bool {
    let Ok(text) = serde_json::to_string(next) else { return false };
    let replaced = presence.registry().replace_history(former, &text).await;
    replaced.unwrap_or_else(|error| {
        tracing::debug!("could not note what happened: {error}");
        false
    })
}
