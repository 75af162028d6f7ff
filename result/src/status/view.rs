//! Where a vote is, in words.

use std::collections::BTreeMap;
use std::time::Duration;

use common::health::Part;
use common::language::Language;
use common::moment::Moment;
use common::phrases::{Phrases, StatusPhrases, fill};
use common::presence::Replica;
use serde::Serialize;
use tokio::time::Instant;

use super::findings::{Hop, State};
use super::words::{advice, done_lately, facts, lasts, sentence};
use super::{Finding, Status};
use crate::Board;

/// What the page and the programs are told.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    as_of: Moment,
    poll: String,
    /// That of the hop that is worst off.
    pub(crate) state: State,
    pub(crate) summary: String,
    pub(crate) hops: Vec<HopView>,
    answered_by: String,
}

/// One hop.
#[derive(Debug, Serialize)]
pub(crate) struct HopView {
    /// What the service is called in every deployment.
    pub(crate) name: &'static str,
    pub(crate) does: &'static str,
    pub(crate) state: State,
    #[serde(skip)]
    pub(crate) state_word: &'static str,
    pub(crate) facts: Vec<String>,
    /// The same as numbers.
    figures: BTreeMap<&'static str, u64>,
    /// What is wrong, if anything is.
    pub(crate) trouble: Option<String>,
    pub(crate) lasts: Option<String>,
    lasts_seconds: Option<u64>,
    pub(crate) advice: Option<String>,
    pub(crate) commands: Vec<String>,
    pub(crate) replicas: Vec<ReplicaView>,
}

/// One replica of a service.
#[derive(Debug, Serialize)]
pub(crate) struct ReplicaView {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) state: State,
    /// What it did and for how long, what it lacks, whether it stops.
    pub(crate) facts: Vec<String>,
}

/// Whom the words are about, and for whom they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tongue<'a> {
    pub(super) board: &'a Board,
    pub(super) say: &'static StatusPhrases,
    pub(super) plain: &'static Phrases,
}

impl Tongue<'_> {
    pub(super) fn language(self) -> Language {
        self.say.language
    }

    /// What a hop is called.
    pub(super) fn name(self, hop: Hop) -> &'static str {
        match hop {
            Hop::Vote => "vote",
            Hop::Worker => "worker",
            Hop::Result => "result",
            Hop::Queue if self.board.embedded => "queue",
            Hop::Ledger if self.board.embedded => "ledger",
            Hop::Queue => "redis",
            Hop::Ledger => "db",
        }
    }

    /// The product that a part is made of.
    pub(super) fn store(self, part: Part) -> &'static str {
        match part {
            _ if self.board.embedded => "SQLite",
            Part::Queue => "Redis",
            Part::Ledger => "PostgreSQL",
        }
    }
}

impl View {
    /// What is known now, in this language.
    pub(crate) fn of(board: &Board, status: &Status, language: Language) -> Self {
        let tongue = Tongue { board, say: StatusPhrases::of(language), plain: Phrases::of(language) };
        let worst = status.findings.iter().map(|finding| finding.state).max();
        Self {
            as_of: Moment::now(),
            poll: board.poll.id.to_string(),
            state: worst.unwrap_or(State::Unknown),
            summary: summary(worst, status, tongue),
            hops: status.findings.iter().map(|finding| hop(finding, status, tongue)).collect(),
            answered_by: board.presence.name().to_owned(),
        }
    }
}

fn summary(worst: Option<State>, status: &Status, tongue: Tongue<'_>) -> String {
    let say = tongue.say;
    let phrase = match worst {
        None | Some(State::Unknown) => say.not_read_yet,
        Some(State::Well) => say.all_well,
        Some(State::Doubtful) => say.look_at,
        Some(State::Broken) => say.broken_at,
    };
    let hops = status.findings.iter().filter(|finding| Some(finding.state) == worst);
    let names: Vec<&str> = hops.map(|finding| tongue.name(finding.hop)).collect();
    fill(phrase, "hops", &names.join(", "))
}

fn hop(finding: &Finding, status: &Status, tongue: Tongue<'_>) -> HopView {
    let (say, hop) = (tongue.say, finding.hop);
    let trouble = finding.trouble.as_ref();
    let since = trouble.map(|_| finding.lasts(Instant::now()));
    let (facts, figures) = facts(hop, &status.reading, tongue);
    let (advice, commands) = trouble.map_or((None, Vec::new()), |trouble| advice(hop, trouble, tongue));
    HopView {
        name: tongue.name(hop),
        does: match hop {
            Hop::Vote => say.takes,
            Hop::Queue => say.keeps,
            Hop::Worker => say.counts,
            Hop::Ledger => say.holds,
            Hop::Result => say.shows,
        },
        state: finding.state,
        state_word: word(finding.state, say),
        facts,
        figures,
        trouble: trouble.map(|trouble| sentence(hop, trouble, tongue)),
        lasts: trouble.zip(since).and_then(|(trouble, since)| lasts(trouble, since, tongue)),
        lasts_seconds: since.map(|since| since.as_secs()),
        advice,
        commands,
        replicas: replicas(hop, status, tongue),
    }
}

fn word(state: State, say: &StatusPhrases) -> &'static str {
    match state {
        State::Well => say.well,
        State::Doubtful => say.doubtful,
        State::Broken => say.broken,
        State::Unknown => say.unknown,
    }
}

fn replicas(hop: Hop, status: &Status, tongue: Tongue<'_>) -> Vec<ReplicaView> {
    let (Some(queue), Some(kind)) = (&status.reading.queue, hop.kind()) else { return Vec::new() };
    let all = done_lately(&queue.there(kind).collect::<Vec<_>>());
    queue.of(kind).map(|one| replica(one, all, tongue)).collect()
}

fn replica(replica: &Replica, all: u64, tongue: Tongue<'_>) -> ReplicaView {
    let (say, said) = (tongue.say, &replica.announcement);
    let time = |phrase, time: Duration| fill(phrase, "time", &tongue.language().duration(time));
    let mut facts = vec![fill(say.version, "version", &said.version)];
    let mut state = State::Well;
    if replica.is_silent() {
        facts.push(time(say.silent, replica.heard));
        state = State::Broken;
    } else {
        facts.push(time(say.running, Duration::from_millis(said.running_ms)));
        facts.extend(said.leaving.then(|| say.leaving.to_owned()));
        for part in &said.lacks {
            facts.push(fill(say.lacks, "store", tongue.store(*part)));
            state = State::Doubtful;
        }
        if let Some(viewers) = said.viewers {
            facts.push(tongue.language().count(say.viewers, viewers));
        } else if all > 0 {
            let share = said.lately as f64 / all as f64;
            facts.push(fill(say.share, "share", &tongue.language().percent(share)));
        }
    }
    ReplicaView { name: said.name.clone(), version: said.version.clone(), state, facts }
}
