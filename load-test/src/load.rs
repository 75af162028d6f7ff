//! The load: voters arrive, and then they vote.

use std::cell::{Cell, RefCell};
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
use crate::measures::Meter;
use crate::results::ShownTotals;
use crate::settings::Settings;
use crate::vote::Told;
use crate::voter::Voter;

/// The pause between two attempts, so that a site that is away is not flooded with requests.
const PAUSE: Duration = Duration::from_millis(100);

/// A voter gives up a page that has not opened for this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// What all voters share. They all vote in one task, so it needs no locks.
pub(crate) struct Load<'a> {
    settings: &'a Settings,
    site: Site,
    poll: String,
    options: WeightedIndex<f64>,
    /// Whether the page has opened at least once.
    opened: Cell<bool>,
    /// Who has not voted yet, and is not voting right now.
    newcomers: RefCell<Vec<Voter>>,
    /// Who has voted, and is not voting right now. So nobody votes twice at the same time.
    regulars: RefCell<Vec<Voter>>,
    /// Ends the load early. Votes that are under way are finished.
    pub(crate) stop: CancellationToken,
}

impl<'a> Load<'a> {
    pub(crate) fn new(
        settings: &'a Settings,
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
            settings,
            site: Site::new(&settings.vote_url)?,
            poll: totals.poll.clone(),
            options: WeightedIndex::new(weights).context("--weights cannot be used")?,
            opened: Cell::new(false),
            newcomers: RefCell::default(),
            regulars: RefCell::default(),
            stop,
        })
    }

    /// How many voters are not voting right now.
    pub(crate) fn idle_voters(&self) -> usize {
        self.newcomers.borrow().len() + self.regulars.borrow().len()
    }

    /// What each voter was told, once the load is over.
    pub(crate) fn into_told(self) -> Told {
        let voters = self.newcomers.into_inner().into_iter().chain(self.regulars.into_inner());
        voters.map(Voter::into_told).collect()
    }

    /// Lets this many voters open the page for the first time.
    pub(crate) async fn arrive(&self, voters: u64) -> anyhow::Result<()> {
        let arriving = RefCell::new(0..voters);
        let door = || async {
            let mut caller = Caller::of(&self.site);
            while arriving.borrow_mut().next().is_some() && !self.stop.is_cancelled() {
                let Some(voter) = self.admit(&mut caller).await? else { break };
                self.put_back(voter);
            }
            anyhow::Ok(())
        };
        try_join_all((0..self.settings.places()).map(|_| door())).await.map(drop)
    }

    /// Lets the voters vote until no more votes are due. At each place they vote one after the
    /// other. Fails if the page no longer opens for newcomers.
    pub(crate) async fn vote(&self, arrivals: &Arrivals<'_>, meter: &RefCell<Meter>) -> anyhow::Result<()> {
        let places = (0..self.settings.places()).map(|place| async move {
            let voted = self.vote_in_turn(place, arrivals, meter).await;
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
                    self.opened.set(true);
                    return Ok(Some(voter));
                }
                Err(_) if self.stop.is_cancelled() => return Ok(None),
                Err(error) if !self.opened.get() || began.elapsed() > PATIENCE => return Err(error),
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    async fn vote_in_turn(
        &self,
        place: u64,
        arrivals: &Arrivals<'_>,
        meter: &RefCell<Meter>,
    ) -> anyhow::Result<()> {
        let mut caller = Caller::of(&self.site);
        while let Some(turn) = arrivals.next(place) {
            let Some(due) = self.wait_until(turn.due).await else { break };
            let Some(mut voter) = self.voter(turn.is_change, &mut caller).await? else { break };
            let first = voter.recorded().is_none();
            let reply = voter.cast(&mut caller, &self.poll, self.choose(&voter)).await;
            meter.borrow_mut().note(due, first, &reply);
            if !reply.answer.is_recorded() {
                sleep(PAUSE).await;
            }
            self.put_back(voter);
        }
        Ok(())
    }

    /// Waits until the vote is due, and returns the moment at which its latency begins. That is the
    /// due time if it has passed already, or else the moment at which this task woke up. `None` ends
    /// the load.
    async fn wait_until(&self, due: Instant) -> Option<Instant> {
        if due <= Instant::now() {
            return (!self.stop.is_cancelled()).then_some(due);
        }
        self.stop.run_until_cancelled(sleep_until(due.into())).await.map(|()| Instant::now())
    }

    /// The voter whose turn it is. When no newcomers are left, new ones come as long as the load
    /// lasts, or regulars vote again if a fixed number of voters came at the start.
    async fn voter(&self, is_change: bool, caller: &mut Caller) -> anyhow::Result<Option<Voter>> {
        let regular = if is_change { self.regular() } else { None };
        match regular.or_else(|| self.newcomers.borrow_mut().pop()) {
            None if self.settings.voters().is_none() => self.admit(caller).await,
            here => Ok(here.or_else(|| self.regular())),
        }
    }

    fn regular(&self) -> Option<Voter> {
        let mut regulars = self.regulars.borrow_mut();
        let count = regulars.len();
        (count > 0).then(|| regulars.swap_remove(rand::random_range(0..count)))
    }

    fn put_back(&self, voter: Voter) {
        let voters = if voter.may_count() { &self.regulars } else { &self.newcomers };
        voters.borrow_mut().push(voter);
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
