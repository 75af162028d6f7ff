//! The runner itself: what it says of arguments, and that it asks before it deletes or touches something.

use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::ROOT;

/// Arguments, the exit code, and words of the answer. None of these needs Docker or a cluster.
const SAYS: [(&str, i32, &str); 9] = [
    ("", 0, "24   "),
    ("--help", 0, "./lab do 3         runs the lab's commands for you"),
    ("99", 2, "there is no lab 99; ./lab lists them"),
    ("foo", 2, "'foo' is no lab: give its number"),
    ("3 4", 2, "one lab and one verb at a time"),
    ("do clean 3", 2, "one lab and one verb at a time"),
    ("do 3 --watch", 2, "--watch without a verb"),
    ("break", 2, "which lab? For example: ./lab break 2"),
    ("--watch", 2, "which lab? For example: ./lab 2"),
];

#[test]
fn it_answers_every_call_in_plain_words_and_with_a_code() {
    for (arguments, code, words) in SAYS {
        let (exit, said) = lab(arguments, "C.UTF-8", "");
        assert!(exit == Some(code) && said.contains(words), "./lab {arguments}: {exit:?}\n{said}");
    }
}

#[test]
fn it_speaks_spanish_where_the_system_does() {
    for (arguments, words) in
        [("--help", "ejecuta por usted"), ("99", "no hay laboratorio 99"), ("", "A mano")]
    {
        let (_, said) = lab(arguments, "es_ES.UTF-8", "");
        assert!(said.contains(words), "./lab {arguments}: {said}");
    }
}

/// A `docker` that would fail at everything else stands in for the real one.
#[test]
fn without_an_answer_nothing_is_deleted() {
    let docker = "case $1 in info | compose) [ \"${2-}\" != down ];; *) false;; esac";
    for (arguments, target) in
        [("clean 1", "lab-*"), ("clean 2", "project urna"), ("clean 3", "lab-*"), ("do 6", "project urna")]
    {
        let (exit, said) = lab(arguments, "C.UTF-8", docker);
        let asked = said.contains(&format!("Docker, {target}: the votes there are deleted"));
        let nothing_done = exit == Some(2) && said.contains("nothing was done");
        assert!(asked && nothing_done, "./lab {arguments}: {said}");
    }
}

/// A `docker` whose containers are all missing.
#[test]
fn it_names_the_command_that_failed_and_not_the_empty_assignment_around_it() {
    let docker = "case $1 in info | compose) [ \"${2-}\" != ps ];; *) false;; esac";
    let (exit, said) = lab("4", "C.UTF-8", docker);
    let named = said.contains("because: docker inspect --format '{{.Created}}'");
    assert!(exit == Some(1) && named && !said.contains("because: db="), "{said}");
}

#[test]
fn it_says_that_docker_does_not_answer() {
    let (exit, said) = lab("2", "C.UTF-8", "[ \"$1\" = compose ]");
    assert!(exit == Some(2) && said.contains("Docker does not answer: start it"), "{said}");
}

/// Calls the runner without a terminal, and with a `docker` that is this script.
fn lab(arguments: &str, language: &str, docker: &str) -> (Option<i32>, String) {
    let folder = TempDir::new().unwrap();
    let program = folder.path().join("docker");
    std::fs::write(&program, format!("#!/bin/sh\n{docker}\n")).unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = Command::new("./lab");
    command.args(arguments.split_whitespace()).current_dir(ROOT).stdin(Stdio::null());
    command
        .env_remove("COMPOSE_PROJECT_NAME")
        .env_remove("LC_ALL")
        .env_remove("LC_MESSAGES")
        .env("LANG", language);
    command.env("LAB_PROGRESS", folder.path().join("progress"));
    command.env("PATH", format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap()));
    let output = command.output().expect("bash");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}
