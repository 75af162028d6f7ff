//! The crowd at work: voters arrive, and then they vote.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};
use caller::{CallError, Caller, Site};
use common::ballot::Choice;
use common::language::Language;
use common::phrases::Phrases;
use futures_util::future::{join_all, try_join_all};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, COOKIE, HeaderValue, SET_COOKIE};
use hyper::{Request, Response, StatusCode};
use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use tokio::time::{sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::arrivals::Arrivals;
use crate::electorate::{Electorate, Voter};
use crate::lock::{lock, unlocked};
use crate::measures::{Measures, Outcome};
use crate::results::ShownTotals;
use crate::settings::Settings;

/// After a failure, so that a site that is away is not stormed.
const PAUSE: Duration = Duration::from_millis(100);

/// A site that opens for nobody for so long is not coming back.
const PATIENCE: Duration = Duration::from_secs(60);

/// Half a dozen options of which one is liked by nearly all still give another one before.
const DRAWS_MAX: usize = 100;

/// What all who vote share.
pub(crate) struct Load {
    site: Site,
    poll: String,
    options: WeightedIndex<f64>,
    /// As many connections, each the place of one voter at a time.
    places: u64,
    /// Whether newcomers come as long as the load lasts.
    ever_more: bool,
    /// Whether anybody ever saw the page.
    opened: AtomicBool,
    electorate: Mutex<Electorate>,
    /// Told to end early; what was begun is finished.
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

    /// Everybody who is not voting right now.
    pub(crate) fn electorate(&self) -> MutexGuard<'_, Electorate> {
        lock(&self.electorate)
    }

    /// Everybody, once all have voted.
    pub(crate) fn into_electorate(self) -> Electorate {
        unlocked(self.electorate)
    }

    /// So many voters open the page, each for the first time.
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

    /// They vote, until the pace says that it is over; each connection is the place of one after
    /// the other. An error is a page that no longer opens for those who come late.
    pub(crate) async fn vote(&self, arrivals: &Arrivals, measures: &Mutex<Measures>) -> anyhow::Result<()> {
        let places = (0..self.places).map(|place| async move {
            let voted = self.vote_in_turn(place, arrivals, measures).await;
            // What the others have begun, they finish: each voter comes back to the crowd.
            voted.inspect_err(|_| self.stop.cancel())
        });
        join_all(places).await.into_iter().collect()
    }

    /// A page that never opened is told at once; one that closes for a while is waited for. `None` ends the load.
    async fn admit(&self, caller: &mut Caller) -> anyhow::Result<Option<Voter>> {
        let began = Instant::now();
        loop {
            match newcomer(caller).await {
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
            let outcome = self.cast(&mut caller, &mut voter).await;
            lock(measures).note(due, first, &outcome);
            if !matches!(outcome, Outcome::Recorded) {
                sleep(PAUSE).await;
            }
            self.electorate().put_back(voter);
        }
        Ok(())
    }

    /// When the vote was due: if its place had to wait for that time, when it woke up. `None` ends the load.
    async fn wait_until(&self, due: Instant) -> Option<Instant> {
        if self.stop.is_cancelled() || due <= Instant::now() {
            return (!self.stop.is_cancelled()).then_some(due);
        }
        tokio::select! {
            () = sleep_until(due.into()) => Some(Instant::now()),
            () = self.stop.cancelled() => None,
        }
    }

    /// Whose turn it is. Without newcomers regulars vote again, unless newcomers come all the time.
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

    async fn cast(&self, caller: &mut Caller, voter: &mut Voter) -> Outcome {
        let choice = self.choose(voter);
        let body = format!("poll={}&vote={choice}", self.poll);
        let request = Request::post("/")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(COOKIE, &voter.cookie)
            .body(Full::from(body));
        let outcome = match request {
            Ok(request) => outcome(caller.ask(request).await, voter),
            Err(error) => Outcome::Refused(error.to_string()),
        };
        match &outcome {
            Outcome::Recorded => voter.was_recorded(choice),
            Outcome::Unconfirmed(_) => voter.was_not_confirmed(choice),
            Outcome::Unanswered(_) => voter.was_not_answered(choice),
            Outcome::Refused(_) => {}
        }
        outcome
    }

    /// By the options' weights; and who votes again chooses another option, if any other has weight.
    fn choose(&self, voter: &Voter) -> Choice {
        let drawn = || self.options.sample(&mut rand::rng());
        let is_new = |position: &usize| voter.recorded().is_none_or(|choice| choice.position() != *position);
        let position = (0..DRAWS_MAX).map(|_| drawn()).find(is_new).unwrap_or_else(drawn);
        Choice::at(position).unwrap_or_else(|| unreachable!("a poll has at most {} options", Choice::MAX))
    }
}

async fn newcomer(caller: &mut Caller) -> anyhow::Result<Voter> {
    let request = Request::get("/").body(Full::default())?;
    let answer = caller.ask(request).await?;
    ensure!(answer.status() == StatusCode::OK, "the ballot page answers {}", answer.status());
    cookie(&answer).map(Voter::with).ok_or_else(|| anyhow!("--vote-url leads to a page that gives no cookie"))
}

/// What the answer means, and the voter's new cookie.
fn outcome(answer: Result<Response<Bytes>, CallError>, voter: &mut Voter) -> Outcome {
    let answer = match answer {
        Ok(answer) => answer,
        Err(CallError::NotSent(_)) => return Outcome::Refused("no connection".to_owned()),
        Err(CallError::NoAnswer(_)) => return Outcome::Unanswered("no answer".to_owned()),
    };
    let cookie = cookie(&answer);
    let is_ours = cookie.is_some();
    if let Some(cookie) = cookie {
        voter.cookie = cookie;
    }
    if answer.status() == StatusCode::SEE_OTHER {
        return Outcome::Recorded;
    }
    // The status alone does not tell: a proxy's 502 may hide a vote that was recorded.
    let reason = format!("status {}", answer.status().as_u16());
    let page = String::from_utf8_lossy(answer.body());
    match page.contains(Phrases::of(Language::English).not_recorded) {
        true => Outcome::Refused(reason),
        false if is_ours => Outcome::Unconfirmed(reason),
        false => Outcome::Unanswered(reason),
    }
}

fn cookie(answer: &Response<Bytes>) -> Option<HeaderValue> {
    let text = answer.headers().get(SET_COOKIE)?.as_bytes();
    let pair = text.split(|byte| *byte == b';').next()?;
    HeaderValue::from_bytes(pair).ok()
}
