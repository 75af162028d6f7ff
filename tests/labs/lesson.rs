//! A lab as its file has it: the head, the sections and the blocks.

use std::fs;
use std::path::{Path, PathBuf};

use crate::ROOT;

#[derive(Debug)]
pub struct Lesson {
    pub path: PathBuf,
    pub number: usize,
    pub text: String,
}

/// A sentence that must be true, the command that says so, and the hint for when it fails.
#[derive(Debug)]
pub struct Check {
    pub sentence: String,
    pub command: String,
    pub hint: String,
}

impl Lesson {
    /// The labs of a folder, in their order.
    pub fn all(folder: &str) -> Vec<Self> {
        let files = fs::read_dir(Path::new(ROOT).join(folder)).expect("the folder of the labs");
        let paths = files.map(|file| file.expect("a file").path());
        let mut lessons: Vec<Self> = paths.filter_map(Self::read).collect();
        lessons.sort_by_key(|lesson| lesson.number);
        lessons
    }

    /// The files that begin with a number are labs, and the others are pages about them.
    fn read(path: PathBuf) -> Option<Self> {
        let number = path.file_name()?.to_str()?.split_once('-')?.0.parse().ok()?;
        let text = fs::read_to_string(&path).expect("a lab is text");
        Some(Self { path, number, text })
    }

    pub fn file_name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).expect("a name in UTF-8")
    }

    pub fn title(&self) -> &str {
        self.text.lines().find_map(|line| line.strip_prefix("# ")).expect("a title")
    }

    /// The row of the small table at the head: minutes, platform, needs, concepts.
    pub fn head(&self) -> [&str; 4] {
        let is_row = |line: &&str| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit();
        let row = self.text.lines().find(is_row).expect("a row with the minutes");
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        cells.try_into().unwrap_or_else(|cells| panic!("{}: {cells:?}", self.path.display()))
    }

    pub fn sections(&self) -> Vec<&str> {
        self.text.lines().filter_map(|line| line.strip_prefix("## ")).collect()
    }

    /// The contents of the fenced blocks that begin with this line.
    pub fn blocks(&self, fence: &str) -> Vec<String> {
        let start = format!("\n{fence}\n");
        let blocks = self.text.split(&start).skip(1);
        blocks.map(|rest| rest.split("\n```").next().expect("an end").to_owned()).collect()
    }

    /// All fenced blocks, with their fences.
    pub fn fenced(&self) -> Vec<&str> {
        self.text.split("\n```").skip(1).step_by(2).collect()
    }

    /// What the commands of the lab print.
    pub fn seen(&self) -> String {
        let [seen] = self.blocks("```text").try_into().expect("one block of what is printed");
        seen
    }

    pub fn checks(&self) -> Vec<Check> {
        let block = self.blocks("```sh check").join("\n");
        let mut checks = vec![];
        let (mut sentence, mut command) = (vec![], vec![]);
        for line in block.lines().filter(|line| !line.is_empty()) {
            let hint = line.strip_prefix("# otherwise: ").or_else(|| line.strip_prefix("# si no: "));
            if let Some(hint) = hint {
                checks.push(Check {
                    sentence: sentence.join(" "),
                    command: command.join("\n"),
                    hint: hint.to_owned(),
                });
                (sentence, command) = (vec![], vec![]);
            } else if let Some(words) = line.strip_prefix("# ") {
                sentence.push(words);
            } else {
                command.push(line);
            }
        }
        assert!(sentence.is_empty() && command.is_empty(), "{}: a check without a hint", self.path.display());
        checks
    }

    /// The lab whose state this one starts from.
    pub fn base(&self) -> Option<usize> {
        let (_, needs) = self.head()[2].split_once("lab ")?;
        needs.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    }
}
