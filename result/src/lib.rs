//! Streams the totals to every browser. One reader per replica asks the ledger, and
//! any number of viewers watch what it last read.

mod backlog;
mod epochs;
mod feed;
mod map;
mod metrics;
mod pace;
mod page;
mod phrases;
mod platform;
mod qr;
mod refresh;
mod settings;
mod socket;
mod status;
mod totals;
mod update;
mod view;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use ::status::{Diagnosis, SetbackLog};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use election::Poll;
use ledger::Ledger;
use presence::Presence;
use queue::Queue;
use service::fault::{Faults, befall};
use service::http::page_connections_max;
use service::{Health, Store};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use web::{Asset, LOCAL_TIME, Notice, OtherPage, RETRY_AFTER_SECONDS, Replica, STYLE, for_browsers};

use self::metrics::METRICS;
pub use self::platform::Platform;
use self::qr::Codes;
pub use self::settings::Settings;
use self::totals::PollTotals;
use self::update::Update;

/// The script that keeps the results page up to date.
static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::script("results.js", [LOCAL_TIME, LIVE, include_str!("../assets/results.js")].concat())
});

/// Keeps a page in touch with its server.
const LIVE: &str = include_str!("../assets/live.js");

/// Replaces what differs from a newly drawn page.
const MORPH: &str = include_str!("../assets/morph.js");

/// The share of a replica's connections that viewers may take. The others are for
/// those who ask for a page. Further viewers need another replica.
const VIEWERS_SHARE: (usize, usize) = (3, 4);

/// On shutdown, every viewer is told so. A viewer that does not take even that message
/// within this time was not watching.
const GOODBYES_WITHIN: Duration = Duration::from_secs(2);

/// The stores without which `result` is not ready.
pub const NEEDS: &[Store] = &[Store::Ledger];

/// What a replica of `result` is made of.
#[derive(Debug)]
pub struct Config {
    /// The poll that runs.
    pub poll: Poll,
    /// The ledger, which holds the totals.
    pub ledger: Ledger,
    /// The queue, which says how many votes wait.
    pub queue: Queue,
    /// The list of stores that were wiped or set back. The embedded mode has none.
    pub setbacks: Option<SetbackLog>,
    /// The presence of this replica, which it announces to the others.
    pub presence: Presence,
    /// The page with the ballot.
    pub ballot: OtherPage,
    /// Whether everything runs in one process. The page says so.
    pub embedded: bool,
    /// What the deployment runs on, if that is known.
    pub platform: Option<Platform>,
}

/// Shows the totals on `listener` until `shutdown`.
pub async fn serve(listener: TcpListener, config: Config, health: Health, shutdown: CancellationToken) {
    tracing::info!("totals are shown by {}", config.presence.name());
    LazyLock::force(&METRICS);
    let unknown = Arc::new(Diagnosis::default());
    let nothing_yet = Update::new(PollTotals::unknown(&config.poll), Vec::new(), unknown.clone());
    let (updates, newest) = watch::channel(Arc::new(nothing_yet));
    let (diagnoses, diagnosis) = watch::channel(unknown);
    let (scenes, scene) = watch::channel(Arc::default());
    let app = Arc::new(App {
        config,
        newest,
        diagnosis: diagnosis.clone(),
        scene,
        seats: Arc::new(Semaphore::new(viewers_max())),
        viewers: TaskTracker::new(),
        codes: Codes::default(),
        shutdown: shutdown.clone(),
    });
    tokio::join!(
        feed::run(&app.config, diagnosis.clone(), updates, &health, &shutdown),
        map::run(&app.config, app.newest.clone(), diagnosis, scenes, &shutdown),
        status::run(&app.config, app.newest.clone(), diagnoses, &shutdown),
        service::http::serve(listener, router(app.clone(), health.faults().clone()), shutdown.clone()),
        app.config.presence.keep(&health, &shutdown),
    );
    // The HTTP server does not wait for WebSockets, because they are no requests any more.
    app.viewers.close();
    let _ = timeout(GOODBYES_WITHIN, app.viewers.wait()).await;
}

fn viewers_max() -> usize {
    let (part, whole) = VIEWERS_SHARE;
    page_connections_max() * part / whole
}

impl Config {
    /// This replica, as people and programs see it.
    fn replica(&self) -> Replica<'_> {
        let Self { presence, .. } = self;
        Replica { name: presence.name(), node: presence.node(), release: presence.release() }
    }
}

/// Receives the newest update.
type Newest = watch::Receiver<Arc<Update>>;

/// What the handlers share.
#[derive(Debug)]
struct App {
    config: Config,
    newest: Newest,
    diagnosis: watch::Receiver<Arc<Diagnosis>>,
    scene: watch::Receiver<Arc<map::Scene>>,
    seats: Arc<Semaphore>,
    viewers: TaskTracker,
    codes: Codes,
    shutdown: CancellationToken,
}

fn router(app: Arc<App>, faults: Faults) -> Router {
    let app = Router::new()
        .route("/", get(page::results))
        .route("/api/totals", get(api_totals))
        .route("/api/status", get(status::api))
        .route("/api/whoami", get(whoami))
        .route("/map", get(map::show))
        .route("/presenter", get(page::presenter))
        .route("/status", get(status::show))
        .route("/ws", get(socket::watch_totals))
        .route("/ws/{language}", get(socket::watch_view))
        .route("/ws/map/{language}", get(socket::watch_map))
        .with_state(app);
    let assets = [&*STYLE, &*SCRIPT, &*status::SCRIPT, &*map::SCRIPT, &*map::STYLE];
    let app = assets.into_iter().fold(app, |app, asset| asset.serve_in(app));
    for_browsers(befall(app, faults, || Notice::on_purpose().into_response()))
}

/// Tells a program which replica answers.
async fn whoami(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    app.config.replica().introduce(&headers)
}

async fn api_totals(State(app): State<Arc<App>>) -> Response {
    let headers = [(CONTENT_TYPE, "application/json")];
    let newest = app.newest.borrow().clone();
    if newest.totals.as_of.is_some() {
        return (headers, Bytes::from(newest.json.clone())).into_response();
    }
    let error = r#"{"error":"no totals yet: the database has not answered since this replica started"}"#;
    (StatusCode::SERVICE_UNAVAILABLE, headers, [(RETRY_AFTER, RETRY_AFTER_SECONDS)], error).into_response()
}
