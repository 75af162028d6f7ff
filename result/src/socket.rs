//! One viewer: a WebSocket that gets the newest totals whenever they change.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use common::http::{Notice, RETRY_AFTER_SECONDS};
use common::language::Language;
use tokio::time::{Instant, interval_at, timeout};

use crate::figures::FIGURES;
use crate::{Board, Hall, Newest};

/// Viewers send nothing but pongs. The default of 128 KiB each would be most
/// of the memory of a full hall.
const READ_BUFFER_BYTES: usize = 512;

/// A message goes out at once, so there is nothing to gather.
const WRITE_BUFFER_BYTES: usize = 0;

/// A few messages of a poll with ten long labels; a slower viewer skips to
/// the newest.
const WRITE_BUFFER_MAX_BYTES: usize = 32 * 1024;

/// What a viewer may say at most.
const MESSAGE_MAX_BYTES: usize = 1024;

/// A viewer whose network takes a message no sooner than this is gone.
const SENT_WITHIN: Duration = Duration::from_secs(10);

/// Keeps proxies from closing a quiet connection, which they do after 60 s,
/// and finds viewers who left without a word: one that answered no ping by
/// the next one is gone.
const PING_EVERY: Duration = Duration::from_secs(25);

/// A page that hears nothing for 12 s takes its connection for lost, so it
/// is told the newest again after this, even if nothing changed.
const TOLD_EVERY: Duration = Duration::from_secs(5);

type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

/// Sends a program the totals.
pub(crate) async fn watch_totals(State(hall): State<Arc<Hall>>, upgrade: Upgrade) -> Response {
    seat(hall, None, upgrade)
}

/// Sends a page its view, in the reader's language.
pub(crate) async fn watch_view(
    State(hall): State<Arc<Hall>>,
    Path(code): Path<String>,
    upgrade: Upgrade,
) -> Response {
    match Language::from_code(&code) {
        Some(language) => seat(hall, Some(language), upgrade),
        None => Notice::not_found().into_response(),
    }
}

/// Seats a viewer, if there is a seat.
fn seat(hall: Arc<Hall>, language: Option<Language>, upgrade: Upgrade) -> Response {
    let Ok(upgrade) = upgrade else {
        return Notice::new(StatusCode::UPGRADE_REQUIRED, |say| say.no_page, |say| say.no_socket)
            .into_response();
    };
    let Ok(seat) = hall.seats.clone().try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, RETRY_AFTER_SECONDS)]).into_response();
    };
    // From now on shutdown waits for this viewer, who is not seated yet.
    let token = hall.viewers.token();
    upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_write_buffer_size(WRITE_BUFFER_MAX_BYTES)
        .max_message_size(MESSAGE_MAX_BYTES)
        .max_frame_size(MESSAGE_MAX_BYTES)
        .on_upgrade(async move |socket| {
            let viewer = Viewer { socket, language, answered: true };
            let watched = hall.board.presence.watched();
            FIGURES.connections.increment(1);
            FIGURES.viewers.increment(1);
            viewer.watch(&hall).await;
            FIGURES.viewers.decrement(1);
            drop((seat, token, watched));
        })
}

struct Viewer {
    socket: WebSocket,
    /// None for a program, which reads numbers in any language.
    language: Option<Language>,
    /// Whether the last ping was answered.
    answered: bool,
}

/// The viewer is gone.
struct Gone;

impl Viewer {
    async fn watch(mut self, hall: &Hall) {
        let mut newest = hall.newest.clone();
        newest.mark_changed();
        let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        let mut told_again = interval_at(Instant::now() + TOLD_EVERY, TOLD_EVERY);
        loop {
            let step = tokio::select! {
                () = hall.shutdown.cancelled() => return self.say_goodbye().await,
                Ok(()) = newest.changed() => {
                    told_again.reset();
                    self.tell(&mut newest, &hall.board).await
                }
                _ = told_again.tick() => self.tell(&mut newest, &hall.board).await,
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

    async fn tell(&mut self, newest: &mut Newest, board: &Board) -> Result<(), Gone> {
        let frame = newest.borrow_and_update().clone();
        let text = match self.language {
            Some(language) => frame.view(board, language),
            // A page can say that nothing is known; a program would take zeros for totals.
            None if frame.snapshot.as_of.is_none() => return Ok(()),
            None => frame.json.clone(),
        };
        FIGURES.messages.increment(1);
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

    /// 1001 tells the browser that the server goes away, and to come again.
    async fn say_goodbye(mut self) {
        let goodbye = CloseFrame { code: close_code::AWAY, reason: "the server is going away".into() };
        let _ = self.send(Message::Close(Some(goodbye))).await;
    }
}
