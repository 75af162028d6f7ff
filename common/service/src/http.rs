//! The HTTP server of every port. No client can hold a connection for ever,
//! and a stopping service cuts off no request.
//!
//! It drives hyper's connections itself, because `axum::serve` has no timeout
//! for headers and none for writing. A silent client could hold its socket for
//! ever.

mod client;
mod connections;
mod limit;

use std::iter;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1::{self, UpgradeableConnection};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::client::Client;
use self::client::WithClient;
use self::connections::{Connections, Place};

/// A request's headers must arrive within this time, and so must the next
/// request on the same connection. A silent client is dropped after it.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);

/// More headers than any browser sends. To a request with more, hyper answers 431.
const HEADERS_MAX: usize = 64;

/// Room for those headers. hyper accepts no value below 8 KiB.
const HEADER_BYTES_MAX: usize = 16 * 1024;

/// A client that takes no byte of an answer for this long is dropped.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);

/// Nobody but an orchestrator and a monitor asks the management port.
const MANAGEMENT_CONNECTIONS_MAX: usize = 64;

/// On shutdown, open requests have this long to end. That is longer than the
/// slowest answer, and shorter than the 10 s that an orchestrator waits.
const CLOSE_WITHIN: Duration = Duration::from_secs(6);

/// On shutdown, no more connections than this are taken from the kernel's
/// queue. Otherwise new clients could keep a service from ending.
const KERNEL_QUEUE_MAX: usize = 1024;

/// A connected client sends its request within this time, unless the machine
/// is very busy.
const REQUEST_WITHIN: Duration = Duration::from_millis(200);

/// The pause after a failed accept. The usual cause is too many open files, so
/// trying again at once would only waste processor time.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// The HTTP connection of one client.
type Connection = UpgradeableConnection<TokioIo<Pin<Box<TimeoutStream<TcpStream>>>>, WithClient>;

/// How many clients all pages of this process together may serve at a time.
static PAGE_CONNECTIONS_MAX: LazyLock<usize> = LazyLock::new(limit::connections_max);

/// The clients of all pages of this process.
static PAGE_CONNECTIONS: LazyLock<Arc<Connections>> =
    LazyLock::new(|| Connections::at_most(*PAGE_CONNECTIONS_MAX));

/// How many clients all pages of this process together may serve at a time.
pub fn page_connections_max() -> usize {
    *PAGE_CONNECTIONS_MAX
}

/// Serves a page on `listener` until `shutdown`, and then lets open requests end.
pub async fn serve(listener: TcpListener, app: Router, shutdown: CancellationToken) {
    serve_at_most(PAGE_CONNECTIONS.clone(), listener, app, shutdown).await;
}

/// Serves the management port. Its clients never wait for a place among those of the pages.
pub(crate) async fn serve_management(listener: TcpListener, app: Router, shutdown: CancellationToken) {
    serve_at_most(Connections::at_most(MANAGEMENT_CONNECTIONS_MAX), listener, app, shutdown).await;
}

async fn serve_at_most(
    connections: Arc<Connections>,
    listener: TcpListener,
    app: Router,
    shutdown: CancellationToken,
) {
    let tasks = TaskTracker::new();
    let spawn = |stream, place| tasks.spawn(converse(stream, place, app.clone(), shutdown.clone()));
    while let Some(accepted) = shutdown.run_until_cancelled(accept(&listener)).await {
        if let Some(stream) = accepted {
            // A shutdown does not end this wait: the client is connected, and must be answered.
            spawn(stream, connections.place().await);
        }
    }
    for stream in kernel_queue(listener) {
        if let Some(place) = connections.free_place() {
            spawn(stream, place);
        }
    }
    tasks.close();
    tasks.wait().await;
}

async fn accept(listener: &TcpListener) -> Option<TcpStream> {
    match listener.accept().await {
        Ok((stream, _)) => Some(stream),
        Err(error) => {
            tracing::debug!("cannot accept a connection: {error}");
            sleep(ACCEPT_AGAIN_AFTER).await;
            None
        }
    }
}

/// Takes the connections that the kernel has made and we have not accepted yet,
/// and closes the listener.
fn kernel_queue(listener: TcpListener) -> Vec<TcpStream> {
    let Ok(listener) = listener.into_std() else { return Vec::new() };
    let accepted = iter::from_fn(|| listener.accept().ok()).take(KERNEL_QUEUE_MAX);
    let streams = accepted.map(|(stream, _)| {
        stream.set_nonblocking(true)?;
        TcpStream::from_std(stream)
    });
    streams.filter_map(Result::ok).collect()
}

async fn converse(stream: TcpStream, place: Arc<Place>, app: Router, shutdown: CancellationToken) {
    // An answer is one small write. To wait for more data would only delay it.
    let _ = stream.set_nodelay(true);
    let Ok(client) = Client::of(&stream, place.clone()) else { return };
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(TAKEN_WITHIN));
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEADER_BYTES_MAX)
        .serve_connection(
            TokioIo::new(Box::pin(stream)),
            WithClient { app: TowerToHyperService::new(app), client },
        )
        .with_upgrades();
    let ended = tokio::select! {
        // A request that has arrived is read before its connection could be closed.
        biased;
        ended = &mut connection => ended,
        () = place.shed() => return,
        () = shutdown.cancelled() => end(connection).await,
    };
    if let Err(error) = ended {
        tracing::debug!("a connection ended: {error}");
    }
}

/// Lets an open request end. Without the first wait, hyper would close a
/// connection from which it has read nothing yet, although a vote may already
/// have arrived on it.
async fn end(mut connection: Connection) -> hyper::Result<()> {
    if let Ok(ended) = timeout(REQUEST_WITHIN, &mut connection).await {
        return ended;
    }
    Pin::new(&mut connection).graceful_shutdown();
    timeout(CLOSE_WITHIN, connection).await.unwrap_or(Ok(()))
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn clients_that_are_connected_at_the_shutdown_are_served() {
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
