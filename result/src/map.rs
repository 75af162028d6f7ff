//! The map: what runs where, how votes flow, and what just happened. It shows what the
//! diagnosis is made of, so it asks the stores nothing.

mod flow;
mod page;
mod phrases;
mod picture;

use std::sync::{Arc, LazyLock, OnceLock};

use ::status::{Diagnosis, QueueReading};
use askama::Template;
use axum::extract::ws::Utf8Bytes;
use serde::Serialize;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use web::{Asset, BASE_STYLE, LOCAL_TIME, Language};

use self::flow::{Flow, FlowMeter};
pub(crate) use self::page::show;
use self::picture::Picture;
use crate::totals::json;
use crate::{Config, LIVE, MORPH, Newest};

/// The script that keeps the map up to date.
pub(crate) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::script("map.js", [LOCAL_TIME, LIVE, MORPH, include_str!("../assets/map.js")].concat())
});

/// The style of the map.
pub(crate) static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::style("map.css", [BASE_STYLE, include_str!("../assets/map.css")].concat()));

/// What the map shows at one moment.
#[derive(Debug, Default)]
pub(crate) struct Scene {
    diagnosis: Arc<Diagnosis>,
    /// What the queue says, or last said.
    queue: QueueReading,
    flow: Flow,
    /// The messages for pages. That of a language is made when somebody watches in it.
    messages: [OnceLock<Utf8Bytes>; Language::ALL.len()],
}

/// A message for the pages in one language.
#[derive(Serialize)]
struct MapMessage<'a> {
    edition: &'a str,
    map: String,
}

impl Scene {
    /// The map, as it is sent to a page that is open.
    pub(crate) fn message(&self, config: &Config, language: Language) -> Utf8Bytes {
        let made = || json(&MapMessage { edition: &edition(), map: self.drawn(config, language) });
        self.messages[language as usize].get_or_init(made).clone()
    }

    fn drawn(&self, config: &Config, language: Language) -> String {
        // A template of ours cannot fail.
        Picture::of(config, self, language).render().unwrap_or_default()
    }
}

/// The edition of the page: an open page of another edition loads itself again.
fn edition() -> String {
    web::edition(&SCRIPT, [STYLE.path()])
}

/// Draws a new map for each diagnosis until `shutdown`.
pub(crate) async fn run(
    config: &Config,
    newest: Newest,
    mut diagnosis: watch::Receiver<Arc<Diagnosis>>,
    scenes: watch::Sender<Arc<Scene>>,
    shutdown: &CancellationToken,
) {
    let mut meter = FlowMeter::default();
    let drawing = async {
        while diagnosis.changed().await.is_ok() {
            let diagnosis = diagnosis.borrow_and_update().clone();
            let former = scenes.borrow().clone();
            let queue = diagnosis.reading.queue.clone().unwrap_or_else(|| former.queue.clone());
            let flow = meter.note(&newest.borrow().totals, diagnosis.reading.queue.as_ref());
            let scene = Scene { diagnosis, queue, flow, messages: Default::default() };
            // What looks the same in one language looks the same in all.
            let in_english = |scene: &Scene| scene.message(config, Language::English);
            if in_english(&scene) != in_english(&former) {
                scenes.send_replace(Arc::new(scene));
            }
        }
    };
    shutdown.run_until_cancelled(drawing).await;
}
