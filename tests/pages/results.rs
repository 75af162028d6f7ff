//! What viewers of the results get from `/ws`, from `/api/totals` and from the page.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use harness::{Deployment, Embedded, Postgres, Redis, Voter, client, totals_of};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// How long a message may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The largest message of a viewer, in bytes.
const SAID_MAX: usize = 1024;

#[tokio::test]
async fn a_viewer_gets_the_totals_at_once_and_then_every_change() {
    let data = TempDir::new().unwrap();
    let urna = Embedded::start(data.path()).await;
    let mut viewer = Viewer::join(&urna.result).await;
    let first = viewer.next().await;
    assert_eq!((&first["total"], &first["question"]), (&0.into(), &"¿De qué somos?".into()));
    let mut voter = Voter::arrive(&urna.vote).await;
    voter.vote(&urna.vote, "a").await.unwrap();
    let second = viewer.until(|totals| totals["total"] == 1).await;
    voter.vote(&urna.vote, "b").await.unwrap();
    let third = viewer.until(|totals| totals["options"][1]["votes"] == 1).await;
    assert_eq!(third["options"][0]["votes"], 0);
    assert!(third["version"].as_i64() > second["version"].as_i64());
    assert_eq!(third["epoch"], first["epoch"]);
}

#[tokio::test]
async fn a_page_gets_its_view_in_the_readers_language() {
    let data = TempDir::new().unwrap();
    let urna = Embedded::start(data.path()).await;
    let mut page = Viewer::join_at(&urna.result, "/ws/es").await;
    assert_eq!(page.next().await["headline"], "Todavía no hay votos.");
    Voter::arrive(&urna.vote).await.vote(&urna.vote, "a").await.unwrap();
    let leads = "\u{2068}Nesquik\u{2069} va por delante por 1 voto.";
    let view = page.until(|view| view["headline"] == leads).await;
    let option = serde_json::json!({
        "votes": "1 voto", "share": "100,0\u{a0}%", "bar": "100.00%", "leads": true
    });
    assert_eq!(view["options"][0], option);
}

/// Otherwise a page would take the silent connection for a lost one.
#[tokio::test]
async fn a_viewer_is_told_again_while_nothing_changes() {
    let data = TempDir::new().unwrap();
    let urna = Embedded::start(data.path()).await;
    let mut viewer = Viewer::join(&urna.result).await;
    let first = viewer.next().await;
    let again = viewer.until(|totals| totals["as_of"] != first["as_of"]).await;
    assert_eq!(again["version"], first["version"]);
}

#[tokio::test]
async fn a_viewer_gets_at_most_twenty_messages_a_second_and_the_newest_wins() {
    let data = TempDir::new().unwrap();
    let urna = Embedded::start(data.path()).await;
    let mut viewer = Viewer::join(&urna.result).await;
    viewer.next().await;
    let started = Instant::now();
    let voting = async {
        for mut voter in Voter::arrive_many(&urna.vote, 150).await {
            voter.vote(&urna.vote, "a").await.unwrap();
        }
    };
    let watching = async {
        let mut messages = 1;
        while viewer.next().await["total"] != 150 {
            messages += 1;
        }
        messages
    };
    let ((), messages) = tokio::join!(voting, watching);
    let allowed = started.elapsed().as_millis() / 50 + 2;
    assert!(messages <= allowed, "{messages} messages, and at most {allowed} are allowed");
}

#[tokio::test]
async fn a_stopping_server_closes_with_1001() {
    let data = TempDir::new().unwrap();
    let mut urna = Embedded::start(data.path()).await;
    let mut viewer = Viewer::join(&urna.result).await;
    viewer.next().await;
    urna.service.terminate();
    assert_eq!(viewer.goodbye().await.map(|frame| frame.code.into()), Some(1001));
    assert!(urna.service.exit().await.success());
}

#[tokio::test]
async fn what_a_viewer_says_is_ignored_and_one_who_says_too_much_is_let_go() {
    let data = TempDir::new().unwrap();
    let urna = Embedded::start(data.path()).await;
    let first = |length| Message::Frame(Frame::message("x".repeat(length), OpCode::Data(Data::Text), false));
    let last =
        |length| Message::Frame(Frame::message("x".repeat(length), OpCode::Data(Data::Continue), true));
    let ignored = [
        vec![Message::text("hello")],
        vec![Message::binary(vec![0xff])],
        vec![Message::Pong("unasked".into())],
        vec![Message::text("x".repeat(SAID_MAX))],
        vec![first(SAID_MAX / 2), last(SAID_MAX / 2)],
        vec![Message::text("x"); 5_000],
    ];
    for messages in ignored {
        let mut viewer = Viewer::join(&urna.result).await;
        viewer.say(messages).await;
        viewer.hears_an_answer_to_a_ping().await;
    }
    for messages in [vec![Message::text("x".repeat(SAID_MAX + 1))], vec![first(SAID_MAX), last(1)]] {
        let mut viewer = Viewer::join(&urna.result).await;
        viewer.say(messages).await;
        viewer.goodbye().await;
    }
}

#[tokio::test]
async fn while_postgres_is_away_the_last_totals_stay_and_say_so() {
    let mut deployment = Deployment::start().await;
    let (vote, _worker, result) = deployment.one_of_each().await;
    let mut voter = Voter::arrive(&vote.url).await;
    voter.insist(&[&vote.url], "a").await;
    let mut viewer = Viewer::join(&result.url).await;
    viewer.until(|totals| totals["total"] == 1 && totals["live"] == true).await;

    deployment.postgres.kill().await;
    let stale = viewer.until(|totals| totals["live"] == false).await;
    assert_eq!(stale["total"], 1);
    let page = client().get(&result.url).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("the database is away"), "{page}");
    let (status, said) = result.readyz().await.unwrap();
    assert_eq!(status, 200, "the last totals are worth serving");
    assert!(said.contains("ledger: warning: away"), "{said}");
    voter.insist(&[&vote.url], "b").await;
    viewer.until(|totals| totals["waiting"] == 1).await;

    deployment.postgres.resume().await;
    viewer.until(|totals| totals["live"] == true && totals["options"][1]["votes"] == 1).await;
}

#[tokio::test]
async fn before_postgres_ever_answered_the_api_says_so() {
    let deployment = Deployment::over(Redis::start().await, Postgres::reserve());
    let mut result = deployment.spawn("result", &[]);
    result.service.line("the ledger is away").await;
    let answer = client().get(format!("{}/api/totals", result.url)).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (503, "2"));
    assert!(answer.text().await.unwrap().contains("the database has not answered"));
    let mut page = Viewer::join_at(&result.url, "/ws/en").await;
    let view = page.next().await;
    assert_eq!(
        (&view["headline"], &view["total"]),
        (&"The database has not answered yet.".into(), &"".into())
    );
    let no_socket = client().get(format!("{}/ws", result.url)).send().await.unwrap();
    assert_eq!(no_socket.status(), 426);
    assert_eq!(result.readyz().await.unwrap().0, 503);
}

#[tokio::test]
async fn a_lost_notification_delays_a_change_and_loses_none() {
    let deployment = Deployment::start().await;
    let (vote, _worker, result) = deployment.one_of_each().await;
    let mut viewer = Viewer::join(&result.url).await;
    viewer.next().await;
    let deafened: Vec<(bool,)> =
        sqlx::query_as("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
            .fetch_all(&deployment.postgres.pool().await)
            .await
            .unwrap();
    assert_eq!(deafened, [(true,)]);
    Voter::arrive(&vote.url).await.insist(&[&vote.url], "a").await;
    viewer.until(|totals| totals["total"] == 1).await;
}

#[tokio::test]
async fn a_wiped_ledger_is_a_new_epoch_that_counts_on() {
    let deployment = Deployment::start().await;
    let (vote, _worker, result) = deployment.one_of_each().await;
    let mut voter = Voter::arrive(&vote.url).await;
    voter.insist(&[&vote.url], "a").await;
    let before = totals_of(&result.url, "one vote", |totals| totals["total"] == 1).await;
    sqlx::raw_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        .execute(&deployment.postgres.pool().await)
        .await
        .unwrap();
    totals_of(&result.url, "a new epoch", |totals| totals["epoch"] != before["epoch"]).await;
    voter.insist(&[&vote.url], "b").await;
    totals_of(&result.url, "the vote in the new epoch", |totals| totals["options"][1]["votes"] == 1).await;
}

#[tokio::test]
async fn the_page_is_complete_without_its_script_and_labels_are_only_text() {
    let data = TempDir::new().unwrap();
    let labels = [("OPTION_A", "<script>alert(1)</script>"), ("OPTION_B", "\"'&")];
    let urna = Embedded::start_with(data.path(), &labels).await;
    let mut voter = Voter::arrive(&urna.vote).await;
    voter.insist(&[&urna.vote], "a").await;
    let settled = |totals: &Value| totals["total"] == 1 && totals["waiting"] == 0;
    totals_of(&urna.result, "one vote, and none that waits", settled).await;
    for url in [&urna.vote, &urna.result] {
        let page = client().get(url).send().await.unwrap().text().await.unwrap();
        assert!(!page.contains("<script>") && page.contains("alert(1)"), "{page}");
    }
    let page = client().get(&urna.result).send().await.unwrap().text().await.unwrap();
    assert!(page.contains(">1 vote<") && page.contains(r#"width="100.00%""#), "{page}");
}

struct Viewer(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Viewer {
    async fn join(url: &str) -> Self {
        Self::join_at(url, "/ws").await
    }

    async fn join_at(url: &str, path: &str) -> Self {
        let (socket, _) = connect_async(format!("{}{path}", url.replace("http", "ws"))).await.unwrap();
        Self(socket)
    }

    async fn next(&mut self) -> Value {
        self.until(|_| true).await
    }

    async fn until(&mut self, condition: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let found = async {
            loop {
                if let Message::Text(text) = self.0.next().await.expect("an open socket").unwrap() {
                    last = serde_json::from_str(&text).unwrap();
                    if condition(&last) {
                        return;
                    }
                }
            }
        };
        let in_time = timeout(PATIENCE, found).await;
        assert!(in_time.is_ok(), "in vain; the last totals were {last}");
        last
    }

    async fn say(&mut self, messages: Vec<Message>) {
        for message in messages {
            self.0.send(message).await.unwrap();
        }
    }

    async fn hears_an_answer_to_a_ping(&mut self) {
        let ping = Bytes::from("after all this");
        self.0.send(Message::Ping(ping.clone())).await.unwrap();
        let answered = async {
            while self.0.next().await.expect("an open socket").unwrap() != Message::Pong(ping.clone()) {}
        };
        timeout(PATIENCE, answered).await.expect("an answer to the ping");
    }

    /// Reads until the server closes the socket, and returns its close frame.
    async fn goodbye(&mut self) -> Option<CloseFrame> {
        let closed = async {
            let mut frame = None;
            while let Some(Ok(message)) = self.0.next().await {
                if let Message::Close(close) = message {
                    frame = close;
                }
            }
            frame
        };
        timeout(PATIENCE, closed).await.expect("the end of the socket")
    }
}
