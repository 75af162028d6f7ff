//! The totals as the page shows them: every number and sentence in the visitor's
//! language. The page as it is loaded and every later message use the same view, so
//! they cannot differ.

use ::status::Diagnosis;
use serde::Serialize;
use uuid::Uuid;
use web::{Language, Moment, Signature, fill, isolated};

use crate::pace::INTERVAL;
use crate::phrases::say;
use crate::totals::{OptionVotes, PollTotals};
use crate::{Config, SCRIPT, status};

/// A tie of up to this many options is told by their labels, and a larger one by its size.
const NAMED_IN_A_TIE: usize = 3;

/// The height of the curve, in units of the drawing. Each interval is one unit wide.
pub(crate) const CURVE_HEIGHT: f64 = 100.0;

/// What the results page shows.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    /// The edition of the page: an open page of another edition loads itself again.
    pub(crate) edition: String,
    epoch: Uuid,
    version: i64,
    /// When the ledger last confirmed these totals, if it ever did.
    pub(crate) as_of: Option<Moment>,
    pub(crate) freshness: Freshness,
    /// Which option leads, in a sentence.
    pub(crate) headline: String,
    pub(crate) total: String,
    pub(crate) options: Vec<OptionView>,
    /// What holds votes up; empty while all is well.
    pub(crate) trouble: String,
    pub(crate) pace: String,
    pub(crate) curve: String,
    pub(crate) replica: Signature,
}

/// Whether the ledger answers. The page's script has a third state, for when it has lost
/// its server.
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
    /// The length of its bar, as SVG writes it.
    pub(crate) bar: String,
    pub(crate) leads: bool,
}

impl View {
    /// The totals as this replica words them, with what is said about them.
    pub(crate) fn of(
        config: &Config,
        totals: &PollTotals,
        pace: &[Option<u64>],
        diagnosis: &Diagnosis,
        language: Language,
    ) -> Self {
        let say = say(language);
        let is_known = totals.as_of.is_some();
        let keys = totals.options.iter().map(|option| option.key.as_str());
        Self {
            edition: web::edition(&SCRIPT, config.poll.texts().chain(keys)),
            epoch: totals.epoch,
            version: totals.version,
            as_of: totals.as_of,
            freshness: if totals.live { Freshness::Live } else { Freshness::Away },
            headline: if is_known { headline(totals, language) } else { say.never_answered.to_owned() },
            total: if is_known { votes(totals.total, language) } else { String::new() },
            options: totals.options.iter().map(|option| option_view(option, totals, language)).collect(),
            trouble: status::worst_sentence(config, diagnosis, language),
            pace: speed(pace, language),
            curve: curve(pace),
            replica: config.replica().sign(language),
        }
    }
}

fn headline(totals: &PollTotals, language: Language) -> String {
    let say = say(language);
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
            fill(&language.count(say.leads, (most - second).unsigned_abs()), "label", &isolated(label))
        }
        _ if first.len() > NAMED_IN_A_TIE => language.count(say.wide_tie, first.len() as u64),
        _ => {
            let labels: Vec<String> = first.into_iter().map(isolated).collect();
            fill(say.tie, "labels", &labels.join(", "))
        }
    }
}

fn votes(number: i64, language: Language) -> String {
    language.count(say(language).votes, number.unsigned_abs())
}

fn option_view(option: &OptionVotes, totals: &PollTotals, language: Language) -> OptionView {
    let all = totals.total;
    let share = if all > 0 { option.votes as f64 / all as f64 } else { 0.0 };
    let most = totals.options.iter().map(|option| option.votes).max();
    OptionView {
        key: option.key.clone(),
        label: option.label.clone(),
        votes: totals.as_of.map_or(String::new(), |_| votes(option.votes, language)),
        // Without votes, no share can be shown, not even an equal one.
        share: if all > 0 { language.percent(share) } else { String::new() },
        bar: format!("{:.2}%", share * 100.0),
        leads: option.votes > 0 && Some(option.votes) == most,
    }
}

/// How fast votes were counted, in words. Empty while that is not known.
fn speed(pace: &[Option<u64>], language: Language) -> String {
    let per_second = |votes: u64| language.decimal(votes as f64 / INTERVAL.as_secs_f64());
    let (Some(Some(now)), Some(Some(most))) = (pace.last(), pace.iter().max()) else {
        return String::new();
    };
    fill(&fill(say(language).pace_now, "now", &per_second(*now)), "most", &per_second(*most))
}

/// The curve as an SVG path: areas from the past on the left to now on the right, with
/// gaps where nothing is known. A point at the height of both its neighbours is left
/// out, which shortens a quiet curve most.
fn curve(pace: &[Option<u64>]) -> String {
    let most = pace.iter().copied().flatten().max().unwrap_or(0).max(1) as f64;
    let is_level = |at: usize| {
        at > 0 && pace.get(at - 1..=at + 1).is_some_and(|near| near.iter().all(|one| *one == near[1]))
    };
    let mut path = String::new();
    let mut from = 0;
    for area in pace.chunk_by(|left, right| left.is_some() == right.is_some()) {
        let to = from + area.len() - 1;
        if area[0].is_some() {
            path += &format!("M{from} {CURVE_HEIGHT}");
            for at in (from..=to).filter(|at| !is_level(*at)) {
                let height = CURVE_HEIGHT * (1.0 - pace[at].unwrap_or(0) as f64 / most);
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
    use election::PollSettings;

    use super::*;

    fn said(votes: &[i64], language: Language) -> String {
        let mut totals = PollTotals::unknown(&PollSettings::default().load().unwrap());
        let option = |(at, votes): (usize, &i64)| OptionVotes {
            key: at.to_string(),
            label: ["A", "B", "C", "D"][at].to_owned(),
            votes: *votes,
        };
        totals.options = votes.iter().enumerate().map(option).collect();
        headline(&totals, language).replace(['\u{2068}', '\u{2069}'], "")
    }

    #[test]
    fn the_headline_names_the_leader_or_the_tie() {
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
