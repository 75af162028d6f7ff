//! One viewer: a WebSocket that gets the newest totals, or the newest map, whenever they change.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use service::http::Client;
use tokio::sync::watch;
use tokio::time::{Instant, interval_at, timeout};
use tokio_util::sync::CancellationToken;
use web::{Language, Notice, RETRY_AFTER_SECONDS};

use crate::map::Scene;
use crate::metrics::METRICS;
use crate::phrases::say;
use crate::update::Update;
use crate::{App, Config};

/// Viewers send nothing but pongs. The default of 128 KiB for each viewer would take
/// most of the memory.
const READ_BUFFER_BYTES: usize = 512;

/// Every message is sent at once, so nothing is buffered.
const WRITE_BUFFER_BYTES: usize = 0;

/// Room for a few messages of a poll with ten long labels. A viewer that is slower than
/// that skips to the newest message.
const WRITE_BUFFER_MAX_BYTES: usize = 32 * 1024;

/// A map of many replicas is as long as several such buffers. So its viewer takes as many seats.
const SEATS_FOR_THE_MAP: u32 = 5;

/// The longest message that a viewer may send.
const MESSAGE_MAX_BYTES: usize = 1024;

/// A viewer whose network does not take a message within this time counts as gone.
const SENT_WITHIN: Duration = Duration::from_secs(10);

/// Pings keep proxies from closing a quiet connection, as they do after 60 s. They also
/// find viewers who left silently: a viewer that has not answered the last ping when the
/// next one is due counts as gone.
const PING_EVERY: Duration = Duration::from_secs(25);

/// A page that gets no message for 12 s considers its connection lost. So the newest
/// message is sent again after this time, even if nothing changed.
const TOLD_EVERY: Duration = Duration::from_secs(5);

type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

/// Sends a program the totals.
pub(crate) async fn watch_totals(
    State(app): State<Arc<App>>,
    Extension(client): Extension<Client>,
    upgrade: Upgrade,
) -> Response {
    // Before the first totals there is no message: a program would take the zeros for totals.
    let text = |_: &Config, update: &Update| update.totals.as_of.map(|_| update.json.clone());
    seat(&app, client, 1, app.newest.clone(), text, upgrade)
}

/// Sends a page its view, in the visitor's language.
pub(crate) async fn watch_view(
    State(app): State<Arc<App>>,
    Extension(client): Extension<Client>,
    Path(code): Path<String>,
    upgrade: Upgrade,
) -> Response {
    in_language(&code, |language| {
        let text = move |config: &Config, update: &Update| Some(update.view_json(config, language));
        seat(&app, client, 1, app.newest.clone(), text, upgrade)
    })
}

/// Sends a page the map, in the visitor's language.
pub(crate) async fn watch_map(
    State(app): State<Arc<App>>,
    Extension(client): Extension<Client>,
    Path(code): Path<String>,
    upgrade: Upgrade,
) -> Response {
    in_language(&code, |language| {
        let text = move |config: &Config, scene: &Scene| Some(scene.message(config, language));
        seat(&app, client, SEATS_FOR_THE_MAP, app.scene.clone(), text, upgrade)
    })
}

fn in_language(code: &str, watch: impl FnOnce(Language) -> Response) -> Response {
    Language::from_code(code).map_or_else(|| Notice::not_found().into_response(), watch)
}

/// Lets a viewer watch what is `newest`, if there are so many seats left. `text` makes a message of it.
fn seat<T: Send + Sync + 'static>(
    app: &Arc<App>,
    client: Client,
    seats: u32,
    newest: watch::Receiver<Arc<T>>,
    text: impl Fn(&Config, &T) -> Option<Utf8Bytes> + Send + Sync + 'static,
    upgrade: Upgrade,
) -> Response {
    let Ok(upgrade) = upgrade else {
        return Notice::new(StatusCode::UPGRADE_REQUIRED, |to| say(to).no_page, |to| say(to).no_socket)
            .into_response();
    };
    let Ok(taken) = app.seats.clone().try_acquire_many_owned(seats) else {
        return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, RETRY_AFTER_SECONDS)]).into_response();
    };
    // The shutdown waits for this viewer from now on, even before its socket is open.
    let (app, token) = (app.clone(), app.viewers.token());
    upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_write_buffer_size(WRITE_BUFFER_MAX_BYTES * seats as usize)
        .max_message_size(MESSAGE_MAX_BYTES)
        .max_frame_size(MESSAGE_MAX_BYTES)
        .on_upgrade(async move |socket| {
            let viewer = Viewer { socket, answered: true };
            let listed = app.config.presence.viewer();
            METRICS.connections.increment(1);
            METRICS.viewers.increment(1);
            viewer.watch(newest, |it| text(&app.config, it), &app.shutdown).await;
            METRICS.viewers.decrement(1);
            drop((taken, token, listed, client));
        })
}

struct Viewer {
    socket: WebSocket,
    /// Whether the last ping was answered.
    answered: bool,
}

/// Says that the viewer is gone.
struct Gone;

impl Viewer {
    async fn watch<T>(
        mut self,
        mut newest: watch::Receiver<Arc<T>>,
        text: impl Fn(&T) -> Option<Utf8Bytes> + Sync,
        shutdown: &CancellationToken,
    ) {
        newest.mark_changed();
        let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        let mut told_again = interval_at(Instant::now() + TOLD_EVERY, TOLD_EVERY);
        loop {
            let step = tokio::select! {
                () = shutdown.cancelled() => return self.say_goodbye().await,
                Ok(()) = newest.changed() => {
                    told_again.reset();
                    self.tell(&mut newest, &text).await
                }
                _ = told_again.tick() => self.tell(&mut newest, &text).await,
                _ = pings.tick() => self.ping().await,
                heard = self.socket.recv() => match heard {
                    Some(Ok(Message::Pong(_))) => {
                        self.answered = true;
                        Ok(())
                    }
                    Some(Ok(_)) => Ok(()),
                    Some(Err(_)) | None => Err(Gone),
                },
            };
            if step.is_err() {
                return;
            }
        }
    }

    async fn tell<T>(
        &mut self,
        newest: &mut watch::Receiver<Arc<T>>,
        text: impl Fn(&T) -> Option<Utf8Bytes>,
    ) -> Result<(), Gone> {
        let newest = newest.borrow_and_update().clone();
        let Some(text) = text(&newest) else { return Ok(()) };
        METRICS.messages.increment(1);
        self.send(Message::Text(text)).await
    }

    async fn ping(&mut self) -> Result<(), Gone> {
        if !std::mem::replace(&mut self.answered, false) {
            return Err(Gone);
        }
        self.send(Message::Ping(Default::default())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Gone> {
        let sent = timeout(SENT_WITHIN, self.socket.send(message)).await;
        sent.ok().and_then(Result::ok).ok_or(Gone)
    }

    /// Closes the connection with 1001: the server goes away, and the browser should
    /// connect again.
    async fn say_goodbye(mut self) {
        let goodbye = CloseFrame { code: close_code::AWAY, reason: "the server is going away".into() };
        let _ = self.send(Message::Close(Some(goodbye))).await;
    }
}
