//! The picture of the map in one language. The server draws it: the page as it is loaded and
//! every later message are the same picture.

mod replica;

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use ::status::{Hop, HopState};
use askama::Template;
use presence::Kind;
use service::Store;
use web::Language;

use self::replica::{Card, cards};
use super::Scene;
use super::phrases::{Phrases, say};
use crate::Config;
use crate::status::{Line, Wording, lines, state_class, state_word, summary};

/// Above this rate nobody can count the dots, so the edge shows a stream.
const DOTS_MAX: u64 = 10;

/// The pile in front of the queue grows up to this many dots. The number beside it goes on.
const PILE_MAX: u64 = 24;

/// With more replicas than this, a card shows less. With many more, it shows its name and state only.
const ROOMY_MAX: usize = 12;
const DENSE_MAX: usize = 30;

/// A node that has become empty keeps its place for this long.
const EMPTY_NODE_SHOWN_FOR: Duration = Duration::from_secs(60);

/// What the map shows.
#[derive(Template)]
#[template(path = "map_picture.html")]
pub(super) struct Picture {
    say: &'static Phrases,
    summary: String,
    class: &'static str,
    /// Since when the picture is not up to date, if it is not.
    stale: Option<String>,
    density: &'static str,
    /// Whether no node is known, so that there is one band without a name.
    is_one_place: bool,
    stages: Vec<Stage>,
    bands: Vec<Band>,
    cards: Vec<Card>,
    events: Vec<Line>,
}

/// A hop of a vote, and what flows from it to the next one.
struct Stage {
    name: &'static str,
    class: &'static str,
    word: &'static str,
    facts: Vec<String>,
    /// What flows on from it. The last hop has none.
    edge: Option<Edge>,
}

struct Edge {
    /// How many dots pass in a second; more than `DOTS_MAX` are a stream.
    dots: u64,
    rate: String,
    /// How many dots lie in front of the next hop.
    pile: u64,
}

/// The replicas on one node.
struct Band {
    node: String,
    cells: [Vec<Card>; 3],
}

impl Picture {
    pub(super) fn of(config: &Config, scene: &Scene, language: Language) -> Self {
        let wording = Wording::of(config, language);
        let cards = cards(scene, wording);
        let bands = bands(scene, &cards, language);
        Self {
            say: say(language),
            summary: summary(&scene.diagnosis, wording),
            class: state_class(scene.diagnosis.state()),
            stale: stale(scene, wording),
            density: density(cards.len()),
            stages: Hop::ALL.map(|hop| stage(hop, scene, wording)).into(),
            is_one_place: bands.iter().all(|band| band.node.is_empty()),
            bands,
            cards,
            events: lines(&scene.diagnosis, wording),
        }
    }
}

fn density(cards: usize) -> &'static str {
    match () {
        () if cards <= ROOMY_MAX => "roomy",
        () if cards <= DENSE_MAX => "dense",
        () => "denser",
    }
}

/// Without the queue, nobody announces anything.
fn stale(scene: &Scene, wording: Wording<'_>) -> Option<String> {
    let is_away = scene.diagnosis.reading.at.is_some() && scene.diagnosis.reading.queue.is_none();
    let read = scene.diagnosis.reading.history.at.filter(|_| is_away)?;
    let ago = SystemTime::now().duration_since(read).unwrap_or_default();
    let phrase = wording.store(say(wording.language).stale, Store::Queue);
    Some(wording.time(&phrase, ago))
}

fn stage(hop: Hop, scene: &Scene, wording: Wording<'_>) -> Stage {
    let finding = scene.diagnosis.findings.iter().find(|finding| finding.hop == hop);
    let state = finding.map_or(HopState::Unknown, |finding| finding.state);
    Stage {
        name: wording.name(hop),
        class: state_class(state),
        word: state_word(state, wording.say),
        facts: facts(hop, scene, wording),
        edge: edge(hop, scene, wording.language),
    }
}

fn facts(hop: Hop, scene: &Scene, wording: Wording<'_>) -> Vec<String> {
    let (say, language, queue) = (say(wording.language), wording.language, &scene.queue);
    if let Some(kind) = hop.kind() {
        return vec![language.count(say.replicas, queue.running(kind).count() as u64)];
    }
    if hop == Hop::Ledger {
        let total = scene.diagnosis.reading.ledger.total;
        return total.iter().map(|total| language.count(say.counted, total.unsigned_abs())).collect();
    }
    let waiting = queue.depth.uncounted();
    let oldest = queue.depth.oldest.filter(|_| queue.held_up().is_some());
    let mut facts = vec![language.count(say.waits, waiting)];
    facts.extend(oldest.map(|oldest| language.duration(oldest)));
    facts.extend((queue.depth.dead > 0).then(|| language.count(say.dead, queue.depth.dead)));
    facts
}

fn edge(hop: Hop, scene: &Scene, language: Language) -> Option<Edge> {
    let votes = match hop {
        Hop::Vote => scene.flow.recorded,
        Hop::Queue | Hop::Worker | Hop::Ledger => scene.flow.counted,
        Hop::Result => return None,
    };
    // Every vote waits for a moment. Only those that wait longer pile up in front of the queue.
    let held_up = scene.queue.held_up().filter(|_| hop == Hop::Vote);
    let pile = held_up.unwrap_or(0).min(PILE_MAX);
    // A vote every few seconds is still a dot.
    Some(Edge { dots: votes.ceil() as u64, rate: rate(votes, language), pile })
}

fn rate(votes: f64, language: Language) -> String {
    web::fill(say(language).a_second, "votes", &language.decimal(votes))
}

/// One band for each node. Without known nodes there is one band, which has no name.
fn bands(scene: &Scene, cards: &[Card], language: Language) -> Vec<Band> {
    let lately = scene.diagnosis.reading.history.nodes_within(EMPTY_NODE_SHOWN_FOR).map(Some);
    let nodes: BTreeSet<Option<&str>> = cards.iter().map(|card| card.node.as_deref()).chain(lately).collect();
    let is_known = nodes.iter().any(Option::is_some);
    let cell = |node: &Option<&str>, kind| {
        cards.iter().filter(|card| card.node.as_deref() == *node && card.kind == kind).cloned().collect()
    };
    let band = |node: &Option<&str>| Band {
        node: node.unwrap_or(if is_known { say(language).no_node } else { "" }).to_owned(),
        cells: Kind::ALL.map(|kind| cell(node, kind)),
    };
    nodes.iter().map(band).collect()
}
