//! The picture of the map in one language. The server draws it: the page as it is loaded and
//! every later message are the same picture.

mod replica;

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use ::status::{Hop, HopState};
use askama::Template;
use presence::Kind;
use web::Language;

use self::replica::{Card, cards};
use super::Sight;
use super::phrases::{Phrases, say};
use crate::Config;
use crate::status::{Line, Wording, lines, state_class, state_word, summary};

/// Above this rate nobody can count the dots, so the edge shows a stream.
const DOTS_MAX: u64 = 10;

/// The pile in front of the queue grows up to this many dots. The number beside it goes on.
const PILE_MAX: u64 = 24;

/// A vote that waits for so long is held up.
const HELD_UP_FROM: Duration = Duration::from_secs(2);

/// With more replicas than this, a card shows less. With many more, it shows its name and state only.
const ROOMY_MAX: usize = 12;
const DENSE_MAX: usize = 30;

/// A node that has become empty keeps its place for this long.
const EMPTY_NODE_SHOWN_FOR: Duration = Duration::from_secs(60);

/// What the map shows.
#[derive(Template)]
#[template(path = "map_picture.html")]
pub(super) struct Picture {
    pub(super) say: &'static Phrases,
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
    pub(super) fn of(config: &Config, sight: &Sight, language: Language) -> Self {
        let wording = Wording::of(config, language);
        let cards = cards(sight, language);
        let bands = bands(sight, &cards, language);
        Self {
            say: say(language),
            summary: summary(&sight.diagnosis, wording),
            class: state_class(sight.diagnosis.state()),
            stale: stale(sight, wording),
            density: density(cards.len()),
            stages: Hop::ALL.map(|hop| stage(hop, sight, wording)).into(),
            is_one_place: bands.iter().all(|band| band.node.is_empty()),
            bands,
            cards,
            events: lines(&sight.diagnosis, wording),
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
fn stale(sight: &Sight, wording: Wording<'_>) -> Option<String> {
    let is_away = sight.diagnosis.reading.at.is_some() && sight.diagnosis.reading.queue.is_none();
    let read = sight.diagnosis.reading.history.at.filter(|_| is_away)?;
    let ago = SystemTime::now().duration_since(read).unwrap_or_default();
    Some(wording.time(say(wording.language).stale, ago))
}

fn stage(hop: Hop, sight: &Sight, wording: Wording<'_>) -> Stage {
    let finding = sight.diagnosis.findings.iter().find(|finding| finding.hop == hop);
    let state = finding.map_or(HopState::Unknown, |finding| finding.state);
    Stage {
        name: wording.name(hop),
        class: state_class(state),
        word: state_word(state, wording.say),
        facts: facts(hop, sight, wording),
        edge: edge(hop, sight, wording.language),
    }
}

fn facts(hop: Hop, sight: &Sight, wording: Wording<'_>) -> Vec<String> {
    let (say, language, queue) = (say(wording.language), wording.language, &sight.queue);
    if let Some(kind) = hop.kind() {
        return vec![language.count(say.replicas, queue.running(kind).count() as u64)];
    }
    if hop == Hop::Ledger {
        let total = sight.diagnosis.reading.ledger.total;
        return total.iter().map(|total| language.count(say.counted, total.unsigned_abs())).collect();
    }
    let waiting = queue.depth.uncounted();
    let oldest = queue.depth.oldest.filter(|_| held_up(sight));
    let mut facts = vec![language.count(say.waits, waiting)];
    facts.extend(oldest.map(|oldest| language.duration(oldest)));
    facts.extend((queue.depth.dead > 0).then(|| language.count(say.dead, queue.depth.dead)));
    facts
}

fn held_up(sight: &Sight) -> bool {
    sight.queue.depth.oldest.is_some_and(|oldest| oldest >= HELD_UP_FROM)
}

fn edge(hop: Hop, sight: &Sight, language: Language) -> Option<Edge> {
    let votes = match hop {
        Hop::Vote => sight.flow.recorded,
        Hop::Queue | Hop::Worker | Hop::Ledger => sight.flow.counted,
        Hop::Result => return None,
    };
    // Every vote waits for a moment. Only those that wait longer pile up in front of the queue.
    let piles_up = hop == Hop::Vote && held_up(sight);
    let pile = if piles_up { sight.queue.depth.uncounted().min(PILE_MAX) } else { 0 };
    // A vote every few seconds is still a dot.
    Some(Edge { dots: votes.ceil() as u64, rate: rate(votes, language), pile })
}

fn rate(votes: f64, language: Language) -> String {
    web::fill(say(language).a_second, "votes", &language.decimal(votes))
}

/// One band for each node. Without known nodes there is one band, which has no name.
fn bands(sight: &Sight, cards: &[Card], language: Language) -> Vec<Band> {
    let history = &sight.diagnosis.reading.history;
    let lately = history.history.nodes_since(history.now_ms, EMPTY_NODE_SHOWN_FOR);
    let nodes: BTreeSet<Option<&str>> =
        cards.iter().map(|card| card.node.as_deref()).chain(lately.into_iter().map(Some)).collect();
    let is_known = nodes.iter().any(Option::is_some);
    let cell = |node: &Option<&str>, kind| {
        cards.iter().filter(|card| card.node.as_deref() == *node && card.kind == kind).cloned().collect()
    };
    let band = |node: &Option<&str>| Band {
        node: node.unwrap_or(if is_known { say(language).no_node } else { "" }).to_owned(),
        cells: [Kind::Vote, Kind::Worker, Kind::Result].map(|kind| cell(node, kind)),
    };
    nodes.iter().map(band).collect()
}
