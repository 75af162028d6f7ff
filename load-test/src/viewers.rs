//! The viewers, who watch the results over WebSockets.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::ensure;
use caller::Site;
use futures_util::StreamExt;
use serde::Deserialize;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_util::sync::CancellationToken;

use crate::latency::{Latency, Times};
use crate::lock::lock;

/// A viewer waits this long before connecting again.
const PAUSE: Duration = Duration::from_secs(1);

/// The size of a socket's buffers. A frame has some hundred bytes, and ten thousand viewers share
/// this machine's memory.
const BUFFER: usize = 2 * 1024;

/// The time between two viewers who connect. A rush of connections would be another test.
const SIT_DOWN_EVERY: Duration = Duration::from_millis(1);

/// A connection that is silent for this long is dead, as on the page: `result` sends to every
/// viewer at least every 5 s.
const SILENT_FOR: Duration = Duration::from_secs(12);

/// Longer than a frame takes to reach the last of ten thousand viewers.
const SHOWN_WITHIN: Duration = Duration::from_secs(5);

/// If no further viewer could connect for this long, none will.
const SEATED_WITHIN: Duration = Duration::from_secs(10);

/// What all viewers share.
pub(crate) struct Viewers {
    site: Site,
    pub(crate) seats: usize,
    connected: AtomicU64,
    frames: AtomicU64,
    lost_connections: AtomicU64,
    /// What the first viewer saw, and when.
    screen: Mutex<Vec<(Instant, i64)>>,
    /// When the first viewer saw each version, and when the last one did.
    spread: Mutex<BTreeMap<i64, (Instant, Instant)>>,
}

#[derive(Deserialize)]
struct Update {
    total: i64,
    version: i64,
}

impl Viewers {
    /// Lets this many viewers watch until the program ends.
    pub(crate) fn sit_down(site: &Site, seats: usize) -> Arc<Self> {
        let viewers = Arc::new(Self {
            site: site.clone(),
            seats,
            connected: AtomicU64::new(0),
            frames: AtomicU64::new(0),
            lost_connections: AtomicU64::new(0),
            screen: Mutex::default(),
            spread: Mutex::default(),
        });
        for seat in 0..seats {
            let viewers = viewers.clone();
            tokio::spawn(async move { viewers.watch(seat).await });
        }
        viewers
    }

    /// Waits until all viewers are connected.
    pub(crate) async fn all_seated(&self, stop: &CancellationToken) -> anyhow::Result<()> {
        let (mut most, mut since) = (0, Instant::now());
        while self.connected() < self.seats as u64 && !stop.is_cancelled() {
            if self.connected() > most {
                (most, since) = (self.connected(), Instant::now());
            }
            ensure!(
                since.elapsed() < SEATED_WITHIN,
                "only {most} of {} viewers could connect to {} (a limit of open files? see ulimit -n)",
                self.seats,
                self.site
            );
            sleep(SIT_DOWN_EVERY).await;
        }
        Ok(())
    }

    pub(crate) fn connected(&self) -> u64 {
        self.connected.load(Ordering::Relaxed)
    }

    pub(crate) fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    /// How often any viewer lost the connection.
    pub(crate) fn lost_connections(&self) -> u64 {
        self.lost_connections.load(Ordering::Relaxed)
    }

    /// Watches for ever. Connects again when the connection is lost.
    async fn watch(&self, seat: usize) {
        sleep(SIT_DOWN_EVERY * u32::try_from(seat).unwrap_or(u32::MAX)).await;
        loop {
            if self.look(seat).await.is_ok() {
                self.lost_connections.fetch_add(1, Ordering::Relaxed);
            }
            sleep(PAUSE).await;
        }
    }

    /// Watches over one connection. Fails if it could not be opened.
    async fn look(&self, seat: usize) -> anyhow::Result<()> {
        let config = WebSocketConfig::default().read_buffer_size(BUFFER).write_buffer_size(BUFFER);
        let stream = self.site.connect().await?;
        let shaken = client_async_with_config(self.site.socket("/ws"), stream, Some(config));
        let (mut socket, _) = timeout(SILENT_FOR, shaken).await??;
        self.connected.fetch_add(1, Ordering::Relaxed);
        let mut version = None;
        while let Ok(Some(Ok(message))) = timeout(SILENT_FOR, socket.next()).await {
            if let Message::Text(text) = message
                && let Ok(frame) = serde_json::from_str::<Update>(&text)
            {
                self.see(seat, &frame, version.replace(frame.version));
            }
        }
        self.connected.fetch_sub(1, Ordering::Relaxed);
        Ok(())
    }

    /// Notes what a viewer sees. A viewer who is behind skips versions, and sees them with the next
    /// one. The first frame of a connection does not count, because it is older than the connection.
    /// A frame that is sent again does not count either.
    fn see(&self, seat: usize, frame: &Update, former: Option<i64>) {
        let now = Instant::now();
        self.frames.fetch_add(1, Ordering::Relaxed);
        if seat == 0 {
            lock(&self.screen).push((now, frame.total));
        }
        if let Some(former) = former.filter(|former| *former < frame.version) {
            let mut spread = lock(&self.spread);
            spread.entry(frame.version).or_insert((now, now));
            for (_, (_, last)) in spread.range_mut(former + 1..=frame.version) {
                *last = now;
            }
        }
    }

    /// Waits until the first viewer sees this total, but not for ever.
    pub(crate) async fn see_total(&self, total: i64) {
        let began = Instant::now();
        while self.seats > 0 && lock(&self.screen).last().is_none_or(|(_, shown)| *shown != total) {
            if began.elapsed() > SHOWN_WITHIN {
                return;
            }
            sleep(SIT_DOWN_EVERY).await;
        }
    }

    /// The time from when a vote was due until the first viewer saw it.
    ///
    /// A frame does not say whose votes are in it. When the total has grown by n, this assumes that
    /// the n oldest first votes are the ones on the screen. If votes overtake each other, their
    /// latencies are exchanged: the mean stays the same, but the slowest votes seem faster.
    pub(crate) fn vote_to_screen(&self, before: i64, first_votes: &[Instant]) -> Option<Latency> {
        let mut first_votes = first_votes.to_vec();
        first_votes.sort_unstable();
        let (mut latencies, mut shown) = (Times::default(), 0);
        for (at, total) in lock(&self.screen).iter() {
            let grown = usize::try_from(total - before).unwrap_or(0).min(first_votes.len());
            for sent in first_votes.get(shown..grown).unwrap_or_default() {
                latencies.add(at.saturating_duration_since(*sent));
            }
            shown = shown.max(grown);
        }
        Latency::of(&latencies)
    }

    /// The time from when the first viewer saw a frame until the last one did, over all frames.
    pub(crate) fn first_to_last_screen(&self) -> Option<Latency> {
        let mut spreads = Times::default();
        for (first, last) in lock(&self.spread).values() {
            spreads.add(*last - *first);
        }
        Latency::of(&spreads)
    }
}
