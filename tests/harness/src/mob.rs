//! Hostile clients: each occupies a connection and never sends a proper request.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tokio::io::{AsyncWriteExt, copy, sink};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// What a hostile client does.
#[derive(Clone, Copy, Debug)]
pub enum Manner {
    /// Connects and sends nothing.
    Silent,
    /// Sends one byte of a header each second.
    SlowHeaders,
    /// Is answered once, then sends nearly as many headers as it may, and one more byte each second.
    /// No other connection takes more memory.
    Heavy,
    /// Sends one byte of a vote each second.
    SlowBody,
    EndlessAddress,
    EndlessHeader,
    EndlessBody,
    EndlessFrame,
    /// Opens a WebSocket and never reads.
    Stalled,
}

/// The pause between two bytes of a slow client, and before a client reconnects.
const PAUSE: Duration = Duration::from_secs(1);

/// The clients connect spread over this time. If all connected at once, the kernel would drop some
/// connections, and those clients would retry after ever longer pauses.
const ARRIVAL: Duration = Duration::from_secs(5);

/// A whole request, and 15 KiB of the next one's headers.
static HEAVY: LazyLock<String> = LazyLock::new(|| {
    format!("GET / HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\nx: {}", "x".repeat(15 * 1024))
});

const BLOCK: &[u8] = &[b'x'; 64 * 1024];

/// Many hostile clients of one kind. They reconnect when the server disconnects them.
pub struct Mob {
    is_over: CancellationToken,
    closed: Arc<AtomicUsize>,
    _clients: JoinSet<()>,
}

impl Mob {
    pub fn gather(url: &str, manner: Manner, size: usize) -> Self {
        let address = url.trim_start_matches("http://").to_owned();
        let (is_over, closed) = (CancellationToken::new(), Arc::<AtomicUsize>::default());
        let client = |number| {
            let (address, is_over, closed) = (address.clone(), is_over.clone(), closed.clone());
            async move {
                sleep(ARRIVAL.mul_f64(number as f64 / size as f64)).await;
                while !is_over.is_cancelled() {
                    // Whatever goes wrong, the client tries again.
                    if manner.attack(&address).await.is_ok() {
                        closed.fetch_add(1, Ordering::Relaxed);
                    }
                    sleep(PAUSE).await;
                }
            }
        };
        let _clients = (0..size).map(client).collect();
        Self { is_over, closed, _clients }
    }

    /// How many connections the server has closed.
    pub fn closed(&self) -> usize {
        self.closed.load(Ordering::Relaxed)
    }

    /// From now on no client reconnects. Connected clients stay until the server disconnects them.
    pub fn stop_reconnecting(&self) {
        self.is_over.cancel();
    }
}

impl Manner {
    /// Returns when the server has closed the connection.
    async fn attack(self, address: &str) -> std::io::Result<()> {
        let (mut reader, mut writer) = TcpStream::connect(address).await?.into_split();
        writer.write_all(self.opening().as_bytes()).await?;
        let mut nothing = sink();
        let talking = async {
            while self.goes_on(&mut writer).await.is_ok() {}
            pending().await
        };
        tokio::select! {
            _ = copy(&mut reader, &mut nothing), if !matches!(self, Self::Stalled) => {}
            () = talking => {}
        }
        Ok(())
    }

    fn opening(self) -> &'static str {
        match self {
            Self::Silent => "",
            Self::SlowHeaders | Self::EndlessHeader => "GET / HTTP/1.1\r\nx: ",
            Self::Heavy => &HEAVY,
            Self::EndlessAddress => "GET /",
            Self::SlowBody => {
                "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
                 content-length: 1000\r\n\r\n"
            }
            Self::EndlessBody => {
                "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
                 content-length: 1000000000000\r\n\r\n"
            }
            // After the handshake, the head of a frame of a terabyte.
            Self::EndlessFrame => {
                "GET /ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                 sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\
                 \x02\x7f\0\0\x01\0\0\0\0\0"
            }
            Self::Stalled => {
                "GET /ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                 sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            }
        }
    }

    async fn goes_on(self, writer: &mut (impl AsyncWriteExt + Unpin)) -> std::io::Result<()> {
        match self {
            Self::Silent | Self::Stalled => pending().await,
            Self::SlowHeaders | Self::Heavy | Self::SlowBody => {
                sleep(PAUSE).await;
                writer.write_all(b"x").await
            }
            _ => writer.write_all(BLOCK).await,
        }
    }
}
