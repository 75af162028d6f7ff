//! The audience: a viewer at each `result`, who watches by WebSocket while the faults strike.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::connect_async;

/// As on the page: a connection that is silent for this long is lost.
const SILENT_FOR: Duration = Duration::from_secs(12);

/// The pause before a viewer connects again. A page pauses for about as long.
const PAUSE: Duration = Duration::from_secs(1);

/// The viewers, and the screen of each.
pub struct Audience {
    screens: Vec<Arc<Screen>>,
    _viewers: JoinSet<()>,
}

/// The totals that a viewer was last shown.
#[derive(Default)]
pub struct Screen(Mutex<Value>);

impl Audience {
    /// Lets a viewer watch at each of these addresses, until the audience is dropped.
    pub fn at(doors: &[String]) -> Self {
        let screens: Vec<Arc<Screen>> = doors.iter().map(|_| Arc::default()).collect();
        let viewers = doors.iter().zip(screens.clone());
        let viewers = viewers.map(|(door, screen)| watch(door.replacen("http", "ws", 1) + "/ws", screen));
        Self { _viewers: viewers.collect(), screens }
    }

    /// The totals that each viewer sees now.
    pub fn sees(&self) -> Vec<Value> {
        self.screens.iter().map(|screen| screen.0.lock().expect("no viewer panics").clone()).collect()
    }
}

/// Watches for ever. Connects again when the connection is lost, as the page does.
async fn watch(url: String, screen: Arc<Screen>) {
    loop {
        if let Ok((mut socket, _)) = connect_async(&url).await {
            while let Ok(Some(Ok(message))) = timeout(SILENT_FOR, socket.next()).await {
                let update = message.to_text().ok().and_then(|text| serde_json::from_str(text).ok());
                update.into_iter().for_each(|update| screen.show(update));
            }
        }
        sleep(PAUSE).await;
    }
}

impl Screen {
    /// Shows an update, unless it is older than what is shown, as on the page.
    fn show(&self, update: Value) {
        let mut shown = self.0.lock().expect("no viewer panics");
        let is_behind =
            update["epoch"] == shown["epoch"] && update["version"].as_i64() < shown["version"].as_i64();
        if !is_behind {
            *shown = update;
        }
    }
}
