//! The report: the diagnosis in words, for the page and for programs.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use presence::{Announcement, Replica};
use status::report::{EventReport, HopReport, ReplicaReport, Report};
use status::{Diagnosis, Finding, Hop, HopState, ReplicaState};
use web::{Language, Moment, fill};

use super::advice::advice;
use super::events::{Line, lines};
use super::text::{done_lately, facts, lasts, sentence};
use super::wording::Wording;
use crate::Config;

/// The report of this diagnosis, in this language.
pub(super) fn report(config: &Config, diagnosis: &Diagnosis, language: Language) -> Report {
    let wording = Wording::of(config, language);
    Report {
        as_of: diagnosis.reading.at.map_or_else(Moment::now, Moment::at).to_string(),
        poll: config.poll.id.to_string(),
        state: diagnosis.state(),
        summary: summary(diagnosis, wording),
        hops: diagnosis.findings.iter().map(|finding| hop(finding, diagnosis, wording)).collect(),
        events: lines(diagnosis, wording).into_iter().map(event).collect(),
        answered_by: config.presence.name().to_owned(),
    }
}

fn event(line: Line) -> EventReport {
    EventReport { at: line.at.to_string(), text: line.text }
}

/// The worst state in a sentence.
pub(crate) fn summary(diagnosis: &Diagnosis, wording: Wording<'_>) -> String {
    let state = diagnosis.state();
    let phrase = match state {
        HopState::Unknown => wording.say.not_read_yet,
        HopState::Well => wording.say.all_well,
        HopState::Doubtful => wording.say.look_at,
        HopState::Broken => wording.say.broken_at,
    };
    let hops = diagnosis.findings.iter().filter(|finding| finding.state == state);
    let names: Vec<&str> = hops.map(|finding| wording.name(finding.hop)).collect();
    fill(phrase, "hops", &names.join(", "))
}

/// The class of a state on a page.
pub(crate) fn state_class(state: HopState) -> &'static str {
    match state {
        HopState::Well => "well",
        HopState::Doubtful => "doubtful",
        HopState::Broken => "broken",
        HopState::Unknown => "unknown",
    }
}

fn hop(finding: &Finding, diagnosis: &Diagnosis, wording: Wording<'_>) -> HopReport {
    let (hop, problem) = (finding.hop, finding.problem.as_ref());
    let since = problem.map(|_| finding.lasts(Instant::now()));
    let (facts, figures) = facts(hop, &diagnosis.reading, wording);
    let (advice, commands) = problem.map(|problem| advice(hop, problem, wording)).unwrap_or_default();
    HopReport {
        name: wording.name(hop).to_owned(),
        does: wording.does(hop).to_owned(),
        state: finding.state,
        facts,
        figures,
        trouble: problem.map(|problem| sentence(hop, problem, wording)),
        lasts: problem.zip(since).and_then(|(problem, since)| lasts(problem, since, wording)),
        lasts_seconds: since.map(|since| since.as_secs()),
        advice,
        commands,
        replicas: replicas(hop, diagnosis, wording),
    }
}

fn replicas(hop: Hop, diagnosis: &Diagnosis, wording: Wording<'_>) -> Vec<ReplicaReport> {
    let (Some(queue), Some(kind)) = (&diagnosis.reading.queue, hop.kind()) else { return Vec::new() };
    let all = done_lately(queue.running(kind));
    queue.of(kind).map(|one| replica(one, all, wording)).collect()
}

fn replica(replica: &Replica, all: u64, wording: Wording<'_>) -> ReplicaReport {
    let (say, said, language) = (wording.say, &replica.announcement, wording.language);
    let mut facts = vec![fill(say.version, "version", &said.release)];
    facts.extend(said.node.as_ref().map(|node| fill(say.on_node, "node", node)));
    facts.extend(said.fault.as_ref().map(|fault| fill(say.fault, "fault", fault)));
    if replica.is_silent() {
        facts.push(wording.time(say.silent, replica.heard));
    } else {
        facts.push(wording.time(say.running, Duration::from_millis(said.running_ms)));
        facts.extend(said.leaving.then(|| say.leaving.to_owned()));
        facts.extend(said.lacks.iter().map(|store| wording.store(say.lacks, *store)));
        facts.extend(said.has_warnings.then(|| say.warns.to_owned()));
        if let Some(viewers) = said.viewers {
            facts.push(language.count(say.viewers, viewers));
        } else if all > 0 {
            let share = said.lately as f64 / all as f64;
            facts.push(fill(say.share, "share", &language.percent(share)));
        }
    }
    let (name, version) = (said.name.clone(), said.release.clone());
    let (node, fault) = (said.node.clone(), said.fault.clone());
    let state = ReplicaState::of(replica).into();
    ReplicaReport { name, version, node, fault, state, facts, figures: figures_of(said) }
}

fn figures_of(said: &Announcement) -> BTreeMap<String, u64> {
    let known = [("running_seconds", said.running_ms / 1000), ("lately", said.lately)];
    let viewers = said.viewers.map(|viewers| ("viewers", viewers));
    known.into_iter().chain(viewers).map(|(name, number)| (name.to_owned(), number)).collect()
}
