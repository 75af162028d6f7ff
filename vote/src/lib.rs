//! The ballot page. It takes votes, and answers *Recorded* only once a vote
//! is safe in the queue. It never touches the ledger and buffers nothing.

mod form;
mod page;
mod readiness;
mod settings;
mod voter;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::get;
use common::health::Health;
use common::http::{self, Notice, STYLE};
use common::poll::Poll;
use common::queue::Queue;
use common::settings::Addresses;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tower_http::csrf::{CsrfLayer, ProtectionError};

use self::readiness::Clock;
pub use self::settings::{DEFAULT_QUEUE_MAX, Settings};
pub use self::voter::Keys;

/// A vote is a dozen bytes; nobody needs more than this.
const BODY_MAX: usize = 1024;

/// Everything a voter needs: the poll, the keys of the cookies, and the queue.
#[derive(Debug)]
pub struct Booth {
    /// What is asked.
    pub poll: Poll,
    /// Where votes go.
    pub queue: Queue,
    /// How many votes may wait there.
    pub queue_max: u64,
    /// Sign and verify the voters' cookies.
    pub keys: Keys,
    /// The name of this replica.
    pub replica: String,
    /// Where people find the two pages, as far as that is set.
    pub addresses: Addresses,
    /// Where the results are otherwise: this port of the same host.
    pub result_port: u16,
    /// Whether a queue that might lose votes makes this replica unready.
    pub require_durable_queue: bool,
    /// Where the votes are kept when no stores are: shown on the page.
    pub embedded: bool,
}

/// Takes votes on `listener` until `shutdown`.
pub async fn serve(listener: TcpListener, booth: Booth, health: Health, shutdown: CancellationToken) {
    let desk = Arc::new(Desk { booth, clock: Clock::new(), doubt: Notify::new() });
    tracing::info!("votes are taken by {}", desk.booth.replica);
    tokio::join!(
        readiness::watch(&desk, &health, &shutdown),
        http::serve(listener, router(desk.clone()), shutdown.clone()),
    );
}

/// The booth at work: what its handlers share.
#[derive(Debug)]
struct Desk {
    booth: Booth,
    clock: Clock,
    /// Told when an append went unanswered, so that the queue is probed at once.
    doubt: Notify,
}

fn router(desk: Arc<Desk>) -> Router {
    // Only GET gives out a cookie, so HEAD has a handler of its own.
    let ballot = get(page::ballot).head(page::head).post(form::cast);
    let app = Router::new().route("/", ballot).layer(DefaultBodyLimit::max(BODY_MAX)).with_state(desk);
    http::with_edges(STYLE.serve_in(app)).layer(CsrfLayer::new().with_rejection_response(cross_site))
}

fn cross_site(_: ProtectionError) -> axum::response::Response {
    let text = "This vote was sent by another site's page, so it was not recorded. \
        Open this site's own page and vote there.";
    axum::response::IntoResponse::into_response(Notice::new(StatusCode::FORBIDDEN, "Not recorded", text))
}
