//! The network between two programs: a TCP proxy that can hold back, slow down and break.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::sleep;

/// More than a message of ours, so that a stall holds back whole ones.
const CHUNK: usize = 16 * 1024;

/// What a bad radio link does to each piece: a dozen of them make an answer late, not lost.
const SLOW_BY: Duration = Duration::from_millis(60);

/// Cuts messages into pieces, so that nobody may take one read for one message.
const SLOW_PIECE: usize = 512;

/// What becomes of bytes in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    #[default]
    Open,
    /// As in a network that is cut: held back, and delivered once it heals, whoever gave up meanwhile.
    Stalled,
    Slow,
}

/// The state of the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weather {
    pub requests: Flow,
    pub answers: Flow,
    /// Every connection is reset, and every new one too.
    pub broken: bool,
}

/// A line to an address.
pub struct Proxy {
    pub address: SocketAddr,
    target: watch::Sender<SocketAddr>,
    weather: watch::Sender<Weather>,
    hindered: Arc<AtomicBool>,
    /// Held by the proxy, by its task, and by each connection.
    open: Arc<()>,
    task: AbortHandle,
}

impl Proxy {
    pub async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("the address of our listener");
        let (target, weather) = (watch::Sender::new(target), watch::Sender::default());
        let (hindered, open) = (Arc::default(), Arc::new(()));
        let way = Way {
            target: target.subscribe(),
            weather: weather.subscribe(),
            hindered: Arc::clone(&hindered),
            _open: open.clone(),
        };
        let task = tokio::spawn(accept(listener, way));
        Self { address, target, weather, hindered, open, task: task.abort_handle() }
    }

    /// Leads new connections to another address, such as that of a replica that was restarted.
    pub fn lead_to(&self, target: SocketAddr) {
        self.target.send_replace(target);
    }

    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    /// Whether the weather ever made a difference to somebody.
    pub fn hindered(&self) -> bool {
        self.hindered.load(Ordering::Relaxed)
    }

    /// Whether every connection has ended, on both sides.
    pub fn is_idle(&self) -> bool {
        Arc::strong_count(&self.open) == 2
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What each connection needs to know.
#[derive(Clone)]
struct Way {
    target: watch::Receiver<SocketAddr>,
    weather: watch::Receiver<Weather>,
    hindered: Arc<AtomicBool>,
    _open: Arc<()>,
}

async fn accept(listener: TcpListener, way: Way) {
    // Its connections end with it.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((client, _)) = accepted {
                connections.spawn(connect(client, way.clone()));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Whoever stands on either side sees the end of the connection, and there is nothing else to tell.
async fn connect(mut client: TcpStream, mut way: Way) -> io::Result<()> {
    let target = *way.target.borrow();
    let mut server = TcpStream::connect(target).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let broke = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let requests = carry(from_client, to_server, way.clone(), |weather| weather.requests);
        let answers = carry(from_server, to_client, way.clone(), |weather| weather.answers);
        tokio::select! {
            _ = way.weather.wait_for(|weather| weather.broken) => true,
            _ = async { tokio::join!(requests, answers) } => false,
        }
    };
    if broke {
        way.hindered.store(true, Ordering::Relaxed);
        client.set_zero_linger()?;
        server.set_zero_linger()?;
    }
    Ok(())
}

/// Each direction ends by itself: what was sent arrives even if the sender waits for no answer any more.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut way: Way,
    flow: fn(&Weather) -> Flow,
) {
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = from.read(&mut chunk).await.unwrap_or(0);
        if flow(&way.weather.borrow()) != Flow::Open {
            way.hindered.store(true, Ordering::Relaxed);
        }
        let passes = way.weather.wait_for(|weather| flow(weather) != Flow::Stalled).await;
        let Ok(flow) = passes.map(|weather| flow(&weather)) else { return };
        let sent = match flow {
            _ if read == 0 => break,
            Flow::Slow => trickle(&mut to, &chunk[..read]).await,
            _ => to.write_all(&chunk[..read]).await,
        };
        if sent.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}

async fn trickle(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    for piece in bytes.chunks(SLOW_PIECE) {
        sleep(SLOW_BY).await;
        to.write_all(piece).await?;
    }
    Ok(())
}
