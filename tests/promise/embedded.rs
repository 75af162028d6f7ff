//! `cargo run`: a whole election in one process, with one data file.

use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use harness::{Embedded, Service, Voter, totals_of};
use tempfile::TempDir;

#[tokio::test]
async fn it_says_where_to_go_that_it_is_embedded_and_where_the_data_is() {
    let data = TempDir::new().unwrap();
    let urna = Embedded::start(data.path()).await;
    let said = urna.service.output();
    for expected in [&urna.vote, &urna.result, "Embedded", data.path().join("urna.db").to_str().unwrap()] {
        assert!(said.contains(expected), "{said}\nshould say {expected}");
    }
}

#[tokio::test]
async fn a_whole_election_is_counted_once() {
    let data = TempDir::new().unwrap();
    let urna = Embedded::start(data.path()).await;
    let mut voters = Voter::arrive_many(&urna.vote, 20).await;
    for (number, voter) in voters.iter_mut().enumerate() {
        voter.insist(&[&urna.vote], "a").await;
        if number % 4 == 0 {
            voter.insist(&[&urna.vote], "b").await;
        }
    }
    let done = |totals: &serde_json::Value| totals["total"] == 20 && totals["options"][1]["votes"] == 5;
    let totals = totals_of(&urna.result, "20 votes, 5 of them changed", done).await;
    assert_eq!(totals["options"][0]["votes"], 15);
    let (well, said) = verify(data.path()).await;
    assert!(well && said.contains("counted            20"), "{said}");
}

#[tokio::test]
async fn a_recorded_vote_survives_kill_9() {
    let data = TempDir::new().unwrap();
    for round in 1..=5 {
        let mut urna = Embedded::start(data.path()).await;
        let mut voter = Voter::arrive(&urna.vote).await;
        assert_eq!(voter.vote(&urna.vote, "a").await.unwrap().status(), 303);
        urna.service.kill().await;
        let urna = Embedded::start(data.path()).await;
        totals_of(&urna.result, "every recorded vote", |totals| totals["total"] == round).await;
    }
}

#[tokio::test]
async fn nobody_else_may_read_the_file_that_holds_the_cookies_key() {
    let data = TempDir::new().unwrap();
    std::fs::set_permissions(data.path(), Permissions::from_mode(0o755)).unwrap();
    let _urna = Embedded::start(data.path()).await;
    for file in ["urna.db", "urna.db-wal"] {
        let mode = std::fs::metadata(data.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file} has mode {mode:o}");
    }
}

#[tokio::test]
async fn ctrl_c_and_sigterm_end_it_well() {
    let data = TempDir::new().unwrap();
    for stop in [Service::interrupt, Service::terminate] {
        let mut urna = Embedded::start(data.path()).await;
        stop(&urna.service);
        assert!(urna.service.exit().await.success(), "{}", urna.service.output());
        assert!(urna.service.output().contains("Stopping"));
    }
}

#[tokio::test]
async fn a_second_server_on_the_same_data_is_refused_and_verify_is_not() {
    let data = TempDir::new().unwrap();
    let _first = Embedded::start(data.path()).await;
    let said = refusal(&["--data", data.path().to_str().unwrap()], &[]).await;
    assert!(said.contains("another urna serves") && said.contains("--data"), "{said}");
    let (well, said) = verify(data.path()).await;
    assert!(well, "{said}");
}

#[tokio::test]
async fn what_cannot_work_is_refused_in_one_line_that_names_it() {
    let data = TempDir::new().unwrap();
    let path = |name: &str| data.path().join(name).to_str().unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap().to_string();
    std::fs::write(path("file"), "").unwrap();
    std::fs::write(path("poll.toml"), "id = 'x'\nquestion = '?'\noptions = ['one']").unwrap();
    std::fs::create_dir(path("foreign")).unwrap();
    std::fs::write(path("foreign/urna.db"), "this is no database, and long enough to be looked at").unwrap();
    let (in_file, poll, foreign) = (path("file/data"), path("poll.toml"), path("foreign"));
    let cases: [(&[&str], &str); 5] = [
        (&["--vote-listen", &taken], "VOTE_LISTEN"),
        (&["--result-listen", &taken], "RESULT_LISTEN"),
        (&["--data", &in_file], "cannot create the data folder"),
        (&["--poll", &poll], "needs 2 to 10 options, not 1"),
        (&["--data", &foreign], "is not a data file of urna"),
    ];
    for (args, expected) in cases {
        let said = refusal(args, &[("DATA", &path("data"))]).await;
        assert!(said.contains(expected), "{said}\nshould say {expected}");
        assert_eq!(said.lines().count(), 1, "one line:\n{said}");
    }
}

#[tokio::test]
async fn another_programs_database_is_left_as_it_was() {
    let data = TempDir::new().unwrap();
    let file = data.path().join("urna.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::raw_sql("CREATE TABLE theirs (x)").execute(&pool).await.unwrap();
    pool.close().await;
    let before = std::fs::read(&file).unwrap();
    let said = refusal(&["--data", data.path().to_str().unwrap()], &[]).await;
    assert!(said.contains("is not a data file of urna"), "{said}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[tokio::test]
async fn verify_fails_on_a_difference_and_without_a_data_file() {
    let data = TempDir::new().unwrap();
    let (well, said) = verify(data.path()).await;
    assert!(!well && said.contains("there is no data file"), "{said}");
    let urna = Embedded::start(data.path()).await;
    Voter::arrive(&urna.vote).await.insist(&[&urna.vote], "a").await;
    totals_of(&urna.result, "one vote", |totals| totals["total"] == 1).await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(data.path().join("urna.db"));
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::raw_sql("UPDATE totals SET votes = 7").execute(&pool).await.unwrap();
    let (well, said) = verify(data.path()).await;
    assert!(!well && said.contains("option a: counted 7, but the ballots for it are 1"), "{said}");
}

#[tokio::test]
async fn other_labels_start_another_election_and_the_old_one_stays() {
    let data = TempDir::new().unwrap();
    let mut urna = Embedded::start(data.path()).await;
    Voter::arrive(&urna.vote).await.insist(&[&urna.vote], "a").await;
    totals_of(&urna.result, "one vote", |totals| totals["total"] == 1).await;
    urna.service.kill().await;
    let mut other = Embedded::start_with(data.path(), &[("OPTION_A", "Cats"), ("OPTION_B", "Dogs")]).await;
    let totals = totals_of(&other.result, "the new poll", |totals| totals["total"] == 0).await;
    assert_eq!(totals["options"][0]["label"], "Cats");
    other.service.kill().await;
    let again = Embedded::start(data.path()).await;
    totals_of(&again.result, "the old vote", |totals| totals["total"] == 1).await;
}

async fn verify(data: &Path) -> (bool, String) {
    let mut verify = Service::spawn_with("urna", &["verify", "--data", data.to_str().unwrap()], &[]);
    let well = verify.exit().await.success();
    (well, verify.output())
}

/// Starts a server that must refuse to serve, and returns its output.
async fn refusal(args: &[&str], env: &[(&str, &str)]) -> String {
    let free = [("VOTE_LISTEN", "127.0.0.1:0"), ("RESULT_LISTEN", "127.0.0.1:0")];
    let mut urna = Service::spawn_with("urna", args, &[&free, env].concat());
    assert_eq!(urna.exit().await.code(), Some(1), "{}", urna.output());
    let said = urna.output();
    assert!(!said.contains("panicked") && !said.contains("backtrace"), "{said}");
    said
}
