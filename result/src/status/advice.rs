//! What to try: a sentence, and the commands of the platform that this deployment runs on.

use service::Store;
use status::{Hop, Problem};

use super::phrases::Phrases;
use super::wording::Wording;
use crate::platform::Remedy;

/// What to try, and what to type for it. Commands are known only on a known platform.
pub(super) fn advice(hop: Hop, problem: &Problem, wording: Wording<'_>) -> (Option<String>, Vec<String>) {
    let Some((sentence, remedy)) = remedy(hop, problem, wording.say) else { return Default::default() };
    let commands = wording
        .config
        .platform
        .zip(remedy)
        .map(|(platform, (remedy, hop))| platform.commands(remedy, hop, wording.name(hop)));
    (Some(wording.store(sentence, Store::Queue)), commands.unwrap_or_default())
}

/// A sentence and, if commands can help, what they do at which hop.
type Advice = (&'static str, Option<(Remedy, Hop)>);

fn remedy(hop: Hop, problem: &Problem, say: &'static Phrases) -> Option<Advice> {
    let at = |hop, remedy| Some((remedy, hop));
    Some(match problem {
        Problem::NotReadYet | Problem::NotKnown => return None,
        Problem::NoneRuns if hop == Hop::Vote => (say.try_vote, at(hop, Remedy::Start)),
        Problem::NotHeard { .. } if hop == Hop::Vote => (say.try_vote, at(hop, Remedy::Restart)),
        Problem::NotHeard { .. } => (say.try_restart, at(hop, Remedy::Restart)),
        Problem::NoneRuns | Problem::QueueAway | Problem::LedgerAway => {
            (say.try_start, at(hop, Remedy::Start))
        }
        Problem::OtherPoll { .. } => (say.try_poll, None),
        Problem::Relabelled(_) => (say.try_other_id, None),
        Problem::VotesElsewhere { .. } => (say.try_former_poll, None),
        Problem::Refuses(_) | Problem::Unsafe(..) => (say.try_log, at(hop, Remedy::ReadLog)),
        Problem::TakesNoWrites | Problem::WithoutLedger(_) => (say.try_log, at(hop, Remedy::ReadLog)),
        Problem::CutOff => (say.try_log, at(Hop::Result, Remedy::ReadLog)),
        Problem::DeadLetters(_) | Problem::SetBack(..) => {
            (say.try_worker_log, at(Hop::Worker, Remedy::ReadLog))
        }
        Problem::Behind(_) => (say.try_more, at(hop, Remedy::StartMore)),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::ValueEnum;
    use status::{Loss, Setback};
    use web::Language;

    use super::super::phrases::say;
    use super::*;
    use crate::platform::Platform;

    /// Every problem about which something can be tried, and whether commands help.
    fn problems() -> [(Hop, Problem, bool); 21] {
        let (names, theirs) = (Vec::new, || "lunch".to_owned());
        let setback = Setback { at_ms: 0, store: Store::Ledger, loss: Loss::Wiped, exposed: None };
        let not_heard = || Problem::NotHeard { names: names(), heard: Duration::ZERO };
        [
            (Hop::Vote, Problem::NoneRuns, true),
            (Hop::Worker, Problem::NoneRuns, true),
            (Hop::Result, Problem::NoneRuns, true),
            (Hop::Vote, not_heard(), true),
            (Hop::Worker, not_heard(), true),
            (Hop::Result, not_heard(), true),
            (Hop::Vote, Problem::OtherPoll { names: names(), theirs: theirs() }, false),
            (Hop::Result, Problem::OtherPoll { names: names(), theirs: theirs() }, false),
            (Hop::Vote, Problem::Refuses(names()), true),
            (Hop::Vote, Problem::Unsafe(Store::Queue, names()), true),
            (Hop::Worker, Problem::Unsafe(Store::Ledger, names()), true),
            (Hop::Queue, Problem::QueueAway, true),
            (Hop::Queue, Problem::TakesNoWrites, true),
            (Hop::Queue, Problem::DeadLetters(1), true),
            (Hop::Worker, Problem::WithoutLedger(names()), true),
            (Hop::Worker, Problem::Behind(Duration::ZERO), true),
            (Hop::Ledger, Problem::LedgerAway, true),
            (Hop::Ledger, Problem::CutOff, true),
            (Hop::Ledger, Problem::VotesElsewhere { theirs: theirs(), votes: 1 }, false),
            (Hop::Result, Problem::Relabelled(Vec::new()), false),
            (Hop::Ledger, Problem::SetBack(setback, Duration::ZERO), true),
        ]
    }

    #[test]
    fn every_problem_has_commands_of_the_platform_and_of_no_other() {
        let own = |platform| match platform {
            Platform::Compose => "docker compose ",
            Platform::Swarm => "docker service ",
            Platform::Kubernetes => "kubectl ",
        };
        for platform in Platform::value_variants() {
            for (hop, problem, has_commands) in problems() {
                let (_, remedy) = remedy(hop, &problem, say(Language::English)).unwrap();
                let commands =
                    remedy.map_or_else(Vec::new, |(remedy, at)| platform.commands(remedy, at, "name"));
                assert_eq!(!commands.is_empty(), has_commands, "{platform:?}, {hop:?}: {problem:?}");
                for command in commands {
                    assert!(command.starts_with(own(*platform)), "{platform:?}: {command}");
                    assert!(!command.contains('{'), "{platform:?}: {command}");
                }
            }
        }
    }

    #[test]
    fn no_sentence_names_a_command() {
        for language in Language::ALL {
            for (hop, problem, _) in problems() {
                let (sentence, _) = remedy(hop, &problem, say(language)).unwrap();
                let is_command = |word| sentence.to_lowercase().contains(word);
                assert!(!["docker", "compose", "kubectl"].into_iter().any(is_command), "{sentence}");
                assert!(sentence.ends_with('.'), "it must do without commands below it: {sentence}");
            }
        }
    }
}
