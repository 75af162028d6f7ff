//! One round: starts everything, lets voters vote, strikes with faults, and checks the promise.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use harness::eventually;
use load_test::oracle::{overtaken, violations};
use load_test::vote::{Answer, Told};
use tokio::time::{Instant, sleep_until};

use crate::audience::Audience;
use crate::crowd::Crowd;
use crate::fault::Target;
use crate::schedule::{Blow, Combination};
use crate::world::{POLL, World};

/// How many votes must be recorded at each seat before the first fault, and again after the last.
const PROOFS: u64 = 3;

/// The faults of a round, and the seed of its schedule.
#[derive(Clone, Debug)]
pub struct Round {
    pub faults: Combination,
    pub seed: u64,
    /// How Redis syncs; anything but `always` is a sabotage.
    pub appendfsync: String,
}

/// The outcome of a round.
#[derive(Debug, Default)]
pub struct Outcome {
    pub recorded: usize,
    pub refused: usize,
    pub unconfirmed: usize,
    pub unanswered: usize,
    /// Voters for whom a vote without an answer counts instead of a later, recorded one.
    pub overtaken: usize,
    /// What broke the promise, in words. Empty if it was kept.
    pub wrong: Vec<String>,
    pub took: Duration,
}

impl Round {
    /// Plays the round. A panic, such as a wait that timed out, counts as a broken promise.
    pub async fn play(&self) -> Outcome {
        let began = Instant::now();
        let played = AssertUnwindSafe(self.try_play()).catch_unwind().await;
        let mut outcome = played.unwrap_or_else(|panic| {
            let said = panic.downcast_ref::<String>().cloned();
            let said = said.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
            Outcome { wrong: vec![said.unwrap_or_default()], ..Outcome::default() }
        });
        outcome.took = began.elapsed();
        outcome
    }

    async fn try_play(&self) -> Outcome {
        let mut world = World::start(&self.faults.0, &self.appendfsync).await;
        let (votes, results) = (world.doors(Target::Vote), world.doors(Target::Result).concat());
        let audience = Audience::at(&world.doors(Target::Result));
        let crowd = Crowd::gather(POLL, &votes, &results, self.seed);
        everybody_is_recorded(&crowd).await;
        strike_and_heal(&mut world, &self.faults.schedule(self.seed)).await;
        everybody_is_recorded(&crowd).await;
        world.is_ready().await;
        let told = crowd.disperse().await;
        world.is_quiet().await;
        let (counted, mut wrong) = world.audit(&audience).await;
        wrong.extend(violations(&told, &counted, &world.losses).iter().map(ToString::to_string));
        let overtaken = overtaken(&told, &counted, &world.losses);
        Outcome { overtaken, wrong, ..tally(&told) }
    }
}

/// Waits until [`PROOFS`] more votes are recorded at every seat.
async fn everybody_is_recorded(crowd: &Crowd) {
    let before = crowd.recorded();
    eventually("votes that are recorded", async || {
        let now = crowd.recorded();
        now.iter().zip(&before).all(|(now, before)| *now >= before + PROOFS).then_some(())
    })
    .await;
}

/// Begins and ends each fault at its time. A step that takes long delays the next ones.
async fn strike_and_heal(world: &mut World, blows: &[Blow]) {
    let began = Instant::now();
    let begins = blows.iter().map(|blow| (blow.from, true, blow));
    let ends = blows.iter().map(|blow| (blow.to, false, blow));
    let mut steps: Vec<_> = begins.chain(ends).collect();
    steps.sort_by_key(|(at, ..)| *at);
    for (at, strikes, blow) in steps {
        sleep_until(began + at).await;
        if strikes { world.strike(blow).await } else { world.heal(blow).await }
    }
}

fn tally(told: &Told) -> Outcome {
    let mut outcome = Outcome::default();
    for vote in told.values().flatten() {
        *match vote.answer {
            Answer::Recorded { .. } => &mut outcome.recorded,
            Answer::Refused => &mut outcome.refused,
            Answer::Unconfirmed { .. } => &mut outcome.unconfirmed,
            Answer::None => &mut outcome.unanswered,
        } += 1;
    }
    outcome
}
