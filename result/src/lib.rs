//! Streams the totals to every browser. One reader per replica asks the
//! ledger; any number of viewers watch what it last read.

mod course;
mod feed;
mod figures;
mod line;
mod pace;
mod page;
mod poster;
mod settings;
mod snapshot;
mod socket;
mod status;
mod view;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use common::health::{Health, Part};
use common::http::{self, Asset, RETRY_AFTER_SECONDS, STYLE, Sibling};
use common::ledger::Ledger;
use common::poll::Poll;
use common::presence::Presence;
use common::queue::Queue;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::course::Lately;
use self::figures::FIGURES;
pub use self::settings::Settings;
use self::snapshot::{Frame, Snapshot};
use self::status::Status;

/// Keeps the page up to date.
static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "results.js",
        "text/javascript; charset=utf-8",
        concat!(include_str!("../../common/assets/local-time.js"), include_str!("../assets/results.js")),
    )
});

/// Viewers at a time, on one replica. At some 20 KiB each that is 300 MB;
/// further viewers belong to another replica.
const VIEWERS_MAX: usize = 15_000;

/// On shutdown, every viewer is told so within this; who does not take even
/// that was not watching.
const GOODBYES_WITHIN: Duration = Duration::from_secs(2);

/// What must be there for `result` to be ready.
pub const NEEDS: &[Part] = &[Part::Ledger];

/// Where the totals come from and what is said about them.
#[derive(Debug)]
pub struct Board {
    /// What was asked.
    pub poll: Poll,
    /// Holds the totals.
    pub ledger: Ledger,
    /// Tells how many votes still wait.
    pub queue: Queue,
    /// This replica.
    pub presence: Presence,
    /// The page with the ballot.
    pub ballot: Sibling,
    /// Whether everything runs in one process: shown on the page.
    pub embedded: bool,
}

/// Shows the totals on `listener` until `shutdown`.
pub async fn serve(listener: TcpListener, board: Board, health: Health, shutdown: CancellationToken) {
    tracing::info!("totals are shown by {}", board.presence.name());
    LazyLock::force(&FIGURES);
    let nothing_yet = Frame::new(Snapshot::unknown(&board.poll), Lately::default());
    let (frames, newest) = watch::channel(Arc::new(nothing_yet));
    let (told, status) = watch::channel(Arc::new(Status::unknown()));
    let hall = Arc::new(Hall {
        board,
        newest,
        status,
        seats: Arc::new(Semaphore::new(VIEWERS_MAX)),
        viewers: TaskTracker::new(),
        shutdown: shutdown.clone(),
    });
    tokio::join!(
        feed::run(&hall.board, frames, &health, &shutdown),
        status::run(&hall.board, hall.newest.clone(), told, &shutdown),
        http::serve(listener, router(hall.clone()), shutdown.clone()),
        hall.board.presence.keep(&hall.board.queue, &health, &shutdown),
    );
    // An upgraded socket is no request any more, so nothing else waits for it.
    hall.viewers.close();
    let _ = timeout(GOODBYES_WITHIN, hall.viewers.wait()).await;
}

/// What was last read from the ledger.
type Newest = watch::Receiver<Arc<Frame>>;

/// The board and those who watch it: what the handlers share.
#[derive(Debug)]
struct Hall {
    board: Board,
    newest: Newest,
    status: watch::Receiver<Arc<Status>>,
    seats: Arc<Semaphore>,
    viewers: TaskTracker,
    shutdown: CancellationToken,
}

fn router(hall: Arc<Hall>) -> Router {
    let app = Router::new()
        .route("/", get(page::results))
        .route("/api/totals", get(totals))
        .route("/api/status", get(status::api))
        .route("/presenter", get(page::presenter))
        .route("/status", get(status::show))
        .route("/ws", get(socket::watch_totals))
        .route("/ws/{language}", get(socket::watch_view))
        .with_state(hall);
    http::for_browsers(status::SCRIPT.serve_in(SCRIPT.serve_in(STYLE.serve_in(app))))
}

async fn totals(State(hall): State<Arc<Hall>>) -> Response {
    let headers = [(CONTENT_TYPE, "application/json")];
    let newest = hall.newest.borrow().clone();
    if newest.snapshot.as_of.is_some() {
        return (headers, Bytes::from(newest.json.clone())).into_response();
    }
    let error = r#"{"error":"no totals yet: the database has not answered since this replica started"}"#;
    (StatusCode::SERVICE_UNAVAILABLE, headers, [(RETRY_AFTER, RETRY_AFTER_SECONDS)], error).into_response()
}
