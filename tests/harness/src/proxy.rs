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

/// Larger than any of our messages, so that a stall holds back whole messages.
const CHUNK: usize = 16 * 1024;

/// The delay of each piece, as on a bad radio link. A dozen of them make an answer late, not lost.
const SLOW_BY: Duration = Duration::from_millis(60);

/// Messages are cut into pieces of this size, so that one read is not one message.
const SLOW_PIECE: usize = 512;

/// How bytes pass in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    #[default]
    Open,
    /// The bytes are held back, and delivered once the network heals, even if the sender gave up.
    Stalled,
    Slow,
}

/// The condition of a network link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    pub requests: Flow,
    pub answers: Flow,
    /// Every connection is reset, including new ones.
    pub broken: bool,
}

/// A network link to an address. Dropping it cuts all connections.
pub struct Proxy {
    pub address: SocketAddr,
    target: watch::Sender<SocketAddr>,
    conditions: watch::Sender<Conditions>,
    hindered: Arc<AtomicBool>,
    /// Counts its holders: the proxy, its task, and each connection.
    open: Arc<()>,
    task: AbortHandle,
}

impl Proxy {
    pub async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("the address of our listener");
        let (target, conditions) = (watch::Sender::new(target), watch::Sender::default());
        let (hindered, open) = (Arc::default(), Arc::new(()));
        let way = Way {
            target: target.subscribe(),
            conditions: conditions.subscribe(),
            hindered: Arc::clone(&hindered),
            _open: open.clone(),
        };
        let task = tokio::spawn(accept(listener, way));
        Self { address, target, conditions, hindered, open, task: task.abort_handle() }
    }

    /// Leads new connections to another address, such as that of a restarted replica.
    pub fn lead_to(&self, target: SocketAddr) {
        self.target.send_replace(target);
    }

    pub fn set(&self, conditions: Conditions) {
        self.conditions.send_replace(conditions);
    }

    /// Whether the conditions ever affected a connection.
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

/// What each connection needs to know of its proxy.
#[derive(Clone)]
struct Way {
    target: watch::Receiver<SocketAddr>,
    conditions: watch::Receiver<Conditions>,
    hindered: Arc<AtomicBool>,
    _open: Arc<()>,
}

async fn accept(listener: TcpListener, way: Way) {
    // Dropping the set ends its connections.
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

/// An error needs no report: both sides see that the connection ended.
async fn connect(mut client: TcpStream, mut way: Way) -> io::Result<()> {
    let target = *way.target.borrow();
    let mut server = TcpStream::connect(target).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let broke = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let requests = carry(from_client, to_server, way.clone(), |conditions| conditions.requests);
        let answers = carry(from_server, to_client, way.clone(), |conditions| conditions.answers);
        tokio::select! {
            _ = way.conditions.wait_for(|conditions| conditions.broken) => true,
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

/// Each direction ends by itself, so bytes arrive even if their sender no longer waits for an answer.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut way: Way,
    flow: fn(&Conditions) -> Flow,
) {
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = from.read(&mut chunk).await.unwrap_or(0);
        if flow(&way.conditions.borrow()) != Flow::Open {
            way.hindered.store(true, Ordering::Relaxed);
        }
        let passes = way.conditions.wait_for(|conditions| flow(conditions) != Flow::Stalled).await;
        let Ok(flow) = passes.map(|conditions| flow(&conditions)) else { return };
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
