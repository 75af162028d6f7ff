//! The cards of the replicas.

use std::time::Duration;

use presence::{Kind, LATELY, Replica};
use status::{ReplicaState, Who};

use super::super::Scene;
use super::super::phrases::say;
use super::rate;
use crate::status::Wording;

/// A replica that has left fades for this long. The animation in map.css takes as long.
const GONE_SHOWN_FOR: Duration = Duration::from_secs(8);

/// More cards would not fit a screen, nor the buffer of a viewer.
const CARDS_MAX: usize = 120;

/// The length of the longest bar.
const BAR: u64 = 100;

/// One replica.
#[derive(Clone, Debug)]
pub(super) struct Card {
    pub(super) id: String,
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) node: Option<String>,
    pub(super) release: String,
    /// The class of the release's colour.
    pub(super) hue: String,
    pub(super) class: &'static str,
    pub(super) word: &'static str,
    pub(super) running: String,
    pub(super) rate: String,
    /// What it did, compared with the busiest replica of its kind.
    pub(super) bar: u64,
    pub(super) viewers: Option<String>,
    /// The fault that somebody has ordered.
    pub(super) fault: Option<String>,
}

/// All replicas, sorted by service and name, with those that have just left.
pub(super) fn cards(scene: &Scene, wording: Wording<'_>) -> Vec<Card> {
    let replicas = &scene.queue.replicas;
    let busiest = |kind| {
        let busy = replicas.iter().filter(move |replica| replica.announcement.kind == kind);
        busy.map(|replica| replica.announcement.lately).max().unwrap_or(0)
    };
    let card = |replica: &Replica| card(replica, busiest(replica.announcement.kind), wording);
    let is_back = |who: &Who| replicas.iter().any(|replica| Who::of(replica).is_namesake(who));
    let gone = scene.diagnosis.reading.history.just_left(GONE_SHOWN_FOR).filter(|who| !is_back(who));
    let gone = gone.map(|who| Card::of(who, "gone", say(wording.language).gone));
    let mut cards: Vec<Card> = replicas.iter().map(card).chain(gone).collect();
    cards.sort_by(|one, other| (one.kind as u8, &one.name).cmp(&(other.kind as u8, &other.name)));
    // How many there are is said beside the service's name.
    cards.truncate(CARDS_MAX);
    cards
}

fn card(replica: &Replica, busiest: u64, wording: Wording<'_>) -> Card {
    let (said, language) = (&replica.announcement, wording.language);
    let (class, word) = state(ReplicaState::of(replica), wording);
    let votes = said.lately as f64 / LATELY.as_secs_f64();
    Card {
        running: language.duration(Duration::from_millis(said.running_ms)),
        rate: if said.kind == Kind::Result { String::new() } else { rate(votes, language) },
        bar: said.lately.saturating_mul(BAR).checked_div(busiest).unwrap_or(0),
        viewers: said.viewers.map(|viewers| language.count(wording.say.viewers, viewers)),
        fault: said.fault.clone(),
        ..Card::of(&Who::of(replica), class, word)
    }
}

impl Card {
    /// The card of a replica of which no more is known.
    fn of(who: &Who, class: &'static str, word: &'static str) -> Self {
        Self {
            id: format!("replica-{}", who.id.simple()),
            kind: who.kind,
            name: who.name.clone(),
            node: who.node.clone(),
            release: who.release.clone(),
            hue: web::hue_of(&who.release),
            class,
            word,
            running: String::new(),
            rate: String::new(),
            bar: 0,
            viewers: None,
            fault: None,
        }
    }
}

/// A state as a class of the page and in a word.
fn state(state: ReplicaState, wording: Wording<'_>) -> (&'static str, &'static str) {
    let say = say(wording.language);
    match state {
        ReplicaState::Starting => ("starting", say.starting),
        ReplicaState::Well => ("well", wording.say.well),
        ReplicaState::Doubtful => ("doubtful", wording.say.doubtful),
        ReplicaState::Broken => ("broken", wording.say.broken),
        ReplicaState::Stopping => ("stopping", wording.say.leaving),
        ReplicaState::Silent => ("silent", say.silent),
    }
}
