//! The cards of the replicas.

use std::time::Duration;

use presence::{Kind, LATELY, Replica};
use status::Who;
use web::Language;

use super::super::Scene;
use super::super::phrases::{Phrases, say};
use super::rate;

/// A replica that does not reach its stores by then is broken.
const STARTING_FOR: Duration = Duration::from_secs(15);

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

/// The state of a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Starting,
    Well,
    Doubtful,
    Broken,
    Leaving,
    Silent,
    Gone,
}

/// All replicas, sorted by service and name, with those that have just left.
pub(super) fn cards(scene: &Scene, language: Language) -> Vec<Card> {
    let replicas = &scene.queue.replicas;
    let busiest = |kind| {
        let busy = replicas.iter().filter(move |replica| replica.announcement.kind == kind);
        busy.map(|replica| replica.announcement.lately).max().unwrap_or(0)
    };
    let card = |replica: &Replica| card(replica, busiest(replica.announcement.kind), language);
    let mut cards: Vec<Card> = replicas.iter().map(card).collect();
    let is_back = |who: &Who| cards.iter().any(|card| card.kind == who.kind && card.name == who.name);
    let gone = scene.diagnosis.reading.history.just_left(GONE_SHOWN_FOR).filter(|who| !is_back(who));
    let gone: Vec<Card> = gone.map(|who| gone_card(who, language)).collect();
    cards.extend(gone);
    cards.sort_by(|one, other| (one.kind as u8, &one.name).cmp(&(other.kind as u8, &other.name)));
    // How many there are is said beside the service's name.
    cards.truncate(CARDS_MAX);
    cards
}

fn gone_card(who: &Who, language: Language) -> Card {
    Card {
        id: format!("gone-{}", who.id.simple()),
        kind: who.kind,
        name: who.name.clone(),
        node: who.node.clone(),
        release: who.release.clone(),
        hue: web::hue_of(&who.release),
        class: State::Gone.class(),
        word: State::Gone.word(say(language)),
        running: String::new(),
        rate: String::new(),
        bar: 0,
        viewers: None,
        fault: None,
    }
}

fn card(replica: &Replica, busiest: u64, language: Language) -> Card {
    let (said, state) = (&replica.announcement, State::of(replica));
    let votes = said.lately as f64 / LATELY.as_secs_f64();
    Card {
        id: format!("replica-{}", replica.id.simple()),
        kind: said.kind,
        name: said.name.clone(),
        node: said.node.clone(),
        release: said.release.clone(),
        hue: web::hue_of(&said.release),
        class: state.class(),
        word: state.word(say(language)),
        running: language.duration(Duration::from_millis(said.running_ms)),
        rate: if said.kind == Kind::Result { String::new() } else { rate(votes, language) },
        bar: said.lately.saturating_mul(BAR).checked_div(busiest).unwrap_or(0),
        fault: said.fault.clone(),
        viewers: said.viewers.map(|viewers| language.count(say(language).watch, viewers)),
    }
}

impl State {
    fn of(replica: &Replica) -> Self {
        let said = &replica.announcement;
        let is_new = Duration::from_millis(said.running_ms) < STARTING_FOR;
        match () {
            () if replica.is_silent() => Self::Silent,
            () if said.leaving => Self::Leaving,
            () if !said.lacks.is_empty() && is_new => Self::Starting,
            () if !said.lacks.is_empty() => Self::Broken,
            () if said.has_warnings => Self::Doubtful,
            () => Self::Well,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Well => "well",
            Self::Doubtful => "doubtful",
            Self::Broken => "broken",
            Self::Leaving => "leaving",
            Self::Silent => "silent",
            Self::Gone => "gone",
        }
    }

    fn word(self, say: &Phrases) -> &'static str {
        match self {
            Self::Starting => say.starting,
            Self::Well => say.well,
            Self::Doubtful => say.doubtful,
            Self::Broken => say.broken,
            Self::Leaving => say.leaving,
            Self::Silent => say.silent,
            Self::Gone => say.gone,
        }
    }
}
