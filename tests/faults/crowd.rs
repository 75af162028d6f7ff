//! Voters who vote, change their minds, and write down what they are told.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::header::{ACCEPT_LANGUAGE, CONTENT_TYPE, COOKIE, HeaderMap, SET_COOKIE};
use reqwest::{Client, Response, redirect};
use tokio::task::{JoinSet, block_in_place};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::diary::Diary;
use super::verdict::Answer;

/// At the same time; each is followed by another when they have had enough.
const VOTERS: usize = 12;

/// As many options as a poll may have: a choice that comes back hides that a vote was lost.
pub const OPTIONS: [char; 10] = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];

/// How probable it is that a vote is the voter's last, so that at every moment somebody's last
/// vote is under way: a loss that a later vote makes good cannot be seen.
const LAST_VOTE: f64 = 0.15;

/// Between two votes.
const THINKING_MS: std::ops::Range<u64> = 10..80;

/// Longer than `vote` waits for its queue, and so for the answer that a vote is not confirmed.
const PATIENCE: Duration = Duration::from_secs(8);

/// Some vote again although their last vote may still be on its way.
const IMPATIENCE: Duration = Duration::from_secs(1);

/// Before a page that did not answer is asked again.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// Everybody who votes, and somebody who watches.
pub struct Crowd {
    voters: JoinSet<()>,
    recorded: Arc<[AtomicU64]>,
    enough: CancellationToken,
}

impl Crowd {
    /// Lets them vote at these addresses, and watch at that one; times are told since `began`.
    pub fn gather(urls: &[String], results: String, diaries: &Path, began: Instant, seed: u64) -> Self {
        let (mut voters, enough) = (JoinSet::new(), CancellationToken::new());
        let recorded: Arc<[AtomicU64]> = (0..VOTERS).map(|_| AtomicU64::new(0)).collect();
        for number in 0..VOTERS {
            let seat = Seat {
                number,
                urls: urls.to_vec(),
                diary: Diary::open(diaries, number),
                began,
                rng: StdRng::seed_from_u64(seed.wrapping_add(number as u64)),
                recorded: recorded.clone(),
            };
            voters.spawn(seat.vote_until(enough.clone()));
        }
        voters.spawn(watch_until(enough.clone(), results));
        Self { voters, recorded, enough }
    }

    /// How many votes were recorded at each seat.
    pub fn recorded(&self) -> Vec<u64> {
        self.recorded.iter().map(|count| count.load(Ordering::Relaxed)).collect()
    }

    /// Lets each get the answer to their last vote, and closes all connections.
    pub async fn disperse(self) {
        self.enough.cancel();
        self.voters.join_all().await;
    }
}

/// Where one votes after the other.
struct Seat {
    number: usize,
    urls: Vec<String>,
    diary: Diary,
    began: Instant,
    rng: StdRng,
    recorded: Arc<[AtomicU64]>,
}

impl Seat {
    async fn vote_until(mut self, enough: CancellationToken) {
        while !enough.is_cancelled() {
            // A browser of their own.
            let client = client(if self.rng.random() { PATIENCE } else { IMPATIENCE });
            let Some(mut cookie) = self.arrive(&client, &enough).await else { return };
            let mut choice = self.rng.random_range(0..OPTIONS.len());
            while !enough.is_cancelled() {
                choice = (choice + 1) % OPTIONS.len();
                self.vote(&client, &mut cookie, OPTIONS[choice]).await;
                if self.rng.random_bool(LAST_VOTE) {
                    break;
                }
                sleep(Duration::from_millis(self.rng.random_range(THINKING_MS))).await;
            }
        }
    }

    async fn arrive(&mut self, client: &Client, enough: &CancellationToken) -> Option<String> {
        while !enough.is_cancelled() {
            if let Ok(page) = client.get(self.door()).send().await
                && let Some(cookie) = cookie_of(page.headers())
            {
                return Some(cookie);
            }
            sleep(ASK_AGAIN_AFTER).await;
        }
        None
    }

    async fn vote(&mut self, client: &Client, cookie: &mut String, choice: char) {
        let (voter, _) = read(cookie);
        self.diary.sends(&voter, choice, self.began.elapsed().as_millis() as u64);
        let request = client.post(self.door()).header(COOKIE, &*cookie).header(ACCEPT_LANGUAGE, "en");
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let Ok(response) = request.body(format!("vote={choice}")).send().await else {
            return block_in_place(|| self.diary.is_told(Answer::None, None));
        };
        if let Some(fresh) = cookie_of(response.headers()) {
            *cookie = fresh;
        }
        let answer = understand(response).await;
        block_in_place(|| self.diary.is_told(answer, Some(read(cookie).1)));
        if answer == Answer::Recorded {
            self.recorded[self.number].fetch_add(1, Ordering::Relaxed);
        }
    }

    fn door(&mut self) -> &str {
        let chosen = self.rng.random_range(0..self.urls.len());
        &self.urls[chosen]
    }
}

/// What they see is checked at the end; until then they are a reason for traffic.
async fn watch_until(enough: CancellationToken, results: String) {
    let client = client(IMPATIENCE);
    while !enough.is_cancelled() {
        let _ = client.get(&results).send().await;
        sleep(ASK_AGAIN_AFTER).await;
    }
}

/// Follows no redirect: a 303 is the answer.
fn client(patience: Duration) -> Client {
    let client = Client::builder().redirect(redirect::Policy::none()).timeout(patience);
    client.build().expect("a client")
}

async fn understand(response: Response) -> Answer {
    match response.status().as_u16() {
        303 => Answer::Recorded,
        503 => match response.text().await {
            Ok(page) if page.contains("Not recorded") => Answer::Refused,
            // Also if the rest of the page is lost on its way: the cookie came with its head.
            _ => Answer::Unconfirmed,
        },
        // A form that took longer than its time to arrive.
        408 => Answer::Refused,
        status => panic!("a vote was answered with {status}"),
    }
}

fn cookie_of(headers: &HeaderMap) -> Option<String> {
    let cookie = headers.get(SET_COOKIE)?.to_str().ok()?;
    Some(cookie.split(';').next()?.to_owned())
}

/// The voter's id and last order: a cookie is `voter=SIGNATURE=ID.ORD.…`.
fn read(cookie: &str) -> (String, i64) {
    let mut parts = cookie.split('=').nth(2).expect("a signed cookie").split('.');
    let voter = parts.next().expect("an id").to_owned();
    (voter, parts.next().and_then(|ord| ord.parse().ok()).expect("an order"))
}
