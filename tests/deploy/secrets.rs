//! `compose/secrets.sh`: it makes fresh secrets, whatever interrupts it.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use harness::Voter;
use tempfile::TempDir;

use crate::compose::Compose;
use crate::node::run;
use crate::{COMPOSE, turn, vote_and_count};

/// Bash reads this before the script. It kills the script, and all that the script started, before a
/// line: the one with this number, or the first that begins with this text.
const KILLER: &str = r#"
    set -T
    : >"$LINES_RUN"
    before_a_line() {
        local lines
        echo >>"$LINES_RUN"
        mapfile lines <"$LINES_RUN"
        if [ "${#lines[@]}" = "${DIE_BEFORE_NUMBER-}" ] || [[ "$1" = "${DIE_BEFORE_TEXT-nothing}"* ]]; then
            kill -9 0
        fi
    }
    trap 'before_a_line "$BASH_COMMAND"' DEBUG
"#;

/// Stands in for Docker. It notes the password that the database is told, and, whenever it starts
/// containers, the cookie keys that they are given.
const DOCKER: &str = r#"#!/bin/sh
    case "$*" in
        "compose exec"*) sed "s/.*'\(.*\)'.*/\1/" >"$NOTES/told.new" && mv "$NOTES/told.new" "$NOTES/told" ;;
        "compose up"*)
            folder=$(sed -n 's/^SECRETS=//p' .env 2>/dev/null)
            cat "${folder:-compose/secrets/demo}/cookie_key" >>"$NOTES/keys" ;;
    esac
"#;

#[test]
fn a_death_at_any_line_loses_neither_the_database_password_nor_a_cookie_key() {
    let (with_demo_secrets, with_own_secrets) = (Copy::new(), Copy::new());
    let own_key = with_own_secrets.complete("at first");
    for (start, retired) in [(with_demo_secrets, DEMO_KEY), (with_own_secrets, &*own_key)] {
        let deaths = (1..).take_while(|&line| start.again().survives(line, retired)).count();
        assert!(deaths > 20, "the script was killed only {deaths} times");
    }
}

#[tokio::test]
async fn fresh_secrets_take_over_and_nobody_becomes_a_new_voter() {
    let (_turn, copy) = (turn(&COMPOSE).await, Copy::new());
    let urna = Compose::of("compose.yaml", copy.path());
    urna.up(&[]);
    let mut voters = Voter::arrive_many(&urna.vote, 2).await;
    vote_and_count(&urna.vote, &urna.result, &mut voters, "a").await;
    let warnings = |service| urna.compose(&["logs", service]).matches("holds the demo secret").count();
    assert_eq!([warnings("vote"), warnings("worker"), warnings("result")], [2, 3, 2]);
    // The second voter does not vote until both rotations are over. The first run dies half-way:
    // the database has its new password, and no service knows it yet.
    let (killer, count) = (copy.0.path().join("killer"), copy.0.path().join("count"));
    let die = format!(
        "! BASH_ENV={} LINES_RUN={} DIE_BEFORE_TEXT=choose setsid --wait compose/secrets.sh",
        killer.display(),
        count.display()
    );
    urna.run("sh", &["-c", &die]);
    for key in ["b", "a"] {
        urna.run("compose/secrets.sh", &[]);
        voters[0].insist(&[&urna.vote], key).await;
    }
    vote_and_count(&urna.vote, &urna.result, &mut voters, "b").await;
    assert_eq!(
        [warnings("vote"), warnings("worker"), warnings("result")],
        [1, 0, 0],
        "the first cookie key stays"
    );
    assert_eq!(copy.keys().len(), 3, "the new key and all before it");
}

const DEMO_KEY: &str = "demo-secret-that-signs-cookies-and-everybody-knows";

/// A copy of what the script uses, and the notes of the stand-in for Docker.
struct Copy(TempDir);

impl Copy {
    fn new() -> Self {
        let copy = Self(TempDir::new().unwrap());
        run(&format!("cp -r compose compose.yaml poll.toml {}", copy.path().display()));
        fs::write(copy.path().join("killer"), KILLER).unwrap();
        fs::create_dir(copy.path().join("bin")).unwrap();
        fs::write(copy.docker(), DOCKER).unwrap();
        run(&format!("chmod +x {}", copy.docker().display()));
        copy
    }

    /// Another copy in the same state.
    fn again(&self) -> Self {
        let copy = Self(TempDir::new().unwrap());
        run(&format!("cp -r {}/. {}", self.path().display(), copy.path().display()));
        copy
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn docker(&self) -> PathBuf {
        self.path().join("bin/docker")
    }

    /// Kills the script before a line, and runs it again. Returns false if there is no such line.
    fn survives(&self, line: usize, retired_key: &str) -> bool {
        if self.attempt(&[("DIE_BEFORE_NUMBER", &line.to_string())]) {
            return false;
        }
        let signs = self.complete(&format!("killed before line {line}"));
        assert_ne!(signs, retired_key, "killed before line {line}");
        true
    }

    /// Runs the script, with the stand-in for Docker. Returns whether it came to its end.
    fn attempt(&self, settings: &[(&str, &str)]) -> bool {
        let mut script = Command::new(self.path().join("compose/secrets.sh"));
        let path = format!("{}:{}", self.path().join("bin").display(), env::var("PATH").unwrap());
        script.env("PATH", path).env("NOTES", self.path()).env_remove("SECRETS");
        script.env("LINES_RUN", self.path().join("count")).env("BASH_ENV", self.path().join("killer"));
        // A process group of its own, so that the killer kills nobody else.
        script.envs(settings.iter().copied()).process_group(0);
        script.output().unwrap().status.success()
    }

    /// Runs the script to its end, and checks that the deployment has what it needs. Returns the
    /// cookie key that signs.
    fn complete(&self, when: &str) -> String {
        let former = self.note("keys");
        assert!(self.attempt(&[]), "it does not come to its end, {when}");
        let own = self.path().join("compose/secrets/own");
        let password = fs::read_to_string(own.join("database_password")).unwrap();
        assert_eq!(password, self.note("told"), "the database's password, {when}");
        assert!(
            fs::read_to_string(self.path().join(".env")).unwrap().contains("SECRETS=compose/secrets/own\n")
        );
        let keys = self.keys();
        assert!(former.lines().all(|key| keys.iter().any(|kept| kept == key)), "{keys:?} {when}");
        keys[0].clone()
    }

    fn keys(&self) -> Vec<String> {
        let keys = fs::read_to_string(self.path().join("compose/secrets/own/cookie_key")).unwrap();
        keys.lines().map(str::to_owned).collect()
    }

    fn note(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap_or_default()
    }
}
