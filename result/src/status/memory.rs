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
    /// When the queue last answered, and whether it has failed to since.
    answered: Option<Instant>,
    is_away: bool,
    /// For how long it was away before it came back, and when that was.
    was_away: Option<(Duration, Instant)>,
}

impl Memory {
    /// Reads the history that is listed, and notes what happened since. While the queue is away,
    /// nothing is listed, and the history is what was last known.
    pub(super) async fn recall(
        &mut self,
        presence: &Presence,
        listed: Option<(&QueueReading, Listing)>,
        ledger: &LedgerReading,
    ) -> HistoryReading {
        let Some((queue, Listing { history, now_ms, .. })) = listed else {
            self.is_away = true;
            return self.known.clone();
        };
        // A text that cannot be read is replaced: anybody may have written it.
        let read: Option<History> = history.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let read = read.unwrap_or_default();
        let sight = Sight {
            now_ms,
            witness: presence.id(),
            queue,
            queue_was_away: self.queue_was_away(),
            ledger_away: (ledger.live == Some(false)).then_some(ledger.away),
        };
        let next = read.next(&sight);
        let is_noted = next != read && replaced(presence, history.as_deref(), &next).await;
        let history = if is_noted { next } else { read };
        self.known = HistoryReading { history, at: Some(SystemTime::now()), now_ms };
        self.known.clone()
    }

    fn queue_was_away(&mut self) -> Option<Duration> {
        let now = Instant::now();
        let answered = self.answered.replace(now);
        if std::mem::take(&mut self.is_away) {
            self.was_away = answered.map(|answered| (now.duration_since(answered), now));
        }
        self.was_away.filter(|(_, at)| at.elapsed() < BACK_IS_NEWS_FOR).map(|(away, _)| away)
    }
}

/// Whether this history is in place now. If not, the next reading tries again.
async fn replaced(presence: &Presence, former: Option<&str>, next: &History) -> bool {
    let Ok(text) = serde_json::to_string(next) else { return false };
    presence.registry().replace_history(former, &text).await.unwrap_or(false)
}
