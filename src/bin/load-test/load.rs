//! The crowd at work: voters arrive, and then they vote.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};
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

use crate::caller::{Caller, Failure, Site};
use crate::crowd::{Crowd, Voter};
use crate::measures::{Measures, Outcome};
use crate::pace::Pace;
use crate::settings::Settings;
use crate::truth::Totals;

/// After a failure, so that a site that is away is not stormed.
const PAUSE: Duration = Duration::from_millis(100);

/// A site that opens for nobody for so long is not coming back.
const PATIENCE: Duration = Duration::from_secs(60);

/// What all who vote share.
pub(crate) struct Load {
    site: Site,
    poll: String,
    options: WeightedIndex<f64>,
    changes: f64,
    concurrency: u64,
    crowd: Mutex<Crowd>,
    /// Told to end early; what was begun is finished.
    pub(crate) stop: CancellationToken,
}

impl Load {
    pub(crate) fn new(settings: &Settings, totals: &Totals) -> anyhow::Result<Self> {
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
            changes: settings.changes,
            concurrency: settings.concurrency,
            crowd: Mutex::default(),
            stop: CancellationToken::new(),
        })
    }

    /// Everybody who is not voting right now.
    pub(crate) fn crowd(&self) -> MutexGuard<'_, Crowd> {
        lock(&self.crowd)
    }

    /// Everybody, once all have voted.
    pub(crate) fn into_crowd(self) -> Crowd {
        self.crowd.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many voters open the page, each for the first time.
    pub(crate) async fn arrive(&self, voters: u64) -> anyhow::Result<()> {
        let arriving = AtomicU64::new(0);
        let door = || async {
            let mut caller = Caller::of(&self.site);
            while arriving.fetch_add(1, Ordering::Relaxed) < voters && !self.stop.is_cancelled() {
                let voter = self.admit(&mut caller).await?;
                self.crowd().put_back(voter);
            }
            anyhow::Ok(())
        };
        try_join_all((0..self.concurrency).map(|_| door())).await?;
        Ok(())
    }

    /// They vote, until the pace says that it is over.
    pub(crate) async fn vote(&self, pace: &Pace, measures: &Mutex<Measures>) {
        join_all((0..self.concurrency).map(|place| self.vote_in_turn(place, pace, measures))).await;
    }

    /// The first failure of all is told, because nobody is there then; later ones are waited out.
    async fn admit(&self, caller: &mut Caller) -> anyhow::Result<Voter> {
        let began = Instant::now();
        loop {
            let refused = match newcomer(caller).await {
                Ok(voter) => return Ok(voter),
                Err(refused) => refused,
            };
            if self.crowd().len() == 0 || began.elapsed() > PATIENCE || self.stop.is_cancelled() {
                return Err(refused);
            }
            sleep(PAUSE).await;
        }
    }

    async fn vote_in_turn(&self, place: u64, pace: &Pace, measures: &Mutex<Measures>) {
        let mut caller = Caller::of(&self.site);
        while let Some(due) = pace.next(place) {
            tokio::select! {
                () = sleep_until(due.into()) => {}
                () = self.stop.cancelled() => return,
            }
            // With fewer voters than places, some places stay empty.
            let Some(mut voter) = self.crowd().draw(self.changes) else { return };
            let first = voter.recorded().is_none();
            let sent = Instant::now();
            let outcome = self.cast(&mut caller, &mut voter).await;
            let failed = !matches!(outcome, Outcome::Recorded);
            lock(measures).note(due, sent, first, outcome);
            self.crowd().put_back(voter);
            if failed {
                sleep(PAUSE).await;
            }
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
            Outcome::Refused(_) => {}
        }
        outcome
    }

    /// By the options' weights; but who votes again chooses another option.
    fn choose(&self, voter: &Voter) -> Choice {
        let options = self.options.weights().len();
        let drawn = self.options.sample(&mut rand::rng());
        let same = voter.recorded().is_some_and(|choice| choice.position() == drawn);
        let position = if same { (drawn + 1) % options } else { drawn };
        Choice::at(position).unwrap_or_else(|| unreachable!("a poll has at most {} options", Choice::MAX))
    }
}

async fn newcomer(caller: &mut Caller) -> anyhow::Result<Voter> {
    let request = Request::get("/").body(Full::default())?;
    let answer = caller.ask(request).await.map_err(|failure| match failure {
        Failure::NotSent(error) | Failure::NoAnswer(error) => error,
    })?;
    ensure!(answer.status() == StatusCode::OK, "the ballot page answers {}", answer.status());
    cookie(&answer).map(Voter::with).ok_or_else(|| anyhow!("--vote-url leads to a page that gives no cookie"))
}

/// What the answer means, and the voter's new cookie.
fn outcome(answer: Result<Response<Bytes>, Failure>, voter: &mut Voter) -> Outcome {
    let answer = match answer {
        Ok(answer) => answer,
        Err(Failure::NotSent(_)) => return Outcome::Refused("no connection".to_owned()),
        Err(Failure::NoAnswer(_)) => return Outcome::Unconfirmed("no answer".to_owned()),
    };
    if let Some(cookie) = cookie(&answer) {
        voter.cookie = cookie;
    }
    if answer.status() == StatusCode::SEE_OTHER {
        return Outcome::Recorded;
    }
    // The status alone does not tell: a proxy's 502 may hide a vote that was recorded.
    let page = String::from_utf8_lossy(answer.body());
    match page.contains(Phrases::of(Language::English).not_recorded) {
        true => Outcome::Refused(format!("status {}", answer.status().as_u16())),
        false => Outcome::Unconfirmed(format!("status {}", answer.status().as_u16())),
    }
}

fn cookie(answer: &Response<Bytes>) -> Option<HeaderValue> {
    let text = answer.headers().get(SET_COOKIE)?.as_bytes();
    let pair = text.split(|byte| *byte == b';').next()?;
    HeaderValue::from_bytes(pair).ok()
}

/// Nothing panics while it holds a lock, and if it did, a number would be off by one.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
