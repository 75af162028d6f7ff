//! What is left when everything that makes Urna is taken away: the same forms,
//! bytes and updates, and nothing behind them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use axum::Router;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::response::IntoResponse;
use axum::routing::get;
use futures_util::SinkExt;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

/// As long as ours.
const COOKIE: &str = "voter=c2lnbmF0dXJlIGluIGJhc2U2NCBvZiAzMiBieXRlcyE=\
                      d41d8cd98f00b204e9800998ecf8427e.1700000000000; Path=/";

/// Two servers like `vote` and `result`.
pub struct Bare {
    pub vote: String,
    pub result: String,
}

struct Shared {
    page: String,
    votes: AtomicU64,
    update: watch::Sender<Utf8Bytes>,
}

#[derive(Deserialize)]
struct Fields {
    vote: String,
}

impl Bare {
    /// Serves this page.
    pub async fn start(page: String) -> Self {
        let update = watch::Sender::new(totals(0));
        let shared = Arc::new(Shared { page, votes: AtomicU64::new(0), update });
        let app = Router::new().route("/", get(show).post(take)).with_state(shared.clone());
        let (votes, results) = (listen().await, listen().await);
        let url = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
        let bare = Self { vote: url(&votes), result: url(&results) };
        tokio::spawn(async move { axum::serve(votes, app).await });
        tokio::spawn(broadcast(results, shared));
        bare
    }
}

async fn listen() -> TcpListener {
    TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap()
}

async fn show(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    ([(SET_COOKIE, COOKIE)], axum::response::Html(shared.page.clone()))
}

async fn take(State(shared): State<Arc<Shared>>, Form(fields): Form<Fields>) -> impl IntoResponse {
    let votes = shared.votes.fetch_add(fields.vote.len() as u64, Ordering::Relaxed) + 1;
    // Without viewers there is nothing to tell.
    if shared.update.receiver_count() > 0 {
        shared.update.send_replace(totals(votes));
    }
    (StatusCode::SEE_OTHER, [(LOCATION, "/"), (SET_COOKIE, COOKIE)])
}

/// The same bytes to everybody, as plainly as tokio-tungstenite does it.
async fn broadcast(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let shared = shared.clone();
        tokio::spawn(async move {
            let mut head = [0; 16];
            let read = stream.peek(&mut head).await?;
            if !head[..read].starts_with(b"GET /ws") {
                return answer(&mut stream, &shared).await;
            }
            let mut updates = shared.update.subscribe();
            let mut socket = accept_async(stream).await.map_err(std::io::Error::other)?;
            loop {
                let update = updates.borrow_and_update().clone();
                socket.send(Message::Text(update)).await.map_err(std::io::Error::other)?;
                updates.changed().await.map_err(std::io::Error::other)?;
            }
        });
    }
}

async fn answer(stream: &mut TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut request = [0; 1024];
    while stream.read(&mut request).await? > 0 {
        let body = totals(shared.votes.load(Ordering::Relaxed));
        stream
            .write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes())
            .await?;
    }
    Ok(())
}

/// The same shape as ours, so that it has as many bytes. The time moves on, because `load-test` waits for new readings.
fn totals(votes: u64) -> Utf8Bytes {
    let seconds = UNIX_EPOCH.elapsed().map_or(0, |now| now.as_secs() % 60);
    let options: [Value; 2] =
        ["Nesquik", "Cola Cao"].map(|label| json!({"key": "a", "label": label, "votes": votes}));
    let totals = json!({
        "poll": "nesquik-cola-cao", "question": "¿De qué somos?", "options": options, "total": votes,
        "waiting": 0, "epoch": uuid::Uuid::nil(), "version": votes,
        "as_of": format!("2026-01-01T00:00:{seconds:02}.000Z"), "live": true,
    });
    totals.to_string().into()
}
