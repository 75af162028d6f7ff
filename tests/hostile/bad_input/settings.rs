//! Flags and environment variables that make no sense.

use harness::Service;

use super::SETTINGS;

/// A password that no message may repeat.
const SECRET: &str = "hunter2";

/// The variables with which each program starts. A case overrides one of them.
const USUAL: [(&str, &[(&str, &str)]); 4] = [
    ("vote", &[REDIS, KEY, LISTEN, MANAGEMENT]),
    ("worker", &[REDIS, DATABASE, MANAGEMENT]),
    ("result", &[REDIS, DATABASE, LISTEN, MANAGEMENT]),
    ("urna", &[("VOTE_LISTEN", "127.0.0.1:0"), ("RESULT_LISTEN", "127.0.0.1:0")]),
];
const REDIS: (&str, &str) = ("REDIS_URL", "redis://127.0.0.1:1/");
const DATABASE: (&str, &str) = ("DATABASE_URL", "postgres://postgres@127.0.0.1:1/postgres");
const KEY: (&str, &str) = ("COOKIE_KEY", "long enough for a key that signs cookies");
const LISTEN: (&str, &str) = ("LISTEN", "127.0.0.1:0");
const MANAGEMENT: (&str, &str) = ("MANAGEMENT_LISTEN", "127.0.0.1:0");

/// The programs, the variable, its bad values, and the words that the refusal must contain.
const VARIABLES: &[(&[&str], &str, &[&str], &str)] = &[
    (&["vote", "result"], "LISTEN", &["80", "localhost:80"], "--listen"),
    (&["vote", "worker", "result"], "MANAGEMENT_LISTEN", &["9000", "0.0.0.0"], "--management-listen"),
    (&["urna"], "VOTE_LISTEN", &["8000"], "--vote-listen"),
    (&["urna"], "RESULT_LISTEN", &["8001"], "--result-listen"),
    (&["vote", "worker", "result"], "DRAIN", &["3", "-3s", "soon"], "--drain"),
    (&["vote", "worker", "result"], "NODE", &[" ", "one\ntwo"], "NODE is the name of a machine"),
    (&["result"], "PLATFORM", &["docker", "Compose", "k8s"], "[possible values: compose, swarm, kubernetes]"),
    (&["vote", "urna"], "QUEUE_MAX", &["0", "-1", "1e6"], "--queue-max"),
    (&["vote"], "REQUIRE_DURABLE_QUEUE", &["yes", "1"], "--require-durable-queue"),
    (
        &["vote", "result", "urna"],
        "VOTE_URL",
        &["vote.example", "ftp://vote.example", "//vote.example"],
        "--vote-url",
    ),
    (&["vote", "urna"], "RESULT_URL", &["localhost:8001", "javascript:alert(1)"], "--result-url"),
    (
        &["vote", "worker", "result"],
        "REDIS_URL",
        &["127.0.0.1:6379", "http://127.0.0.1/", "REDIS://x"],
        "REDIS_URL must begin with redis:// or, for TLS, rediss://",
    ),
    (
        &["vote", "worker", "result"],
        "REDIS_URL",
        &[
            "redis://:hunter2@",
            "redis://:hunter2@x:port/",
            "redis://:hunter2@x:99999/",
            "redis://:hunter2@x/zero",
        ],
        "REDIS_URL is not of the form redis://HOST:6379/",
    ),
    (
        &["worker", "result"],
        "DATABASE_URL",
        &["127.0.0.1:5432", "mysql://u:hunter2@x/y", "sqlite:data"],
        "DATABASE_URL must begin with postgres://",
    ),
    (
        &["worker", "result"],
        "DATABASE_URL",
        &[
            "postgres://u:hunter2@x:port/y",
            "postgres://u:hunter2@x:99999/y",
            "postgres://u:hunter2@x/y?sslmode=perhaps",
        ],
        "DATABASE_URL is not of the form postgres://",
    ),
    (
        &["vote"],
        "COOKIE_KEY",
        &[
            "short",
            "                                        ",
            "long enough for a key that signs cookies\nhunter2",
        ],
        "COOKIE_KEY",
    ),
    (
        &["vote", "worker", "result"],
        "REDIS_URL_FILE",
        &["/nowhere"],
        "both REDIS_URL and REDIS_URL_FILE are set",
    ),
    (
        &["vote", "worker", "result"],
        "REDIS_PASSWORD_FILE",
        &["/nowhere", "/", "/dev/null"],
        "(REDIS_PASSWORD_FILE)",
    ),
    (
        &["worker", "result"],
        "DATABASE_PASSWORD_FILE",
        &["/nowhere", "/", "/dev/null"],
        "(DATABASE_PASSWORD_FILE)",
    ),
    (
        &["vote", "result", "urna"],
        "OPTION_A",
        &[" ", "a\nb", "Cola Cao"],
        "with OPTION_A and OPTION_B is broken",
    ),
    (&["urna"], "DATA", &["/dev/null", "/proc/nowhere"], "cannot"),
];

/// The program, its arguments, and the words that the refusal must contain.
const FLAGS: &[(&str, &[&str], &str)] = &[
    ("vote", &["--port", "80"], "unexpected argument '--port'"),
    ("vote", &["verify"], "unrecognized subcommand 'verify'"),
    ("vote", &["healthcheck", "--fast"], "unexpected argument '--fast'"),
    ("worker", &["--poll", "x"], "unexpected argument '--poll'"),
    ("result", &["--queue-max", "5"], "unexpected argument '--queue-max'"),
    ("urna", &["--redis-url", "redis://x"], "unexpected argument '--redis-url'"),
    ("urna", &["verify", "--data", "/nowhere"], "there is no data file /nowhere"),
];

#[tokio::test]
async fn a_setting_that_makes_no_sense_is_refused_by_its_name() {
    let mut cases = 0;
    for (programs, name, values, says) in VARIABLES {
        for program in *programs {
            for value in *values {
                let usual = USUAL.iter().find(|(usual, _)| usual == program).unwrap().1;
                let service = Service::spawn(program, &[usual, &[(*name, *value)]].concat());
                assert_refused(service, &format!("{program}, {name}={value}"), says).await;
                cases += 1;
            }
        }
    }
    for (program, arguments, says) in FLAGS {
        let service = Service::spawn_with(program, arguments, &[]);
        assert_refused(service, &format!("{program} {arguments:?}"), says).await;
        cases += 1;
    }
    assert_eq!(cases, SETTINGS);
}

async fn assert_refused(mut service: Service, case: &str, says: &str) {
    let status = service.exit().await;
    let said = service.output();
    assert!(matches!(status.code(), Some(1 | 2)), "{case}: {status}\n{said}");
    assert!(said.contains(says), "{case}: {said}\nshould say {says:?}");
    assert!(!said.contains("panicked") && !said.contains(SECRET), "{case}: {said}");
}
