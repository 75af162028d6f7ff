//! Every lab is played: red at first, then its commands, green, broken and healed, cleaned up, and red again.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::env;
use std::slice;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use harness::eventually;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::lesson::Lesson;
use crate::machine::Machine;
use crate::node::Node;

/// The days of 24 hours since 1970 choose which lab is played when not all are.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Often enough that the door is open when the first command asks for the pages.
const BETWEEN_TRIES: Duration = Duration::from_millis(500);

/// The labs in Docker and those on a swarm take the same ports, so they wait for each other.
static PORTS: Mutex<()> = Mutex::const_new(());

#[tokio::test(flavor = "multi_thread")]
async fn every_lab_in_docker() {
    let _ports = PORTS.lock().await;
    let machine = Arc::new(Machine::with_docker());
    for lesson in &chosen(&["Docker", "Compose"]) {
        play(&machine, slice::from_ref(lesson)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lab_on_a_swarm() {
    let _ports = PORTS.lock().await;
    play(&Arc::new(Machine::with_docker()), &chosen(&["Swarm"])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lab_on_kubernetes() {
    play(&Arc::new(Machine::with_cluster()), &chosen(&["Kubernetes"])).await;
}

/// The labs of these platforms: all of them, or those that `URNA_TEST_LABS` chooses, with `today` or a list such as `8,14`.
fn chosen(platforms: &[&str]) -> Vec<Lesson> {
    let mut lessons = Lesson::all("labs");
    let last = lessons.len();
    lessons.retain(|lesson| platforms.contains(&lesson.head()[1]));
    match env::var("URNA_TEST_LABS").unwrap_or_default().as_str() {
        "" => {}
        "today" => {
            let days = SystemTime::UNIX_EPOCH.elapsed().expect("a clock").as_secs() / DAY.as_secs();
            let today = usize::try_from(days).expect("a small number") % lessons.len();
            lessons = vec![lessons.swap_remove(today)];
        }
        list => {
            let numbers: Vec<usize> =
                list.split(',').map(|number| number.parse().expect("a number")).collect();
            assert!(numbers.iter().all(|number| (1..=last).contains(number)), "there is no such lab: {list}");
            lessons.retain(|lesson| numbers.contains(&lesson.number));
        }
    }
    lessons
}

/// Plays labs that start from the same lab, their base. The base is started once, the others are played on top of it,
/// and it is cleaned up after them. A lab that starts from nothing is its own base.
async fn play(machine: &Arc<Machine>, lessons: &[Lesson]) {
    let Some(first) = lessons.first() else { return };
    let base = Lesson::all("labs").swap_remove(first.base().unwrap_or(first.number) - 1);
    let on_top: Vec<&Lesson> = lessons.iter().filter(|lesson| lesson.number != base.number).collect();
    for lesson in &on_top {
        assert_eq!(lesson.base(), Some(base.number), "{} starts from another lab", lesson.file_name());
        all_red(machine, lesson);
    }
    all_red(machine, &base);
    let without_base = machine.inventory();
    if first.number == base.number {
        play_without_cleaning(machine, &base).await;
    } else {
        prepares(machine, &base).await;
    }
    for lesson in on_top {
        turns_green(machine, &base).await;
        let before = machine.inventory();
        play_without_cleaning(machine, lesson).await;
        clean(machine, lesson, &before).await;
    }
    clean(machine, &base, &without_base).await;
    all_red(machine, &base);
}

async fn play_without_cleaning(machine: &Arc<Machine>, lesson: &Lesson) {
    let start = Instant::now();
    let printed = prepares(machine, lesson).await;
    let printed = without_commands(&printed, lesson);
    assert!(
        fits(&lesson.seen(), &printed),
        "{}: it says that this is printed:\n{}\nand this was:\n{printed}",
        lesson.file_name(),
        lesson.seen()
    );
    turns_green(machine, lesson).await;
    does(machine, lesson.number, "break");
    turns_green(machine, lesson).await;
    println!("{} played in {:.0} s", lesson.file_name(), start.elapsed().as_secs_f64());
}

async fn clean(machine: &Machine, lesson: &Lesson, before: &BTreeSet<String>) {
    does(machine, lesson.number, "clean");
    assert!(!machine.lab(&lesson.number.to_string()).0, "{} is green after its clean-up", lesson.file_name());
    is_as_before(machine, before, lesson.file_name()).await;
}

/// Nothing is left behind. A cluster deletes some things a moment later.
async fn is_as_before(machine: &Machine, before: &BTreeSet<String>, after: &str) {
    eventually(&format!("{after} to leave nothing behind"), async || {
        let now = machine.inventory();
        let differs: Vec<_> = now.symmetric_difference(before).collect();
        println!("after {after}: {differs:?}");
        differs.is_empty().then_some(())
    })
    .await;
}

/// Runs the commands of `do`. Returns what was printed.
async fn prepares(machine: &Arc<Machine>, lesson: &Lesson) -> String {
    let (own, number) = (machine.clone(), lesson.number);
    let playing = tokio::task::spawn_blocking(move || does(&own, number, "do"));
    if lesson.head()[1] == "Swarm" && lesson.base().is_none() {
        open_door(&playing).await;
    }
    playing.await.expect("a lab that can be played")
}

/// Opens the door of [`node`](crate::node) as soon as the network of the stack is there. That can take longer than
/// `eventually` waits, because the images are built first.
async fn open_door(playing: &JoinHandle<String>) {
    let manager = Node { container: "urna-lab-manager".to_owned() };
    while !manager.attempt(&["network", "inspect", "urna_public"]).0 {
        if playing.is_finished() {
            // It has failed, and says so.
            return;
        }
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
    manager.take_files();
    manager.open_door("http://localhost:8000").await;
}

/// Where nothing of the lab runs, every check fails and gives its hint.
fn all_red(machine: &Machine, lesson: &Lesson) {
    let (succeeded, said) = machine.lab(&lesson.number.to_string());
    assert!(!succeeded, "{} is green where nothing of it runs:\n{said}", lesson.file_name());
    for check in lesson.checks() {
        let sentence = format!("✗ {}\n", check.sentence);
        let hint = format!("try: {}\n", check.hint);
        let after = said.split_once(&sentence).map(|(_, after)| after);
        let named = after.is_some_and(|after| after.split("✗").next().is_some_and(|own| own.contains(&hint)));
        assert!(named, "{}: {sentence:?} is not red, or without its hint:\n{said}", lesson.file_name());
    }
}

/// A vote that was just recorded is counted some moments later, so a check may need some.
async fn turns_green(machine: &Machine, lesson: &Lesson) {
    let said = RefCell::new(String::new());
    eventually(&format!("{} to be green", lesson.file_name()), async || {
        let (succeeded, output) = machine.lab(&lesson.number.to_string());
        if !succeeded && *said.borrow() != output {
            println!("{output}");
            said.replace(output);
        }
        succeeded.then_some(())
    })
    .await;
}

/// Lets the runner do something; it must succeed. Returns what was printed.
fn does(machine: &Machine, number: usize, what: &str) -> String {
    let (succeeded, printed) = machine.lab(&format!("{what} {number} --yes"));
    assert!(succeeded, "./lab {what} {number} failed:\n{printed}");
    printed
}

/// What the commands of `do` printed: the runner shows each command before it runs it.
fn without_commands(printed: &str, lesson: &Lesson) -> String {
    let blocks = lesson.blocks("```sh do").join("\n");
    let commands: Vec<String> = blocks.lines().map(|line| format!("$ {line}")).collect();
    let is_output =
        |line: &&str| !commands.iter().any(|command| command == line) && !line.starts_with("This runs on: ");
    printed.lines().filter(is_output).collect::<Vec<_>>().join("\n")
}

/// Whether a text fits a pattern in which `…` stands for anything: within a line, or for whole lines if it is alone.
fn fits(pattern: &str, text: &str) -> bool {
    let lines: Vec<&str> = pattern.lines().collect();
    let text: Vec<&str> = text.lines().collect();
    fits_lines(&lines, &text)
}

fn fits_lines(pattern: &[&str], text: &[&str]) -> bool {
    match (pattern, text) {
        ([], text) => text.is_empty(),
        (["…", rest @ ..], text) => (0..=text.len()).any(|skipped| fits_lines(rest, &text[skipped..])),
        ([first, rest @ ..], [line, lines @ ..]) => fits_line(first, line) && fits_lines(rest, lines),
        _ => false,
    }
}

fn fits_line(pattern: &str, line: &str) -> bool {
    let line = line.trim_end();
    let Some((start, rest)) = pattern.split_once('…') else { return pattern == line };
    let Some(line) = line.strip_prefix(start) else { return false };
    (0..=line.len()).filter(|&at| line.is_char_boundary(at)).any(|at| fits_line_tail(rest, &line[at..]))
}

/// As [`fits_line`], for what comes after a `…`.
fn fits_line_tail(pattern: &str, line: &str) -> bool {
    if pattern.contains('…') { fits_line(pattern, line) } else { pattern == line }
}

#[test]
fn an_ellipsis_stands_for_anything_and_nothing_else_does() {
    assert!(fits("…\nvote …healthy\nend", "a\nb\nvote is healthy\nend"));
    assert!(fits("…", "") && fits("a…", "a") && fits("a … c … e", "a b c d e"));
    for (pattern, text) in [("a\nb", "a"), ("a", "a\nb"), ("a…", "b"), ("…\nb", "b\na"), ("a", "ab")] {
        assert!(!fits(pattern, text), "{pattern:?} {text:?}");
    }
}
