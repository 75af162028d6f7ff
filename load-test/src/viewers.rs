//! The viewers, who watch the results over WebSockets.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::ensure;
use caller::Site;
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_util::sync::CancellationToken;

use crate::latency::{Latency, Times};

/// A viewer waits this long before connecting again.
const PAUSE: Duration = Duration::from_secs(1);

/// The size of a socket's buffers. An update has some hundred bytes, and ten thousand viewers share
/// this machine's memory.
const BUFFER: usize = 2 * 1024;

/// The time between two viewers who connect. A rush of connections would be another test.
const SIT_DOWN_EVERY: Duration = Duration::from_millis(1);

/// A connection that is silent for this long is dead, as on the page: `result` sends to every
/// viewer at least every 5 s.
const SILENT_FOR: Duration = Duration::from_secs(12);

/// Longer than an update takes to reach the last of ten thousand viewers.
const SHOWN_WITHIN: Duration = Duration::from_secs(5);

/// If no further viewer could connect for this long, none will.
const SEATED_WITHIN: Duration = Duration::from_secs(10);

/// What was measured of the results.
#[derive(Debug, Serialize, Deserialize)]
pub struct Screens {
    /// How many watched the results.
    pub viewers: usize,
    /// How many updates all viewers got together.
    pub updates: u64,
    /// How often a viewer lost the connection.
    pub lost_connections: u64,
    /// The time from when a vote was due until the first viewer saw it.
    pub vote_to_screen: Option<Latency>,
    /// The time from when the first viewer saw an update until the last one did.
    pub first_to_last_screen: Option<Latency>,
}

/// Everybody who watches the results.
pub(crate) struct Viewers {
    site: Site,
    seats: usize,
    seen: Mutex<Seen>,
}

/// What all viewers together have seen.
#[derive(Default)]
struct Seen {
    connected: u64,
    updates: u64,
    lost_connections: u64,
    /// What the first viewer saw, and when.
    screen: Vec<(Instant, i64)>,
    /// When the first viewer saw each version, and when the last one did.
    spread: BTreeMap<i64, (Instant, Instant)>,
}

#[derive(Deserialize)]
struct Update {
    total: i64,
    version: i64,
}

impl Viewers {
    /// Lets this many viewers watch until the program ends.
    pub(crate) fn sit_down(site: &Site, seats: usize) -> Arc<Self> {
        let viewers = Arc::new(Self { site: site.clone(), seats, seen: Mutex::default() });
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
        self.seen().connected
    }

    /// Waits until the first viewer sees this total, but not for ever.
    pub(crate) async fn see_total(&self, total: i64) {
        let began = Instant::now();
        while self.seats > 0 && self.seen().screen.last().is_none_or(|(_, shown)| *shown != total) {
            if began.elapsed() > SHOWN_WITHIN {
                return;
            }
            sleep(SIT_DOWN_EVERY).await;
        }
    }

    /// What was measured since the total was `before`, and these first votes were due.
    pub(crate) fn screens(&self, before: i64, first_votes: &[Instant]) -> Screens {
        let seen = self.seen();
        Screens {
            viewers: self.seats,
            updates: seen.updates,
            lost_connections: seen.lost_connections,
            vote_to_screen: seen.vote_to_screen(before, first_votes),
            first_to_last_screen: seen.first_to_last_screen(),
        }
    }

    /// Watches for ever. Connects again when the connection is lost.
    async fn watch(&self, seat: usize) {
        sleep(SIT_DOWN_EVERY * u32::try_from(seat).unwrap_or(u32::MAX)).await;
        loop {
            // Whoever cannot connect tries again, and `all_seated` says how many could not.
            let _ = self.look(seat).await;
            sleep(PAUSE).await;
        }
    }

    /// Watches over one connection. Fails if it could not be opened.
    async fn look(&self, seat: usize) -> anyhow::Result<()> {
        let config = WebSocketConfig::default().read_buffer_size(BUFFER).write_buffer_size(BUFFER);
        let stream = self.site.connect().await?;
        let shaken = client_async_with_config(self.site.socket("/ws"), stream, Some(config));
        let (mut socket, _) = timeout(SILENT_FOR, shaken).await??;
        self.seen().connected += 1;
        let mut version = None;
        while let Ok(Some(Ok(message))) = timeout(SILENT_FOR, socket.next()).await {
            if let Message::Text(text) = message
                && let Ok(update) = serde_json::from_str::<Update>(&text)
            {
                let (now, former) = (Instant::now(), version.replace(update.version));
                self.seen().note(now, seat, &update, former);
            }
        }
        let mut seen = self.seen();
        seen.connected -= 1;
        seen.lost_connections += 1;
        Ok(())
    }

    /// Nothing panics while it holds the lock. If something did, a number would be off by one.
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    /// Notes what a viewer sees. A viewer who is behind skips versions, and sees them with the next
    /// one. The first update of a connection does not count, because it is older than the
    /// connection. An update that is sent again does not count either.
    fn note(&mut self, now: Instant, seat: usize, update: &Update, former: Option<i64>) {
        self.updates += 1;
        if seat == 0 {
            self.screen.push((now, update.total));
        }
        if let Some(former) = former.filter(|former| *former < update.version) {
            self.spread.entry(update.version).or_insert((now, now));
            for (_, (_, last)) in self.spread.range_mut(former + 1..=update.version) {
                *last = now;
            }
        }
    }

    /// The time from when a vote was due until the first viewer saw it.
    ///
    /// An update does not say whose votes are in it. When the total has grown by n, this assumes
    /// that the n oldest first votes are the ones on the screen. If votes overtake each other, their
    /// latencies are exchanged: the mean stays the same, but the slowest votes seem faster.
    fn vote_to_screen(&self, before: i64, first_votes: &[Instant]) -> Option<Latency> {
        let mut first_votes = first_votes.to_vec();
        first_votes.sort_unstable();
        let (mut latencies, mut shown) = (Times::default(), 0);
        for (at, total) in &self.screen {
            let grown = usize::try_from(total - before).unwrap_or(0).min(first_votes.len());
            for sent in first_votes.get(shown..grown).unwrap_or_default() {
                latencies.add(at.saturating_duration_since(*sent));
            }
            shown = shown.max(grown);
        }
        Latency::of(&latencies)
    }

    /// The time from when the first viewer saw an update until the last one did, over all updates.
    fn first_to_last_screen(&self) -> Option<Latency> {
        let mut spreads = Times::default();
        for (first, last) in self.spread.values() {
            spreads.add(*last - *first);
        }
        Latency::of(&spreads)
    }
}
