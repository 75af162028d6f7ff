//! What the voters write down: every answer, on disk before the next vote is sent.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use super::verdict::{Answer, Told, Vote};

/// One file; each line is a vote that is sent, or the answer to the last one.
pub struct Diary(File);

impl Diary {
    pub fn open(folder: &Path, number: usize) -> Self {
        Self(File::create(folder.join(format!("{number}.diary"))).expect("a diary"))
    }

    pub fn sends(&mut self, voter: &str, choice: char, sent_ms: u64) {
        writeln!(self.0, "{voter} sends {choice} {sent_ms}").expect("room for a line");
    }

    /// Returns once it is on disk.
    pub fn is_told(&mut self, answer: Answer, ord: Option<i64>) {
        let ord = ord.map_or("-".to_owned(), |ord| ord.to_string());
        writeln!(self.0, "told {answer:?} {ord}").expect("room for a line");
        self.0.sync_data().expect("a disk that syncs");
    }
}

/// Reads all diaries in a folder. A vote after which nothing stands was never answered.
pub fn read(folder: &Path) -> Told {
    let mut told = Told::new();
    for file in fs::read_dir(folder).expect("the diaries").flatten() {
        let text = fs::read_to_string(file.path()).expect("a diary");
        let mut last = None;
        for line in text.lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                [voter, "sends", choice, sent_ms] => {
                    let vote = Vote {
                        choice: choice.parse().expect("a choice"),
                        sent_ms: sent_ms.parse().expect("a time"),
                        answer: Answer::None,
                        ord: None,
                    };
                    told.entry(voter.to_owned()).or_default().push(vote);
                    last = Some(voter);
                }
                ["told", answer, ord] => {
                    let votes = last.and_then(|voter| told.get_mut(voter));
                    let vote = votes.and_then(|votes| votes.last_mut()).expect("an answer follows a vote");
                    (vote.answer, vote.ord) = (parse(answer), ord.parse().ok());
                }
                _ => panic!("{} has a strange line: {line}", file.path().display()),
            }
        }
    }
    told
}

fn parse(answer: &str) -> Answer {
    let all = [Answer::Recorded, Answer::Refused, Answer::Unconfirmed, Answer::None];
    all.into_iter().find(|known| format!("{known:?}") == answer).expect("an answer")
}
