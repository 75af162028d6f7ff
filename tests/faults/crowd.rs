//! Voters who vote, change their minds, and remember what they are told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use caller::{Caller, Site};
use election::Choice;
use hyper::Request;
use load_test::vote::Told;
use load_test::voter::Voter;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// What `vote` answers to a form: recorded, not recorded or not confirmed, and a form that took longer than its time.
const ANSWERS: [u16; 3] = [303, 503, 408];

/// How many vote at the same time. Each who stops is followed by another.
const VOTERS: usize = 12;

/// How probable it is that a vote is the voter's last. At every moment somebody's last vote is under
/// way then, and only the loss of a last vote can be seen.
const LAST_VOTE: f64 = 0.15;

/// How long a voter pauses between two votes.
const THINKING_MS: std::ops::Range<u64> = 10..80;

/// Longer than `vote` waits for its queue, so that its answer *Not confirmed* still arrives.
const PATIENCE: Duration = Duration::from_secs(8);

/// Some vote again although their last vote may still be on its way.
const IMPATIENCE: Duration = Duration::from_secs(1);

/// How long a voter waits before another attempt to open the page.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// Everybody who votes, and somebody who watches.
pub struct Crowd {
    seats: JoinSet<Told>,
    viewer: JoinSet<()>,
    recorded: Arc<[AtomicU64]>,
    enough: CancellationToken,
}

impl Crowd {
    /// Lets them vote in this poll at these addresses, and watch at that one.
    pub fn gather(poll: &'static str, urls: &[String], results: &str, seed: u64) -> Self {
        let recorded: Arc<[AtomicU64]> = (0..VOTERS).map(|_| AtomicU64::new(0)).collect();
        let enough = CancellationToken::new();
        let seat = |number| Seat {
            number,
            poll,
            doors: urls.iter().map(|url| site(url)).collect(),
            rng: StdRng::seed_from_u64(seed.wrapping_add(number as u64)),
            recorded: recorded.clone(),
            told: Told::new(),
        };
        let seats = (0..VOTERS).map(|number| seat(number).vote_until(enough.clone())).collect();
        let viewer = JoinSet::from_iter([watch_until(enough.clone(), site(results))]);
        Self { seats, viewer, recorded, enough }
    }

    /// How many votes were recorded at each seat.
    pub fn recorded(&self) -> Vec<u64> {
        self.recorded.iter().map(|count| count.load(Ordering::Relaxed)).collect()
    }

    /// Waits until each has the answer to their last vote, and closes all connections. What they were told.
    pub async fn disperse(self) -> Told {
        self.enough.cancel();
        self.viewer.join_all().await;
        self.seats.join_all().await.into_iter().flatten().collect()
    }
}

/// Where one votes after the other.
struct Seat {
    number: usize,
    poll: &'static str,
    doors: Vec<Site>,
    rng: StdRng,
    recorded: Arc<[AtomicU64]>,
    told: Told,
}

impl Seat {
    async fn vote_until(mut self, enough: CancellationToken) -> Told {
        while !enough.is_cancelled() {
            // A browser of their own.
            let patience = if self.rng.random() { PATIENCE } else { IMPATIENCE };
            let mut callers: Vec<_> =
                self.doors.iter().map(|door| Caller::of(door).waiting(patience)).collect();
            let Some(mut voter) = self.arrive(&mut callers, &enough).await else { break };
            let mut position = self.rng.random_range(0..Choice::MAX);
            while !enough.is_cancelled() {
                position = (position + 1) % Choice::MAX;
                self.vote(&mut callers, &mut voter, position).await;
                if self.rng.random_bool(LAST_VOTE) {
                    break;
                }
                sleep(Duration::from_millis(self.rng.random_range(THINKING_MS))).await;
            }
            self.told.extend([voter.into_told()]);
        }
        self.told
    }

    async fn arrive(&mut self, callers: &mut [Caller], enough: &CancellationToken) -> Option<Voter> {
        while !enough.is_cancelled() {
            if let Ok(voter) = Voter::arrive(self.door(callers)).await {
                return Some(voter);
            }
            sleep(ASK_AGAIN_AFTER).await;
        }
        None
    }

    async fn vote(&mut self, callers: &mut [Caller], voter: &mut Voter, position: usize) {
        let choice = Choice::at(position).expect("an option");
        let reply = voter.cast(self.door(callers), self.poll, choice).await;
        if let Ok(status) = reply.status {
            assert!(ANSWERS.contains(&status.as_u16()), "a vote was answered with {status}");
        }
        if reply.answer.is_recorded() {
            self.recorded[self.number].fetch_add(1, Ordering::Relaxed);
        }
    }

    fn door<'a>(&mut self, callers: &'a mut [Caller]) -> &'a mut Caller {
        let chosen = self.rng.random_range(0..callers.len());
        &mut callers[chosen]
    }
}

/// What the viewer sees is checked at the end; until then it only makes traffic.
async fn watch_until(enough: CancellationToken, results: Site) {
    let mut caller = Caller::of(&results).waiting(IMPATIENCE);
    while !enough.is_cancelled() {
        let _ = caller.ask(Request::default()).await;
        sleep(ASK_AGAIN_AFTER).await;
    }
}

fn site(url: &str) -> Site {
    Site::new(&url.parse().expect("an address")).expect("an address with a host")
}
