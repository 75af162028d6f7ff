//! An election during which a stranger sends bad input.

use std::time::Duration;

use election::{Choice, VoterId};
use harness::{Deployment, Replica, Voter, client, totals_of};
use load_test::cookie::Cookie;
use load_test::vote::{Answer, Vote};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than any answer takes: our longest timeout is 10 s.
const PATIENCE: Duration = Duration::from_secs(30);

const HONEST: usize = 3;

/// Some cases send this tag. No answer may repeat it unescaped.
const TAG: &str = "<script>evil";

/// The first line of a vote.
pub const CAST: &str = "POST / HTTP/1.1";

pub struct Election {
    pub deployment: Deployment,
    pub vote: Replica,
    worker: Replica,
    result: Replica,
    /// Sends the requests that must be refused. None of them may count.
    pub stranger: Voter,
    /// Sends votes of an odd form, always for option a.
    pub oddball: Voter,
    pub honest: Vec<Voter>,
    cases: usize,
}

impl Election {
    pub async fn open() -> Self {
        let deployment = Deployment::start().await;
        let (vote, worker, result) = deployment.one_of_each().await;
        let [stranger, oddball] = [Voter::arrive(&vote.url).await, Voter::arrive(&vote.url).await];
        let mut honest = Voter::arrive_many(&vote.url, HONEST).await;
        for voter in &mut honest {
            voter.insist(&[&vote.url], "a").await;
        }
        Self { deployment, vote, worker, result, stranger, oddball, honest, cases: 0 }
    }

    /// Counts cases that were tried without [`Election::expect`].
    pub fn tried(&mut self, cases: usize) {
        self.cases += cases;
    }

    /// A ballot from beside the page that must count.
    pub fn must_count(&mut self, id: VoterId, choice: Choice, ord: i64) {
        let vote = Vote { answer: Answer::Recorded { ord }, ..Vote::sent_now(choice) };
        self.honest.push(Voter { id, cookie: String::new(), votes: vec![vote] });
    }

    /// A vote as a browser sends it. The header lines of the case replace the browser's.
    pub fn request(&self, line: &str, cookie: &str, lines: &[u8], body: &[u8]) -> Vec<u8> {
        let usual = [
            ("host", self.address().to_owned()),
            ("cookie", cookie.to_owned()),
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ("content-length", body.len().to_string()),
            ("connection", "close".to_owned()),
        ];
        let given = String::from_utf8_lossy(lines).to_lowercase();
        let is_given = |name: &str| given.lines().any(|line| line.split([':', ' ']).next() == Some(name));
        let is_replaced = |name: &str| match name {
            "content-length" => is_given(name) || is_given("transfer-encoding"),
            _ => is_given(name),
        };
        let mut request = format!("{line}\r\n").into_bytes();
        for (name, value) in usual.iter().filter(|(name, _)| !is_replaced(name)) {
            request.extend(format!("{name}: {value}\r\n").as_bytes());
        }
        if !lines.is_empty() {
            request.extend([lines, b"\r\n"].concat());
        }
        request.extend([b"\r\n", body].concat());
        request
    }

    /// Casts a vote with these lines and this body, and checks the answer.
    pub async fn expect(&mut self, lines: &[u8], body: &[u8], status: u16, says: &str) {
        self.expect_for(CAST, lines, body, status, says).await;
    }

    pub async fn expect_for(&mut self, line: &str, lines: &[u8], body: &[u8], status: u16, says: &str) {
        let voter = if status == 303 { &self.oddball } else { &self.stranger };
        let request = self.request(line, &voter.cookie, lines, body);
        let answer = converse(self.address(), &request, false).await;
        let shown = String::from_utf8_lossy(&request[..request.len().min(400)]);
        let line = answer.lines().next().unwrap_or_default();
        assert!(line.contains(&format!(" {status} ")), "{line:?}, and not {status}, to\n{shown}");
        assert!(answer.contains(says), "{answer}\nshould say {says:?} to\n{shown}");
        assert!(!answer.contains(TAG), "{answer}\nrepeats a tag that it was sent in\n{shown}");
        if status == 303 {
            let kept = answer.lines().find(|line| line.starts_with("set-cookie:")).unwrap_or_default();
            let is_for_a =
                [".nesquik-cola-cao.a.", ".nesquik-cola-cao.a!"].iter().any(|own| kept.contains(own));
            assert!(is_for_a, "{answer}\nis recorded for another option, to\n{shown}");
            let cookie: Cookie = kept.trim_start_matches("set-cookie: ").parse().expect("a cookie");
            assert_eq!(cookie.voter, self.oddball.id);
            let vote = Vote::sent_now(Choice::at(0).expect("a first option"));
            let answer = Answer::Recorded { ord: cookie.ord };
            self.oddball.votes.push(Vote { answer, ..vote });
        }
        self.cases += 1;
    }

    pub fn address(&self) -> &str {
        self.vote.url.trim_start_matches("http://")
    }

    /// Lets honest voters vote once more. Then only honest votes may be counted, and every service be alive.
    pub async fn close(mut self, cases: usize) {
        assert_eq!(self.cases, cases, "the cases of this family");
        for voter in self.honest.iter_mut().take(HONEST) {
            voter.insist(&[&self.vote.url], "b").await;
        }
        let mut late = Voter::arrive(&self.vote.url).await;
        late.insist(&[&self.vote.url], "a").await;
        self.honest.extend([late, self.oddball]);
        self.deployment.counts_exactly(&self.honest).await;
        totals_of(&self.result.url, "the totals, live", |totals| totals["live"] == true).await;
        for replica in [&self.vote, &self.worker, &self.result] {
            assert_alive(replica).await;
        }
    }
}

/// Sends these bytes over a new connection, and returns everything that comes back.
pub async fn converse(address: &str, bytes: &[u8], then_leave: bool) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    // The server may close the connection before it has read everything.
    let _ = stream.write_all(bytes).await;
    if then_leave {
        let _ = stream.shutdown().await;
    }
    let mut answer = Vec::new();
    let ended = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(400)]);
    assert!(ended.is_ok(), "the connection is still open after\n{shown}");
    String::from_utf8_lossy(&answer).into_owned()
}

async fn assert_alive(replica: &Replica) {
    let livez = client().get(format!("{}/livez", replica.management)).send().await.expect("an answer");
    assert_eq!(livez.status(), 200, "{}", replica.service.output());
    replica.wait_until_ready().await;
    let said = replica.service.output();
    assert!(!said.contains("panicked"), "{said}");
}
