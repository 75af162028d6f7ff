//! The one reader of the totals: asks the ledger when something changed, and
//! hands every viewer the same message.

use std::sync::Arc;
use std::time::Duration;

use common::health::{Health, Part};
use common::ledger::Totals;
use common::outage::{Outage, Unavailable};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::Board;
use crate::course::{Course, Lately};
use crate::figures::FIGURES;
use crate::line::Line;
use crate::snapshot::{Frame, Snapshot};

/// At most 20 messages a second: more than an eye follows, and a busy
/// election costs the ledger no more than that.
const FRAME_EVERY: Duration = Duration::from_millis(50);

/// Notifications get lost, so the totals are read this often without any.
const READ_EVERY: Duration = Duration::from_secs(1);

/// Votes leave the queue just after they were counted, so while some seem to
/// wait, the next reading is sooner.
const READ_SOON: Duration = Duration::from_millis(200);

/// Old totals are not called live for longer than this.
const READ_WITHIN: Duration = Duration::from_secs(2);

/// Reads the totals until `shutdown`.
pub(crate) async fn run(
    board: &Board,
    frames: watch::Sender<Arc<Frame>>,
    health: &Health,
    shutdown: &CancellationToken,
) {
    shutdown.run_until_cancelled(read_totals(board, &frames, health)).await;
}

async fn read_totals(board: &Board, frames: &watch::Sender<Arc<Frame>>, health: &Health) {
    let mut outage = Outage::of("the ledger");
    let mut line = Line::in_front_of(&board.queue);
    let mut course = Course::starting(Instant::now());
    let mut changes = board.ledger.changes();
    loop {
        let next_frame = Instant::now() + FRAME_EVERY;
        // Before reading, so that a change during the reading is read again.
        changes.mark_unchanged();
        // First, so that what no longer waits is certainly among the totals.
        let waiting = line.length().await;
        match totals(board).await {
            Ok(totals) => {
                outage.over();
                health.ready(Part::Ledger, Vec::new());
                FIGURES.readings.increment(1);
                let lately = course.follow(Instant::now(), Some(&totals), waiting);
                publish(frames, Snapshot::of(&board.poll, totals, waiting), lately);
                // Whether woken or not, the next reading is due.
                let patience = if waiting == Some(0) { READ_EVERY } else { READ_SOON };
                let _ = timeout(patience, changes.changed()).await;
            }
            Err(error) => {
                let held = Snapshot { live: false, waiting, ..frames.borrow().snapshot.clone() };
                report_stale(health, &held, &error);
                publish(frames, held, course.follow(Instant::now(), None, waiting));
                sleep(outage.failed(&error)).await;
            }
        }
        sleep_until(next_frame).await;
    }
}

async fn totals(board: &Board) -> Result<Totals, Unavailable> {
    let late = |_| Err(Unavailable(format!("no answer within {READ_WITHIN:?}")));
    timeout(READ_WITHIN, board.ledger.totals(&board.poll.id)).await.unwrap_or_else(late)
}

/// Replaces the newest frame, and wakes the viewers unless only its time is new.
fn publish(frames: &watch::Sender<Arc<Frame>>, snapshot: Snapshot, lately: Lately) {
    let is_news = frames.send_if_modified(|newest| {
        let held = Snapshot { as_of: snapshot.as_of, ..newest.snapshot.clone() };
        let is_news = held != snapshot || newest.lately.differs_from(&lately);
        *newest = Arc::new(Frame::new(snapshot, lately));
        is_news
    });
    FIGURES.frames.increment(u64::from(is_news));
}

/// The last totals are still the best there is, once there were any.
fn report_stale(health: &Health, held: &Snapshot, error: &Unavailable) {
    if held.as_of.is_some() {
        health.ready(Part::Ledger, vec![format!("away, and the last totals are shown: {error}")]);
    } else {
        health.unready(Part::Ledger, error.to_string());
    }
}
