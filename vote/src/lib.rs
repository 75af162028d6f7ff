//! The ballot page. It takes votes, and answers *Recorded* only once the vote is
//! safe in the queue. It never touches the ledger, and holds a vote only while
//! its voter waits for the answer.

mod cast;
mod clock;
mod cookie;
mod followed;
mod keys;
mod labels;
mod metrics;
mod page;
mod phrases;
mod queue_watch;
mod settings;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use election::Poll;
use presence::Presence;
use queue::{Progress, Queue};
use service::fault::{Faults, befall};
use service::{Health, Store};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower_http::csrf::CsrfLayer;
use web::{Asset, LOCAL_TIME, Notice, OtherPage, Replica, STYLE, for_browsers};

use self::clock::Clock;
pub use self::keys::Keys;
use self::labels::LabelCheck;
use self::metrics::METRICS;
use self::queue_watch::QueueWatch;
pub use self::settings::{QueueBound, RequireDurable, Settings};

/// The script that votes without loading the page again.
static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::script("ballot.js", [LOCAL_TIME, include_str!("../assets/ballot.js")].concat()));

/// The stores without which `vote` is not ready.
pub const NEEDS: &[Store] = &[Store::Queue];

/// The most bytes that a form may have. A vote has a dozen.
const BODY_MAX: usize = 1024;

/// At the start, the first probe may take this long. A healthy queue answers
/// sooner, and people do not notice the wait.
const FIRST_PROBE_WITHIN: Duration = Duration::from_secs(1);

/// What a replica of `vote` is made of.
#[derive(Debug)]
pub struct Config {
    /// The poll that runs.
    pub poll: Poll,
    /// The queue to which votes are appended.
    pub queue: Queue,
    /// How many votes may wait there.
    pub queue_max: u64,
    /// Whether votes are refused while the queue might lose them.
    pub require_durable_queue: RequireDurable,
    /// The keys that sign and verify the voters' cookies.
    pub keys: Keys,
    /// The address of this page for voters, if one is set.
    pub url: Option<String>,
    /// The page with the results.
    pub results: OtherPage,
    /// The presence of this replica, which it announces to the others.
    pub presence: Presence,
    /// Whether everything runs in one process. The page says so.
    pub embedded: bool,
}

/// Takes votes on `listener` until `shutdown`.
pub async fn serve(listener: TcpListener, config: Config, health: Health, shutdown: CancellationToken) {
    METRICS.capacity.set(config.queue_max as f64);
    let app = Arc::new(App::of(config, health.faults().clone()));
    let mut watch = QueueWatch::of(&app, &health);
    // Probe before the first voter comes, who would otherwise be told *Not recorded*. This must
    // not take long: if the queue does not answer, the page must be served all the same.
    let pause = timeout(FIRST_PROBE_WITHIN, watch.probe()).await.unwrap_or_default();
    tracing::info!("votes are taken by {}", app.config.presence.name());
    tokio::join!(
        watch.keep(pause, &shutdown),
        service::http::serve(listener, router(app.clone()), shutdown.clone()),
        app.config.presence.keep(&health, &shutdown),
    );
}

/// The ballot page alone. The fuzz targets use it without a network.
#[cfg(feature = "fuzzing")]
pub fn router_of(config: Config) -> Router {
    router(Arc::new(App::of(config, Faults::default())))
}

/// What the handlers share.
#[derive(Debug)]
struct App {
    config: Config,
    /// The edition of the page: an open page of another edition loads itself again.
    edition: String,
    clock: Clock,
    /// Notified when an append got no answer, so that the queue is probed at once.
    doubt: Notify,
    /// How many recorded votes have waited to be counted at two probes in a row.
    waiting: AtomicU64,
    /// The last look at the queue. It serves all voters who follow their votes.
    progress: watch::Sender<Progress>,
    labels: LabelCheck,
    faults: Faults,
}

impl App {
    fn of(config: Config, faults: Faults) -> Self {
        Self {
            edition: web::edition(&SCRIPT, config.poll.texts()),
            config,
            clock: Clock::new(),
            doubt: Notify::new(),
            waiting: AtomicU64::new(0),
            progress: watch::Sender::default(),
            labels: LabelCheck::default(),
            faults,
        }
    }
}

impl Config {
    /// Whether the page is served over https, so that its cookies are `Secure`.
    fn is_secure(&self) -> bool {
        self.url.as_ref().is_some_and(|url| url.starts_with("https://"))
    }

    /// This replica, as people and programs see it.
    fn replica(&self) -> Replica<'_> {
        let Self { presence, .. } = self;
        Replica { name: presence.name(), node: presence.node(), release: presence.release() }
    }
}

fn router(app: Arc<App>) -> Router {
    let (own_page_only, faults) = (own_page_only(app.config.url.as_deref()), app.faults.clone());
    let app = Router::new()
        .route("/", get(page::ballot).post(cast::cast))
        .route("/api/whoami", get(whoami))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(app);
    let app = befall(SCRIPT.serve_in(STYLE.serve_in(app)), faults, || Notice::on_purpose().into_response());
    for_browsers(app.layer(own_page_only.with_rejection_response(cast::from_another_site)))
}

/// Tells a program which replica answers.
async fn whoami(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    app.config.replica().introduce(&headers)
}

/// Refuses votes that another site's page sent. Behind a proxy that rewrites `Host`, only the `Origin`
/// of a page without https shows that it is our own, so the origin of VOTE_URL is trusted.
fn own_page_only(url: Option<&str>) -> CsrfLayer {
    let origin = url.and_then(web::origin);
    let trusted = origin.and_then(|origin| CsrfLayer::new().add_trusted_origin(origin).ok());
    trusted.unwrap_or_default()
}
