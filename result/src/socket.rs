//! One viewer: a WebSocket that gets the newest totals whenever they change.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use common::http::Notice;
use tokio::sync::watch;
use tokio::time::{Instant, interval_at, timeout};
use tokio_util::sync::CancellationToken;

use crate::Hall;
use crate::feed::Frame;

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

/// Seats a viewer, if there is a seat.
pub(crate) async fn watch(
    State(hall): State<Arc<Hall>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else {
        let text = "The page with the results listens here for changes; there is nothing to look at.";
        return Notice::new(StatusCode::UPGRADE_REQUIRED, "For the page only", text).into_response();
    };
    let Ok(seat) = hall.seats.clone().try_acquire_owned() else {
        let text = "As many people watch here as this server can seat. The page tries again by itself.";
        return Notice::new(StatusCode::SERVICE_UNAVAILABLE, "Full", text).into_response();
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
            let viewer = Viewer { socket, answered: true };
            metrics::gauge!("urna_result_viewers").increment(1);
            viewer.watch(hall.newest.clone(), hall.shutdown.clone()).await;
            metrics::gauge!("urna_result_viewers").decrement(1);
            drop((seat, token));
        })
}

struct Viewer {
    socket: WebSocket,
    /// Whether the last ping was answered.
    answered: bool,
}

/// The viewer is gone.
struct Gone;

impl Viewer {
    async fn watch(mut self, mut newest: watch::Receiver<Option<Arc<Frame>>>, shutdown: CancellationToken) {
        newest.mark_changed();
        let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        loop {
            let step = tokio::select! {
                () = shutdown.cancelled() => return self.say_goodbye().await,
                Ok(()) = newest.changed() => {
                    let json = newest.borrow_and_update().as_ref().map(|frame| frame.json.clone());
                    match json {
                        Some(json) => self.send(Message::Text(json)).await,
                        None => Ok(()),
                    }
                }
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
