//! How the ballot page answers requests that are not a proper vote.

use std::time::Duration;

use harness::{Embedded, Voter, client};
use reqwest::header::COOKIE;
use reqwest::{Method, Response};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[tokio::test]
async fn a_vote_from_another_site_is_refused_and_one_from_our_own_page_is_not() {
    let (_data, urna) = start().await;
    let own = urna.vote.as_str();
    let cases: [(&[(&str, &str)], u16); 9] = [
        (&[("sec-fetch-site", "cross-site")], 403),
        (&[("sec-fetch-site", "same-site")], 403),
        (&[("sec-fetch-site", "same-origin")], 303),
        (&[("sec-fetch-site", "none")], 303),
        (&[("sec-fetch-site", "cross-site"), ("origin", own)], 403),
        (&[("origin", "http://evil.example")], 403),
        (&[("origin", "http://evil.example"), ("x-forwarded-host", "evil.example")], 403),
        (&[("origin", "null")], 403),
        (&[("origin", own)], 303),
    ];
    for (headers, expected) in cases {
        let answer = post(&urna, &[&[FORM], headers].concat(), "vote=a").await;
        assert_eq!(answer.status(), expected, "{headers:?}");
        if expected == 403 {
            assert_says(answer, "another site").await;
        }
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_answered_with_a_page() {
    let (_data, urna) = start().await;
    for (method, path, status, sentence) in [
        (Method::GET, "/nothing", 404, "nothing at this address"),
        (Method::POST, "/nothing", 404, "nothing at this address"),
        (Method::PUT, "/", 405, "does not take"),
        (Method::DELETE, "/", 405, "does not take"),
    ] {
        let answer = client().request(method.clone(), format!("{}{path}", urna.vote)).send().await.unwrap();
        assert_eq!(answer.status(), status, "{method} {path}");
        assert_says(answer, sentence).await;
    }
}

#[tokio::test]
async fn only_get_gives_out_an_identity_and_only_to_those_who_have_none() {
    let (_data, urna) = start().await;
    let head = client().head(&urna.vote).send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.headers().get("set-cookie")), (200, None));

    let voter = Voter::arrive(&urna.vote).await;
    let again = client().get(&urna.vote).header(COOKIE, &voter.cookie).send().await.unwrap();
    assert_eq!(again.headers().get("set-cookie"), None);

    let post = client().post(&urna.vote).header(FORM.0, FORM.1).body("vote=a").send().await.unwrap();
    assert_eq!((post.status().as_u16(), post.headers().get("set-cookie")), (403, None));
    assert_says(post, "-b voter.txt -c voter.txt -d vote=a http://127.0.0.1:").await;
}

#[tokio::test]
async fn a_browser_with_a_forged_or_garbled_cookie_is_given_a_new_one() {
    let (_data, urna) = start().await;
    let honest = Voter::arrive(&urna.vote).await.cookie;
    let stranger = Voter::arrive(&urna.vote).await.cookie;
    let (signature, _) = honest.split_at(50);
    let (_, somebody) = stranger.split_at(50);
    for cookie in [format!("{signature}{somebody}"), "voter=".into(), "voter=%ff".into(), "=;;=voter".into()]
    {
        let get = client().get(&urna.vote).header(COOKIE, &cookie).send().await.unwrap();
        assert!(get.headers().contains_key("set-cookie"), "{cookie}");
    }
}

#[tokio::test]
async fn pages_are_never_cached_and_their_files_always() {
    let (_data, urna) = start().await;
    let page = client().get(&urna.vote).send().await.unwrap();
    assert_eq!(page.headers()["cache-control"], "no-store");
    let html = page.text().await.unwrap();
    let path = html.split('"').find(|part| part.starts_with("/assets/")).expect("a style sheet");
    let style = client().get(format!("{}{path}", urna.vote)).send().await.unwrap();
    assert_eq!(style.status(), 200);
    assert_eq!(style.headers()["cache-control"], "public, max-age=31536000, immutable");
}

#[tokio::test]
async fn nothing_inline_and_nothing_from_elsewhere_is_run() {
    let (_data, urna) = start().await;
    for url in [&urna.vote, &urna.result] {
        let page = client().get(url).send().await.unwrap();
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        let html = page.text().await.unwrap();
        let outside = |part: &&str| part.starts_with("http") && !part.contains("127.0.0.1");
        assert_eq!(html.split('"').find(outside), None);
        let handler = |word: &&str| word.starts_with("on") && word.contains('=');
        assert_eq!(html.split_whitespace().find(handler), None);
        assert!(!html.contains("<style") && !html.contains("style="), "{html}");
    }
}

/// This test and the next one wait for real timeouts of 10 s. That there is a limit matters more than
/// its exact length.
#[tokio::test]
async fn clients_that_are_silent_or_send_a_byte_a_second_are_dropped() {
    let (_data, urna) = start().await;
    let address = urna.vote.trim_start_matches("http://");
    let cookie = Voter::arrive(&urna.vote).await.cookie;
    let body = format!(
        "POST / HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\nContent-Type: {}\r\nContent-Length: 900\r\n\r\n",
        FORM.1
    );
    let answered = "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n";
    tokio::join!(
        assert_dropped("a silent client", address, "", false),
        assert_dropped("slow headers", address, "GET / HTTP/1.1\r\n", true),
        assert_dropped("a slow body", address, &body, true),
        assert_dropped("one that falls silent after an answer", address, answered, false),
    );
}

#[tokio::test]
async fn a_client_that_takes_no_answers_is_dropped() {
    let (_data, urna) = start().await;
    let mut stream = TcpStream::connect(urna.vote.trim_start_matches("http://")).await.unwrap();
    // Sends requests until the server, whose answers are not read, stops reading.
    let asking = async { while stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.is_ok() {} };
    timeout(Duration::from_secs(40), asking).await.expect("the end of the connection");
}

async fn assert_dropped(who: &str, address: &str, first: &str, trickles: bool) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(first.as_bytes()).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let trickle = async {
        while trickles && writer.write_all(b"x").await.is_ok() {
            sleep(Duration::from_secs(1)).await;
        }
        std::future::pending::<()>().await;
    };
    let mut answer = Vec::new();
    tokio::select! {
        ended = timeout(Duration::from_secs(15), reader.read_to_end(&mut answer)) => {
            assert!(ended.is_ok(), "{who} is still connected");
        }
        () = trickle => {}
    }
}

async fn start() -> (TempDir, Embedded) {
    let data = TempDir::new().unwrap();
    let urna = Embedded::start(data.path()).await;
    (data, urna)
}

/// Posts as a known voter, so that only the rest of the request is wrong.
async fn post(urna: &Embedded, headers: &[(&str, &str)], body: &str) -> Response {
    let voter = Voter::arrive(&urna.vote).await;
    let mut request = client().post(&urna.vote).header(COOKIE, voter.cookie);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.to_owned()).send().await.unwrap()
}

async fn assert_says(answer: Response, sentence: &str) {
    let text = answer.text().await.unwrap();
    assert!(text.contains(sentence), "{text}\nshould say {sentence:?}");
}
