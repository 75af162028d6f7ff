//! Where a vote is: what every hop on its way says, read once a second.

mod findings;
mod page;
mod reading;
mod view;
mod words;

use std::mem::discriminant;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use common::http::{self, Asset, Reader};
use common::language::Language;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use self::findings::{Hop, Trouble, judge};
use self::page::Page;
use self::reading::{LedgerReader, LedgerReading, QueueReader, Reading};
use self::view::View;
use crate::{Board, Hall, Newest};

/// Keeps the page up to date.
pub(crate) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("status.js", "text/javascript; charset=utf-8", include_str!("../assets/status.js"))
});

/// As often as somebody who has just killed something looks again.
const READ_EVERY: Duration = Duration::from_secs(1);

/// What every hop says, and what is wrong with it.
#[derive(Clone, Debug)]
pub(crate) struct Status {
    reading: Reading,
    findings: Vec<Finding>,
}

/// How a hop is.
#[derive(Clone, Debug)]
struct Finding {
    hop: Hop,
    state: findings::State,
    trouble: Option<Trouble>,
    /// Since when the same is wrong, as far as this replica saw it.
    since: Instant,
}

impl Status {
    /// What is known before anything was read: nothing.
    pub(crate) fn unknown() -> Self {
        let ledger =
            LedgerReading { live: None, total: None, away: Duration::ZERO, changed: None, elsewhere: None };
        Self { reading: Reading { queue: None, ledger }, findings: Vec::new() }
    }

    /// What is wrong now; what was wrong before is wrong since then.
    fn next(&self, reading: Reading, poll: &str, now: Instant) -> Self {
        let findings = Hop::ALL.map(|hop| {
            let (state, trouble) = judge(hop, &reading, poll);
            let former = self.findings.iter().find(|former| former.hop == hop);
            let since = former.and_then(|former| former.began(trouble.as_ref(), now)).unwrap_or(now);
            Finding { hop, state, trouble, since }
        });
        Self { reading, findings: findings.into() }
    }
}

impl Finding {
    /// Since when this is wrong, if it is what was wrong before.
    fn began(&self, trouble: Option<&Trouble>, now: Instant) -> Option<Instant> {
        match (&self.trouble, trouble) {
            // Whoever was last heard of is forgotten after a while.
            (Some(Trouble::NotHeard { .. }), Some(Trouble::NoneRuns)) => now.checked_sub(self.lasts(now)),
            (former, now) if former.as_ref().map(discriminant) == now.map(discriminant) => Some(self.since),
            _ => None,
        }
    }

    /// For how long the same has been wrong.
    fn lasts(&self, now: Instant) -> Duration {
        match &self.trouble {
            Some(Trouble::NotHeard { heard, .. }) => *heard,
            Some(Trouble::Behind(ago) | Trouble::SetBack(_, ago)) => *ago,
            _ => now.duration_since(self.since),
        }
    }
}

/// Reads how every hop is, until `shutdown`.
pub(crate) async fn run(
    board: &Board,
    newest: Newest,
    told: watch::Sender<Arc<Status>>,
    shutdown: &CancellationToken,
) {
    shutdown.run_until_cancelled(read(board, newest, &told)).await;
}

async fn read(board: &Board, newest: Newest, told: &watch::Sender<Arc<Status>>) {
    let mut queues = QueueReader::of(&board.queue, &board.presence);
    let mut ledgers = LedgerReader::of(&board.ledger);
    loop {
        // That it is away is logged by who reads the number of votes that wait.
        let queue = queues.read().await;
        // After the queue, which may have kept us waiting.
        let shown = newest.borrow().snapshot.clone();
        let ledger = ledgers.read(&board.poll, &shown).await;
        let next = told.borrow().next(Reading { queue, ledger }, board.poll.id.as_str(), Instant::now());
        told.send_replace(Arc::new(next));
        sleep(READ_EVERY).await;
    }
}

/// Shows where votes are.
pub(crate) async fn show(State(hall): State<Arc<Hall>>, Extension(reader): Extension<Reader>) -> Response {
    let status = hall.status.borrow().clone();
    http::page(&Page::of(&hall.board, View::of(&hall.board, &status, reader.say.language), reader.say))
}

/// Tells the same to programs, in English.
pub(crate) async fn api(State(hall): State<Arc<Hall>>) -> Response {
    let status = hall.status.borrow().clone();
    let view = View::of(&hall.board, &status, Language::English);
    ([(CONTENT_TYPE, "application/json")], crate::snapshot::json(&view).to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_wrong_is_wrong_since_it_was_first_seen() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let reading = |live| {
            let ledger = LedgerReading { live: Some(live), ..Status::unknown().reading.ledger };
            Reading { queue: None, ledger }
        };
        let lasts = |status: &Status, now| status.findings[Hop::Ledger as usize].lasts(now).as_secs();
        let first = Status::unknown().next(reading(false), "lunch", start);
        let later = first.next(reading(false), "lunch", after(5));
        assert_eq!(lasts(&later, after(9)), 9);
        let well = later.next(reading(true), "lunch", after(10));
        let again = well.next(reading(false), "lunch", after(11));
        assert_eq!(lasts(&again, after(12)), 1, "it was well in between");
    }
}
