//! The load: voters arrive, and then they vote.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use caller::{Caller, Site};
use election::Choice;
use futures_util::future::{join_all, try_join_all};
use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use tokio::time::{sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::arrivals::Arrivals;
use crate::electorate::Electorate;
use crate::lock::{lock, unlocked};
use crate::measures::Measures;
use crate::results::ShownTotals;
use crate::settings::Settings;
use crate::vote::{Answer, Told};
use crate::voter::Voter;

/// The pause between two attempts, so that a site that is away is not flooded with requests.
const PAUSE: Duration = Duration::from_millis(100);

/// A voter gives up a page that has not opened for this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// What all voters share.
pub(crate) struct Load {
    site: Site,
    poll: String,
    options: WeightedIndex<f64>,
    /// How many connections there are. Each is the place of one voter at a time.
    places: u64,
    /// Whether new voters come as long as the load lasts. Otherwise a fixed number comes at the start.
    ever_more: bool,
    /// Whether the page has opened at least once.
    opened: AtomicBool,
    electorate: Mutex<Electorate>,
    /// Ends the load early. Votes that are under way are finished.
    pub(crate) stop: CancellationToken,
}

impl Load {
    pub(crate) fn new(
        settings: &Settings,
        totals: &ShownTotals,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let (given, options) = (settings.weights.len(), totals.options.len());
        ensure!(
            given == 0 || given == options,
            "--weights has {given} numbers, but the poll {:?} has {options} options",
            totals.poll
        );
        let weights = if given == 0 { vec![1.0; options] } else { settings.weights.clone() };
        Ok(Self {
            site: Site::new(&settings.vote_url)?,
            poll: totals.poll.clone(),
            options: WeightedIndex::new(weights).context("--weights cannot be used")?,
            places: settings.places(),
            ever_more: settings.voters().is_none(),
            opened: AtomicBool::new(false),
            electorate: Mutex::default(),
            stop,
        })
    }

    /// The voters who are not voting right now.
    pub(crate) fn electorate(&self) -> MutexGuard<'_, Electorate> {
        lock(&self.electorate)
    }

    /// What each voter was told, once the load is over.
    pub(crate) fn into_told(self) -> Told {
        unlocked(self.electorate).into_told()
    }

    /// Lets this many voters open the page for the first time.
    pub(crate) async fn arrive(&self, voters: u64) -> anyhow::Result<()> {
        let arriving = AtomicU64::new(0);
        let door = || async {
            let mut caller = Caller::of(&self.site);
            while arriving.fetch_add(1, Ordering::Relaxed) < voters && !self.stop.is_cancelled() {
                let Some(voter) = self.admit(&mut caller).await? else { break };
                self.electorate().put_back(voter);
            }
            anyhow::Ok(())
        };
        try_join_all((0..self.places).map(|_| door())).await.map(drop)
    }

    /// Lets the voters vote until no more votes are due. At each place they vote one after the
    /// other. Fails if the page no longer opens for newcomers.
    pub(crate) async fn vote(&self, arrivals: &Arrivals, measures: &Mutex<Measures>) -> anyhow::Result<()> {
        let places = (0..self.places).map(|place| async move {
            let voted = self.vote_in_turn(place, arrivals, measures).await;
            // The other places finish their votes, so that every voter is put back.
            voted.inspect_err(|_| self.stop.cancel())
        });
        join_all(places).await.into_iter().collect()
    }

    /// Lets a newcomer open the page. Fails at once if the page never opened, and tries again for a
    /// while if it did. `None` ends the load.
    async fn admit(&self, caller: &mut Caller) -> anyhow::Result<Option<Voter>> {
        let began = Instant::now();
        loop {
            match Voter::arrive(caller).await {
                Ok(voter) => {
                    self.opened.store(true, Ordering::Relaxed);
                    return Ok(Some(voter));
                }
                Err(_) if self.stop.is_cancelled() => return Ok(None),
                Err(error) if !self.opened.load(Ordering::Relaxed) || began.elapsed() > PATIENCE => {
                    return Err(error);
                }
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    async fn vote_in_turn(
        &self,
        place: u64,
        arrivals: &Arrivals,
        measures: &Mutex<Measures>,
    ) -> anyhow::Result<()> {
        let mut caller = Caller::of(&self.site);
        while let Some(turn) = arrivals.next(place) {
            let Some(due) = self.wait_until(turn.due).await else { break };
            let Some(mut voter) = self.voter(turn.is_change, &mut caller).await? else { break };
            let first = voter.recorded().is_none();
            let choice = self.choose(&voter);
            let reply = voter.cast(&mut caller, &self.poll, choice).await;
            lock(measures).note(due, first, &reply);
            if !matches!(reply.answer, Answer::Recorded { .. }) {
                sleep(PAUSE).await;
            }
            self.electorate().put_back(voter);
        }
        Ok(())
    }

    /// Waits until the vote is due, and returns the moment at which its latency begins. That is the
    /// due time if it has passed already, or else the moment at which this task woke up. `None` ends
    /// the load.
    async fn wait_until(&self, due: Instant) -> Option<Instant> {
        if self.stop.is_cancelled() || due <= Instant::now() {
            return (!self.stop.is_cancelled()).then_some(due);
        }
        tokio::select! {
            () = sleep_until(due.into()) => Some(Instant::now()),
            () = self.stop.cancelled() => None,
        }
    }

    /// The voter whose turn it is. When no newcomers are left, regulars vote again.
    async fn voter(&self, is_change: bool, caller: &mut Caller) -> anyhow::Result<Option<Voter>> {
        let here = {
            let mut electorate = self.electorate();
            let regular = if is_change { electorate.regular() } else { None };
            let here = regular.or_else(|| electorate.newcomer());
            if self.ever_more { here } else { here.or_else(|| electorate.regular()) }
        };
        match here {
            None if self.ever_more => self.admit(caller).await,
            here => Ok(here),
        }
    }

    /// Draws an option by the weights. A voter who votes again chooses another option than before.
    fn choose(&self, voter: &Voter) -> Choice {
        let mut options = self.options.clone();
        if let Some(last) = voter.recorded() {
            // If no other option has a weight, this fails and changes nothing.
            let _ = options.update_weights(&[(last.position(), &0.0)]);
        }
        let position = options.sample(&mut rand::rng());
        Choice::at(position).unwrap_or_else(|| unreachable!("a poll has at most {} options", Choice::MAX))
    }
}
