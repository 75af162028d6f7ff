//! The poll: the question and its options, read once from a small file.

use std::path::PathBuf;

use anyhow::{Context, anyhow, ensure};
use clap::Args;
use serde::Deserialize;
use uuid::Uuid;

use crate::ballot::{Choice, PollId};

/// The poll that runs when no file is named.
const DEFAULT: &str = include_str!("../../../poll.toml");

/// A label longer than this fits no button.
const MAX_LABEL_CHARS: usize = 100;

/// A question longer than this fits no screen.
const MAX_QUESTION_CHARS: usize = 300;

/// A question of this length fills two lines on a projector.
const LONG_QUESTION_CHARS: usize = 60;

/// The settings that choose the poll.
#[derive(Args, Clone, Debug, Default)]
pub struct PollSettings {
    /// The poll file (TOML with id, question and options) [default: the built-in poll]
    #[arg(long, env = "POLL")]
    poll: Option<PathBuf>,
    /// Replaces the first option's label, which starts a separate election
    #[arg(long, env = "OPTION_A")]
    option_a: Option<String>,
    /// Replaces the second option's label, which starts a separate election
    #[arg(long, env = "OPTION_B")]
    option_b: Option<String>,
}

impl PollSettings {
    /// Reads the poll from its file, or takes the default poll. `OPTION_A` and `OPTION_B`
    /// replace the first two labels, as they do in the classic app.
    pub fn load(&self) -> anyhow::Result<Poll> {
        let (mut name, text) = match &self.poll {
            Some(file) => {
                let name = format!("the poll file {} (POLL)", file.display());
                let text = std::fs::read(file).with_context(|| format!("cannot read {name}"))?;
                (name, text)
            }
            None => ("the default poll".to_owned(), DEFAULT.as_bytes().to_vec()),
        };
        let labels = [self.option_a.as_deref(), self.option_b.as_deref()];
        if labels != [None, None] {
            name += " with OPTION_A and OPTION_B";
        }
        let text = String::from_utf8(text).with_context(|| format!("{name} is broken: save it as UTF-8"))?;
        Poll::parse(&text, labels).with_context(|| format!("{name} is broken"))
    }
}

/// A question and two to ten options.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Poll {
    /// Names the election. Ballots count under this id.
    pub id: PollId,
    /// The question.
    pub question: String,
    /// The options' labels, in order. The first option has the key `a`.
    pub options: Vec<String>,
}

impl Poll {
    /// Reads a poll from the text of its file. `labels` replace the first two labels.
    pub fn parse(text: &str, labels: [Option<&str>; 2]) -> anyhow::Result<Self> {
        let poll: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |at| 1 + text[..at.start].matches('\n').count());
            anyhow!("line {line}: {}", error.message())
        })?;
        let poll = poll.with_labels(labels)?;
        poll.check()?;
        Ok(poll)
    }

    /// The keys and labels of the options, in order.
    pub fn choices(&self) -> impl Iterator<Item = (Choice, &str)> {
        Choice::all().zip(self.options.iter().map(String::as_str))
    }

    /// All texts of the poll: its id, the question and the labels.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let options = self.options.iter().map(String::as_str);
        [self.id.as_str(), &self.question].into_iter().chain(options)
    }

    /// Whether the question fills several lines. Pages set such a question smaller.
    pub fn is_long(&self) -> bool {
        self.question.chars().count() > LONG_QUESTION_CHARS
    }

    /// The label of an option, if the poll has it.
    pub fn label(&self, choice: Choice) -> Option<&str> {
        self.options.get(choice.position()).map(String::as_str)
    }

    /// Other labels make another election, so it gets another id. That id is
    /// derived from the labels, so that every replica gets the same one.
    fn with_labels(mut self, labels: [Option<&str>; 2]) -> anyhow::Result<Self> {
        if labels == [None, None] {
            return Ok(self);
        }
        for (option, label) in self.options.iter_mut().zip(labels) {
            if let Some(label) = label {
                label.clone_into(option);
            }
        }
        let name = format!("{}\n{}", self.id, self.options.join("\n"));
        let digest = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes());
        self.id = format!("options-{}", digest.simple()).parse().map_err(anyhow::Error::msg)?;
        Ok(self)
    }

    fn check(&self) -> anyhow::Result<()> {
        check_text("question", &self.question, MAX_QUESTION_CHARS)?;
        ensure!(
            (2..=Choice::MAX).contains(&self.options.len()),
            "it needs 2 to {} options, not {}",
            Choice::MAX,
            self.options.len()
        );
        for (at, label) in self.options.iter().enumerate() {
            check_text("option", label, MAX_LABEL_CHARS)?;
            ensure!(!self.options[..at].contains(label), "the option {label:?} is there twice");
        }
        Ok(())
    }
}

fn check_text(what: &str, text: &str, max_chars: usize) -> anyhow::Result<()> {
    ensure!(!text.trim().is_empty(), "its {what} {text:?} is empty");
    ensure!(
        !text.chars().any(char::is_control),
        "its {what} {text:?} has a control character, such as a line break"
    );
    ensure!(text.chars().count() <= max_chars, "its {what} {text:?} is longer than {max_chars} characters");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labelled(option_a: &str, option_b: Option<&str>) -> Poll {
        let (option_a, option_b) = (Some(option_a.to_owned()), option_b.map(str::to_owned));
        PollSettings { poll: None, option_a, option_b }.load().unwrap()
    }

    #[test]
    fn the_default_poll_is_the_courses_own() {
        let poll = PollSettings::default().load().unwrap();
        assert_eq!(poll.question, "¿De qué somos?");
        assert_eq!(poll.options, ["Nesquik", "Cola Cao"]);
    }

    #[test]
    fn classic_labels_make_another_election_and_always_the_same_one() {
        let cats = || labelled("Cats", Some("Dogs"));
        assert_eq!(cats().options, ["Cats", "Dogs"]);
        assert_eq!(cats().id, cats().id);
        assert_ne!(cats().id, PollSettings::default().load().unwrap().id);
        assert_ne!(cats().id, labelled("Cats", None).id);
    }

    #[test]
    fn a_broken_file_is_named_with_what_is_wrong() {
        let cases = [
            ("id = 'x'\nquestion = '?'\noptions = ['a'", "line 3: "),
            ("id = 'x'\nqestion = '?'\noptions = ['a', 'b']", "line 2: "),
            ("id = 'x'\nquestion = '?'\noptions = ['a', 'b']\ncolour = 1", "unknown field `colour`"),
            ("id = 'A b'\nquestion = '?'\noptions = ['a', 'b']", "\"A b\" is not a poll id"),
            ("id = 'x'\nquestion = '?'\noptions = ['a']", "needs 2 to 10 options, not 1"),
            ("id = 'x'\nquestion = ' '\noptions = ['a', 'b']", "question \" \" is empty"),
            ("id = 'x'\nquestion = '?'\noptions = ['a', 'a']", "\"a\" is there twice"),
            ("id = 'x'\nquestion = '?'\noptions = ['a', \"b\\nc\"]", "control character"),
        ];
        for (text, expected) in cases {
            let said = format!("{:#}", Poll::parse(text, [None, None]).unwrap_err());
            assert!(said.contains(expected), "{said} should name {expected}");
        }
    }
}
