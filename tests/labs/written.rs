//! How the labs are written: alike in every language, with no block that only looks like one.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::ROOT;
use crate::lesson::Lesson;

/// A person reads the runner in one sitting.
const RUNNER_LINES_MAX: usize = 250;

/// How many labs there are.
const LABS: usize = 24;

/// English, and Spanish.
const FOLDERS: [&str; 2] = ["labs", "labs/es"];

const SECTIONS: [&str; 7] = ["Do", "You will see", "Break it", "Look", "Question", "Check", "Clean up"];
const SECTIONS_ES: [&str; 7] =
    ["Haga", "Verá", "Rómpalo", "Mire", "Pregunta", "Compruebe", "Deje todo como estaba"];

/// `sh` alone is a line to read, or to type elsewhere.
const FENCES: [&str; 7] = ["sh do", "sh break", "sh check", "sh clean", "sh", "text", "yaml"];

/// What a course on orchestration must show, in both languages.
const CONCEPTS: [[&str; 2]; 17] = [
    ["desired state", "estado deseado"],
    ["service discovery", "descubrimiento de servicios"],
    ["load balancing", "balanceo de carga"],
    ["scaling", "escalado"],
    ["self-healing", "autorreparación"],
    ["rolling updates and rollback", "actualizaciones graduales y vuelta atrás"],
    ["blue-green", "azul y verde"],
    ["canary", "canario"],
    ["configuration", "configuración"],
    ["secrets", "secretos"],
    ["network policies", "políticas de red"],
    ["RBAC", "RBAC"],
    ["TLS", "TLS"],
    ["storage", "almacenamiento"],
    ["backups", "copias de seguridad"],
    ["autoscaling", "autoescalado"],
    ["monitoring", "monitorización"],
];

const PLATFORMS: [&str; 4] = ["Docker", "Compose", "Swarm", "Kubernetes"];

#[test]
fn every_lab_is_there_in_both_languages() {
    for folder in FOLDERS {
        let numbers: Vec<usize> = Lesson::all(folder).iter().map(|lesson| lesson.number).collect();
        assert_eq!(numbers, (1..=LABS).collect::<Vec<_>>(), "{folder}");
    }
}

#[test]
fn every_lab_has_the_same_sections_and_known_blocks() {
    for (folder, sections) in FOLDERS.into_iter().zip([SECTIONS, SECTIONS_ES]) {
        for lesson in Lesson::all(folder) {
            let path = lesson.path.display();
            assert_eq!(lesson.sections(), sections, "{path}");
            assert!(lesson.text.contains("<details><summary>"), "{path} folds its answer away");
            for block in lesson.fenced() {
                let fence = block.lines().next().unwrap();
                assert!(FENCES.contains(&fence), "{path}: {fence:?}");
            }
            for kind in ["do", "break", "check", "clean"] {
                assert!(!lesson.blocks(&format!("```sh {kind}")).is_empty(), "{path}: {kind}");
            }
            assert!(!lesson.seen().is_empty() && lesson.checks().len() > 1, "{path}");
        }
    }
}

#[test]
fn every_head_is_known_and_every_concept_is_taught() {
    for (language, folder) in FOLDERS.into_iter().enumerate() {
        let mut taught = BTreeSet::new();
        let lessons = Lesson::all(folder);
        for lesson in &lessons {
            let [minutes, on, needs, concepts] = lesson.head();
            let path = lesson.path.display();
            assert!((10..=25).contains(&minutes.parse::<u32>().unwrap()), "{path}: {minutes}");
            assert!(PLATFORMS.contains(&on) && !needs.is_empty(), "{path}: {on}, {needs}");
            taught.extend(concepts.split(", "));
        }
        assert_eq!(taught, CONCEPTS.map(|names| names[language]).into(), "{folder}");
    }
}

#[test]
fn every_block_is_bash_and_every_check_has_a_sentence_a_command_and_a_hint() {
    for lesson in Lesson::all("labs").into_iter().chain(Lesson::all("labs/es")) {
        let path = lesson.path.display();
        for kind in ["do", "break", "check", "clean"] {
            for block in lesson.blocks(&format!("```sh {kind}")) {
                let parsed = Command::new("bash").args(["-n", "-c", &block]).status().expect("bash");
                assert!(parsed.success(), "{path}: {block}");
            }
        }
        for check in lesson.checks() {
            let whole = check.sentence.ends_with('.') && !check.command.is_empty() && !check.hint.is_empty();
            assert!(whole, "{path}: {check:?}");
        }
    }
}

#[test]
fn a_translation_is_of_the_present_text_and_has_the_same_blocks() {
    for (lesson, translated) in Lesson::all("labs").iter().zip(Lesson::all("labs/es")) {
        let path = translated.path.display();
        assert_eq!(lesson.file_name(), translated.file_name());
        let stamp = format!("<!-- {} {} -->", lesson.file_name(), hash(lesson));
        let last = translated.text.lines().last().unwrap();
        assert_eq!(last, stamp, "{path} is of another English text: translate the change, then write this");
        let [english, spanish] = [lesson, &translated].map(commands);
        assert_eq!(english, spanish, "{path}: the blocks differ in more than their comments");
        assert_eq!(lesson.head()[..2], translated.head()[..2], "{path}");
        assert_eq!(concepts_of(lesson, 0), concepts_of(&translated, 1), "{path}");
    }
}

#[test]
fn the_contents_are_those_of_the_files() {
    for (language, folder) in FOLDERS.into_iter().enumerate() {
        let path = Path::new(ROOT).join(folder).join("README.md");
        let text = fs::read_to_string(&path).unwrap();
        let lessons = Lesson::all(folder);
        for rows in [contents(&lessons), concepts(&lessons, language)] {
            assert!(text.contains(&rows), "{} must have these rows:\n{rows}", path.display());
        }
    }
}

#[test]
fn the_runner_is_short() {
    let runner = fs::read_to_string(Path::new(ROOT).join("lab")).unwrap();
    assert!(runner.lines().count() < RUNNER_LINES_MAX, "{} lines", runner.lines().count());
}

/// The hash that git has for a file of this content.
fn hash(lesson: &Lesson) -> String {
    let hashed = Command::new("git").arg("hash-object").arg(&lesson.path).output().expect("git");
    String::from_utf8(hashed.stdout).expect("UTF-8").trim().to_owned()
}

/// The fenced lines without the comments.
fn commands(lesson: &Lesson) -> Vec<String> {
    let lines = lesson.fenced().into_iter().flat_map(str::lines);
    lines.filter(|line| !line.trim_start().starts_with('#')).map(str::to_owned).collect()
}

/// The places in [`CONCEPTS`] of what a lab teaches.
fn concepts_of(lesson: &Lesson, language: usize) -> Vec<usize> {
    let place =
        |name: &str| CONCEPTS.iter().position(|names| names[language] == name).expect("a known concept");
    lesson.head()[3].split(", ").map(place).collect()
}

/// The rows of the table of contents.
fn contents(lessons: &[Lesson]) -> String {
    let rows = lessons.iter().map(|lesson| {
        let ([minutes, on, needs, concepts], file) = (lesson.head(), lesson.file_name());
        format!(
            "| {} | [{}]({file}) | {minutes} | {on} | {needs} | {concepts} |\n",
            lesson.number,
            lesson.title()
        )
    });
    rows.collect()
}

/// For each concept, the labs that teach it in Docker, on a swarm and on Kubernetes.
fn concepts(lessons: &[Lesson], language: usize) -> String {
    let rows = CONCEPTS.iter().enumerate().map(|(place, names)| {
        let teaches = |lesson: &&Lesson| concepts_of(lesson, language).contains(&place);
        let on = |platforms: &[&str]| {
            let there = lessons.iter().filter(teaches).filter(|lesson| platforms.contains(&lesson.head()[1]));
            there
                .map(|lesson| format!("[{}]({})", lesson.number, lesson.file_name()))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let [docker, swarm, kubernetes] = [on(&["Docker", "Compose"]), on(&["Swarm"]), on(&["Kubernetes"])];
        format!("| {} | {docker} | {swarm} | {kubernetes} |\n", names[language])
    });
    rows.collect()
}
