//! The figures, and what each was measured against.

use std::fmt::{self, Display, Formatter};
use std::fs;
use std::process::Command;

#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
}

struct Row {
    what: String,
    ours: String,
    against: String,
    ratio: String,
    aim: String,
    met: &'static str,
}

/// What a ratio should be.
#[derive(Clone, Copy)]
pub enum Aim {
    AtLeast(f64),
    AtMost(f64),
    None,
}

impl Table {
    /// One line; it is shown at once, because the whole takes minutes.
    pub fn add(&mut self, what: &str, ours: Figure, against: (&str, Figure), aim: Aim) {
        let ratio = ours.value / against.1.value;
        let (aim, met) = match aim {
            Aim::AtLeast(aim) => (format!("≥ {aim}"), yes(ratio >= aim)),
            Aim::AtMost(aim) => (format!("≤ {aim}"), yes(ratio <= aim)),
            Aim::None => ("–".to_owned(), "–"),
        };
        self.push(Row {
            what: what.to_owned(),
            ours: ours.to_string(),
            against: format!("{}: {}", against.0, against.1),
            ratio: format!("{ratio:.2}"),
            aim,
            met,
        });
    }

    /// A figure with an aim of its own.
    pub fn add_alone(&mut self, what: &str, ours: Figure, aim: Option<f64>) {
        self.push(Row {
            what: what.to_owned(),
            ours: ours.to_string(),
            against: "–".to_owned(),
            ratio: "–".to_owned(),
            aim: aim.map_or("–".to_owned(), |aim| format!("≤ {}", Figure { value: aim, ..ours })),
            met: aim.map_or("–", |aim| yes(ours.value <= aim)),
        });
    }

    pub fn write(&self, file: &str) {
        let text = format!(
            "# Benchmarks\n\n\
             Printed by `./bench.sh`, in one run on one machine: the ratios hold elsewhere too, the figures do not. For the aims that are\n\
             not met, [scaling.md](scaling.md#what-the-missed-aims-are-made-of) says why.\n\n\
             {}\n\n{self}\n\
             ![Votes counted per second by one, two and four workers, over the ballots counted before](growth.svg)\n\n\
             ![How long an update takes from the first viewer's screen to the last one's](viewers.svg)\n\n\
             ![Recorded votes per second and their latency in fifteen seconds of load](load.svg)\n",
            machine()
        );
        fs::write(file, text).unwrap_or_else(|error| panic!("cannot write {file}: {error}"));
        println!("{file} is written.");
    }

    fn push(&mut self, row: Row) {
        eprintln!("{row}");
        self.rows.push(row);
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "| what | Urna | against | ratio | aim | met |\n| --- | --- | --- | --- | --- | --- |")?;
        self.rows.iter().try_for_each(|row| writeln!(f, "{row}"))
    }
}

impl Display for Row {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { what, ours, against, ratio, aim, met } = self;
        write!(f, "| {what} | {ours} | {against} | {ratio} | {aim} | {met} |")
    }
}

/// A number and its unit.
#[derive(Clone, Copy)]
pub struct Figure {
    pub value: f64,
    pub unit: &'static str,
}

impl Figure {
    pub fn per_second(value: f64) -> Self {
        Self { value, unit: "/s" }
    }

    pub fn us(value: f64) -> Self {
        Self { value, unit: "µs" }
    }

    pub fn ms(value: f64) -> Self {
        Self { value, unit: "ms" }
    }

    pub fn kib(value: f64) -> Self {
        Self { value, unit: "KiB" }
    }

    pub fn mb(value: f64) -> Self {
        Self { value, unit: "MB" }
    }
}

impl Display for Figure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let digits = if self.value >= 100.0 { 0 } else { 2 };
        write!(f, "{:.digits$} {}", self.value, self.unit)
    }
}

fn yes(met: bool) -> &'static str {
    if met { "yes" } else { "no" }
}

/// What it ran on.
fn machine() -> String {
    let first = |program: &str, arguments: &[&str]| {
        let output =
            Command::new(program).args(arguments).output().map(|output| output.stdout).unwrap_or_default();
        String::from_utf8_lossy(&output).lines().next().unwrap_or("unknown").trim().to_owned()
    };
    let processors = first("nproc", &[]);
    let model = first("sh", &["-c", "sed -n 's/^model name.*: //p' /proc/cpuinfo"]);
    let memory = first("sh", &["-c", "awk '/MemTotal/ { printf \"%.0f GiB\", $2 / 1048576 }' /proc/meminfo"]);
    let versions = [
        first("uname", &["-sr"]),
        first("rustc", &["--version"]),
        first("redis-server", &["--version"]),
        first("psql", &["--version"]),
    ];
    format!("{processors} × {model}, {memory}; {}.", versions.join("; "))
}
