//! The ballot page. It takes votes, and answers *Recorded* only once a vote
//! is safe in the queue. It never touches the ledger and buffers nothing.

mod clock;
mod figures;
mod form;
mod page;
mod readiness;
mod settings;
mod voter;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use common::health::{Health, Part};
use common::http::{self, Asset, STYLE, Sibling};
use common::poll::Poll;
use common::presence::Presence;
use common::queue::Queue;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower_http::csrf::CsrfLayer;

use self::clock::Clock;
use self::figures::FIGURES;
use self::readiness::Watch;
pub use self::settings::{QueueBound, Settings};
pub use self::voter::Keys;

/// Votes without loading the page anew.
static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "ballot.js",
        "text/javascript; charset=utf-8",
        concat!(include_str!("../../common/assets/local-time.js"), include_str!("../assets/ballot.js")),
    )
});

/// What must be there for `vote` to be ready.
pub const NEEDS: &[Part] = &[Part::Queue];

/// A vote is a dozen bytes; nobody needs more than this.
const BODY_MAX: usize = 1024;

/// Longer than a queue that is well takes to answer, and not worth a person's notice.
const FIRST_LOOK_WITHIN: Duration = Duration::from_secs(1);

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
    /// This replica.
    pub presence: Presence,
    /// Whether the page is served over https, so that its cookie must be.
    pub secure_cookie: bool,
    /// The page with the results.
    pub results: Sibling,
    /// Whether a queue that might lose votes makes this replica unready.
    pub require_durable_queue: bool,
    /// Whether everything runs in one process: shown on the page.
    pub embedded: bool,
}

/// Takes votes on `listener` until `shutdown`.
pub async fn serve(listener: TcpListener, booth: Booth, health: Health, shutdown: CancellationToken) {
    FIGURES.capacity.set(booth.queue_max as f64);
    let desk = Arc::new(Desk::with(booth));
    let mut watch = Watch::new(&desk, &health);
    // Before the first voter, who would else be told *Not recorded*; but a
    // queue that does not answer must not keep the page away.
    let pause = timeout(FIRST_LOOK_WITHIN, watch.look()).await.unwrap_or_default();
    tracing::info!("votes are taken by {}", desk.booth.presence.name());
    tokio::join!(
        watch.keep(pause, &shutdown),
        http::serve(listener, router(desk.clone()), shutdown.clone()),
        desk.booth.presence.keep(&desk.booth.queue, &health, &shutdown),
    );
}

/// The ballot page alone, to which the fuzz targets talk without a network.
#[cfg(feature = "fuzzing")]
pub fn router_of(booth: Booth) -> Router {
    router(Arc::new(Desk::with(booth)))
}

/// The booth at work: what its handlers share.
#[derive(Debug)]
struct Desk {
    booth: Booth,
    /// Names this poll on this page, so that an open page notices another.
    edition: String,
    clock: Clock,
    /// Told when an append went unanswered, so that the queue is probed at once.
    doubt: Notify,
    /// The recorded votes that are not counted for a while.
    waiting: AtomicU64,
}

impl Desk {
    fn with(booth: Booth) -> Self {
        Self {
            edition: http::edition(&SCRIPT, booth.poll.texts()),
            booth,
            clock: Clock::new(),
            doubt: Notify::new(),
            waiting: AtomicU64::new(0),
        }
    }
}

fn router(desk: Arc<Desk>) -> Router {
    let app = Router::new()
        .route("/", get(page::ballot).post(form::cast))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(desk);
    let own_page_only = CsrfLayer::new().with_rejection_response(form::from_another_site);
    http::for_browsers(SCRIPT.serve_in(STYLE.serve_in(app)).layer(own_page_only))
}
