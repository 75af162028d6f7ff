//! Clients who mean no good: each takes a connection and gives nothing for it.

use std::future::pending;
use std::time::Duration;

use tokio::io::{AsyncWriteExt, copy, sink};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How one of them behaves.
#[derive(Clone, Copy, Debug)]
pub enum Manner {
    Silent,
    /// A byte of headers each second.
    SlowHeaders,
    /// A byte of a vote each second.
    SlowBody,
    EndlessAddress,
    EndlessHeader,
    EndlessBody,
    EndlessFrame,
    /// Opens a WebSocket and never reads.
    Stalled,
}

/// Between two bytes of a slow one, and before a chatty one comes again.
const PAUSE: Duration = Duration::from_secs(1);

/// All are there after this. Of those who come at the same moment, a kernel would turn some away, who
/// then try again after ever longer pauses.
const ARRIVAL: Duration = Duration::from_secs(5);

const BLOCK: &[u8] = &[b'x'; 64 * 1024];

/// A crowd of them, all alike. Those who are shown out come again; none leaves by itself.
pub struct Mob {
    weary: CancellationToken,
    _members: JoinSet<()>,
}

impl Mob {
    pub fn gather(url: &str, manner: Manner, size: usize) -> Self {
        let address = url.trim_start_matches("http://").to_owned();
        let weary = CancellationToken::new();
        let member = |place| {
            let (address, weary) = (address.clone(), weary.clone());
            async move {
                sleep(ARRIVAL.mul_f64(place as f64 / size as f64)).await;
                while !weary.is_cancelled() {
                    // One who is not let in tries again.
                    let _ = manner.pester(&address).await;
                }
            }
        };
        let _members = (0..size).map(member).collect();
        Self { weary, _members }
    }

    /// From now on nobody comes again. Who is here stays until the server ends it.
    pub fn tire(&self) {
        self.weary.cancel();
    }
}

impl Manner {
    /// Returns when the server has ended it.
    async fn pester(self, address: &str) -> std::io::Result<()> {
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
        if self.is_endless() {
            sleep(PAUSE).await;
        }
        Ok(())
    }

    fn opening(self) -> &'static str {
        match self {
            Self::Silent => "",
            Self::SlowHeaders | Self::EndlessHeader => "GET / HTTP/1.1\r\nx: ",
            Self::EndlessAddress => "GET /",
            Self::SlowBody => {
                "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
                 content-length: 1000\r\n\r\n"
            }
            Self::EndlessBody => {
                "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
                 content-length: 1000000000000\r\n\r\n"
            }
            // A frame of a terabyte follows the handshake.
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

    fn is_endless(self) -> bool {
        matches!(self, Self::EndlessAddress | Self::EndlessHeader | Self::EndlessBody | Self::EndlessFrame)
    }

    async fn goes_on(self, writer: &mut (impl AsyncWriteExt + Unpin)) -> std::io::Result<()> {
        match self {
            Self::Silent | Self::Stalled => pending().await,
            Self::SlowHeaders | Self::SlowBody => {
                sleep(PAUSE).await;
                writer.write_all(b"x").await
            }
            _ => writer.write_all(BLOCK).await,
        }
    }
}
