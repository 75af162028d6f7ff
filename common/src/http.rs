//! The HTTP edge both web services share: bounded connections, the same
//! headers and the same kind of page for everything that goes wrong.

use std::iter;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse, Response};
use hyper::server::conn::http1::{self, UpgradeableConnection};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

mod assets;
mod line;
mod notice;
mod reader;
mod sibling;
mod weighted;

pub use self::assets::{Asset, STYLE, edition};
use self::line::Attended;
pub use self::line::Line;
pub use self::notice::Notice;
pub use self::reader::{COOKIE_KEPT_FOR, Reader};
pub use self::sibling::Sibling;

/// A request's headers must arrive within this, and the next request on the
/// same connection too: a silent client holds a socket no longer.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);

/// More than any browser sends with our cookie; past it, hyper answers 431.
const HEADERS_MAX: usize = 64;

/// Room for those headers; hyper takes no less than 8 KiB.
const HEADER_BYTES_MAX: usize = 16 * 1024;

/// A client that takes no byte of an answer within this is gone, whatever its
/// socket says.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);

/// Open connections; past it, the next one waits in the kernel's queue. At
/// some 20 KiB each that is 400 MB, which a service must never come near.
const CONNECTIONS_MAX: usize = 20_000;

/// On shutdown, what is in flight has this long to end: longer than the
/// slowest answer, shorter than an orchestrator's patience of 10 s.
const CLOSE_WITHIN: Duration = Duration::from_secs(6);

/// As many as the kernel lets wait, so that newcomers cannot keep it open.
const BACKLOG_MAX: usize = 1024;

/// Who has connected speaks at once, unless the machine is very busy.
const SPEAKS_WITHIN: Duration = Duration::from_millis(200);

/// A pause after a failed accept: the usual cause is too many open files,
/// and trying again at once would only burn a core.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// Most outages of a store are a restart, which takes about this long.
pub const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("2");

/// What every answer says that does not say otherwise.
const HEADERS: [(HeaderName, &str); 4] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Every page and every answer is of this moment; only assets say otherwise. With one
    // voter's page and cookie in a shared cache, a whole classroom would be one voter.
    (CACHE_CONTROL, "no-store"),
    // Not `no-referrer`: forms would then send `Origin: null`.
    (REFERRER_POLICY, "same-origin"),
];

/// One client's requests and their answers.
type Conversation = UpgradeableConnection<TokioIo<Pin<Box<TimeoutStream<TcpStream>>>>, Attended>;

/// Nothing but our own files, and no page of ours inside another's.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
    connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// Serves `app` on `listener` until `shutdown`, then lets what is in flight end.
pub async fn serve(listener: TcpListener, app: Router, shutdown: CancellationToken) {
    line::allow_many();
    let connections = TaskTracker::new();
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &slots) => accepted,
            () = shutdown.cancelled() => break,
        };
        if let Some((stream, slot)) = accepted {
            connections.spawn(converse(stream, slot, app.clone(), shutdown.clone()));
        }
    }
    // Whoever is connected already, and only not yet greeted, is served too.
    for stream in waiting(listener) {
        if let Ok(slot) = slots.clone().try_acquire_owned() {
            connections.spawn(converse(stream, slot, app.clone(), shutdown.clone()));
        }
    }
    connections.close();
    connections.wait().await;
}

/// Adds the headers that every answer to a browser carries, speaks the
/// reader's language, and answers unknown paths and methods with a page.
pub fn for_browsers(app: Router) -> Router {
    app.fallback(async || Notice::not_found())
        .method_not_allowed_fallback(async || Notice::method_not_allowed())
        .layer(from_fn(reader::welcome))
        .layer(from_fn(stamp))
}

/// Renders a page. Our templates cannot fail, so a failure is a bug to log.
pub fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!("cannot render a page: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn stamp(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let slot = slots.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, slot)),
        Err(error) => {
            tracing::debug!("cannot accept a connection: {error}");
            sleep(ACCEPT_AGAIN_AFTER).await;
            None
        }
    }
}

/// The connections that the kernel has made and nobody has accepted; nobody else is let in.
fn waiting(listener: TcpListener) -> Vec<TcpStream> {
    let Ok(listener) = listener.into_std() else { return Vec::new() };
    let accepted = iter::from_fn(|| listener.accept().ok()).take(BACKLOG_MAX);
    let streams = accepted.map(|(stream, _)| {
        stream.set_nonblocking(true)?;
        TcpStream::from_std(stream)
    });
    streams.filter_map(Result::ok).collect()
}

async fn converse(stream: TcpStream, _slot: OwnedSemaphorePermit, app: Router, shutdown: CancellationToken) {
    // An answer is one small write, and waiting for more would only delay it.
    let _ = stream.set_nodelay(true);
    let Ok(line) = Line::of(&stream) else { return };
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(TAKEN_WITHIN));
    let mut conversation = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEADER_BYTES_MAX)
        .serve_connection(
            TokioIo::new(Box::pin(stream)),
            Attended { app: TowerToHyperService::new(app), line },
        )
        .with_upgrades();
    let ended = tokio::select! {
        ended = &mut conversation => ended,
        () = shutdown.cancelled() => end(conversation).await,
    };
    if let Err(error) = ended {
        tracing::debug!("a connection ended: {error}");
    }
}

/// Lets what is in flight end. hyper would close a connection of which it has read nothing yet,
/// although a vote may have arrived on it.
async fn end(mut conversation: Conversation) -> hyper::Result<()> {
    if let Ok(ended) = timeout(SPEAKS_WITHIN, &mut conversation).await {
        return ended;
    }
    Pin::new(&mut conversation).graceful_shutdown();
    timeout(CLOSE_WITHIN, conversation).await.unwrap_or(Ok(()))
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn who_is_connected_when_it_ends_is_served() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut clients = Vec::new();
        for _ in 0..100 {
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            client.write_all(b"GET / HTTP/1.1\r\nhost: urna\r\n\r\n").await.unwrap();
            clients.push(client);
        }
        let shutdown = CancellationToken::new();
        shutdown.cancel();
        serve(listener, Router::new().route("/", get(async || "here")), shutdown).await;
        for mut client in clients {
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("here"), "{answer}");
        }
    }
}
