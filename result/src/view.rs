//! The totals as the page shows them: every number and sentence in the
//! reader's language. The first paint and every later message are the same
//! view, so they cannot differ.

use common::http;
use common::moment::Moment;
use common::phrases::{Phrases, fill, isolated};
use serde::Serialize;
use uuid::Uuid;

use crate::course::{Lately, Line};
use crate::pace::STRETCH;
use crate::snapshot::{Frame, OptionVotes, Snapshot};
use crate::{Board, SCRIPT};

/// A tie of more is told as a number.
const NAMED_IN_A_TIE: usize = 3;

/// The height of the curve, in its own units; it is one unit wide per stretch.
pub(crate) const CURVE_HEIGHT: f64 = 100.0;

/// What the page shows.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    /// A page of another edition loads itself anew.
    pub(crate) edition: String,
    epoch: Uuid,
    version: i64,
    /// When the ledger last confirmed this, if it ever did.
    pub(crate) as_of: Option<Moment>,
    pub(crate) freshness: Freshness,
    /// Who leads, in words.
    pub(crate) headline: String,
    pub(crate) total: String,
    pub(crate) options: Vec<OptionView>,
    /// What holds the votes up, hop by hop; empty while all is well.
    pub(crate) trouble: String,
    pub(crate) pace: String,
    pub(crate) curve: String,
    pub(crate) replica: String,
}

/// Whether the database answers. A page that has lost its server knows a
/// third state by itself.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Freshness {
    Live,
    Away,
}

/// One option.
#[derive(Debug, Serialize)]
pub(crate) struct OptionView {
    #[serde(skip)]
    pub(crate) key: String,
    #[serde(skip)]
    pub(crate) label: String,
    pub(crate) votes: String,
    pub(crate) share: String,
    /// The length of its bar, as SVG wants it.
    pub(crate) bar: String,
    pub(crate) leads: bool,
}

impl View {
    /// The newest totals as this replica tells them.
    pub(crate) fn of(board: &Board, newest: &Frame, say: &Phrases) -> Self {
        let Frame { snapshot: totals, lately, .. } = newest;
        let is_known = totals.as_of.is_some();
        let keys = totals.options.iter().map(|option| option.key.as_str());
        Self {
            edition: http::edition(&SCRIPT, board.poll.texts().chain(keys)),
            epoch: totals.epoch,
            version: totals.version,
            as_of: totals.as_of,
            freshness: if totals.live { Freshness::Live } else { Freshness::Away },
            headline: if is_known { headline(totals, say) } else { say.never_answered.to_owned() },
            total: if is_known { votes(totals.total, say) } else { String::new() },
            options: totals.options.iter().map(|option| option_view(option, totals, say)).collect(),
            trouble: trouble(totals, lately, say),
            pace: pace(&lately.pace, say),
            curve: curve(&lately.pace),
            replica: fill(say.answered_by, "replica", board.presence.name()),
        }
    }
}

fn headline(totals: &Snapshot, say: &Phrases) -> String {
    let mut ranked: Vec<&OptionVotes> = totals.options.iter().collect();
    ranked.sort_by_key(|option| std::cmp::Reverse(option.votes));
    let most = ranked.first().map_or(0, |option| option.votes);
    if most <= 0 {
        return say.no_votes.to_owned();
    }
    let first: Vec<&str> =
        ranked.iter().take_while(|option| option.votes == most).map(|option| &*option.label).collect();
    match first[..] {
        [label] => {
            let second = ranked.get(1).map_or(0, |option| option.votes);
            fill(&say.language.count(say.leads, (most - second).unsigned_abs()), "label", &isolated(label))
        }
        _ if first.len() > NAMED_IN_A_TIE => say.language.count(say.wide_tie, first.len() as u64),
        _ => {
            let labels: Vec<String> = first.into_iter().map(isolated).collect();
            fill(say.tie, "labels", &labels.join(", "))
        }
    }
}

fn votes(number: i64, say: &Phrases) -> String {
    say.language.count(say.votes, number.unsigned_abs())
}

fn option_view(option: &OptionVotes, totals: &Snapshot, say: &Phrases) -> OptionView {
    let all = totals.total;
    let share = if all > 0 { option.votes as f64 / all as f64 } else { 0.0 };
    let most = totals.options.iter().map(|option| option.votes).max();
    OptionView {
        key: option.key.clone(),
        label: option.label.clone(),
        votes: totals.as_of.map_or(String::new(), |_| votes(option.votes, say)),
        // Without votes there are no shares, not even equal ones.
        share: if all > 0 { say.language.percent(share) } else { String::new() },
        bar: format!("{:.2}%", share * 100.0),
        leads: option.votes > 0 && Some(option.votes) == most,
    }
}

fn trouble(totals: &Snapshot, lately: &Lately, say: &Phrases) -> String {
    let waiting = || match totals.waiting {
        Some(waiting) => say.language.count(say.waiting, waiting),
        None => say.queue_away.to_owned(),
    };
    match lately.line {
        Line::Moving => String::new(),
        Line::Waiting => waiting(),
        Line::Stuck => format!("{} {}", waiting(), say.stuck),
    }
}

/// Says nothing while it knows nothing.
fn pace(lately: &[Option<u64>], say: &Phrases) -> String {
    let per_second = |votes: u64| say.language.decimal(votes as f64 / STRETCH.as_secs_f64());
    let (Some(Some(now)), Some(Some(most))) = (lately.last(), lately.iter().max()) else {
        return String::new();
    };
    fill(&fill(say.pace_now, "now", &per_second(*now)), "most", &per_second(*most))
}

/// Areas as SVG draws them, from the past on the left to now on the right,
/// with gaps where nothing is known. Points on a level with both neighbours
/// are left out: they are most of a quiet curve.
fn curve(lately: &[Option<u64>]) -> String {
    let most = lately.iter().copied().flatten().max().unwrap_or(0).max(1) as f64;
    let is_level = |at: usize| {
        at > 0 && lately.get(at - 1..=at + 1).is_some_and(|near| near.iter().all(|one| *one == near[1]))
    };
    let mut path = String::new();
    let mut from = 0;
    for area in lately.chunk_by(|left, right| left.is_some() == right.is_some()) {
        let to = from + area.len() - 1;
        if area[0].is_some() {
            path += &format!("M{from} {CURVE_HEIGHT}");
            for at in (from..=to).filter(|at| !is_level(*at)) {
                let height = CURVE_HEIGHT * (1.0 - lately[at].unwrap_or(0) as f64 / most);
                path += &format!("L{at} {height:.0}");
            }
            path += &format!("L{to} {CURVE_HEIGHT}z");
        }
        from = to + 1;
    }
    path
}

#[cfg(test)]
mod tests {
    use common::language::Language;
    use common::poll::Poll;

    use super::*;

    fn said(votes: &[i64], language: Language) -> String {
        let mut totals = Snapshot::unknown(&Poll::load(None, [Some("A"), Some("B")]).unwrap());
        let option = |(at, votes): (usize, &i64)| OptionVotes {
            key: at.to_string(),
            label: ["A", "B", "C", "D"][at].to_owned(),
            votes: *votes,
        };
        totals.options = votes.iter().enumerate().map(option).collect();
        headline(&totals, Phrases::of(language)).replace(['\u{2068}', '\u{2069}'], "")
    }

    #[test]
    fn the_leader_or_a_tie_is_said_in_words() {
        let cases: [(&[i64], &str); 7] = [
            (&[0, 0], "No votes yet."),
            (&[1, 0], "A leads by 1 vote."),
            (&[1, 5], "B leads by 4 votes."),
            (&[5, 5], "A tie for first place: A, B."),
            (&[5, 1, 5, 5], "A tie for first place: A, C, D."),
            (&[5, 5, 5, 5], "A tie for first place: 4 options."),
            (&[1_500, 0], "A leads by 1,500 votes."),
        ];
        for (votes, expected) in cases {
            assert_eq!(said(votes, Language::English), expected);
        }
        assert_eq!(said(&[0, 22], Language::Russian), "B впереди на 22 голоса.");
    }

    #[test]
    fn the_curve_reaches_from_the_floor_to_its_highest_point_and_has_gaps() {
        let known = |votes: &[u64]| votes.iter().copied().map(Some).collect::<Vec<_>>();
        assert_eq!(curve(&known(&[0, 4, 1])), "M0 100L0 100L1 0L2 75L2 100z");
        assert_eq!(curve(&known(&[0, 0, 0, 0, 8, 8, 8, 0])), "M0 100L0 100L3 100L4 0L6 0L7 100L7 100z");
        assert_eq!(
            curve(&[None, Some(0), Some(2), None, None, Some(1)]),
            "M1 100L1 100L2 0L2 100zM5 100L5 50L5 100z"
        );
        assert_eq!(curve(&[None, None]), "");
    }
}
