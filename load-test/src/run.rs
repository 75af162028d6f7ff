//! A run, from the first voter to the summary.

use std::cell::RefCell;
use std::io::{Write, stdout};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use caller::Site;
use service::StopSignals;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::arrivals::Arrivals;
use crate::check::{self, Truth};
use crate::load::Load;
use crate::measures::{Measures, Meter};
use crate::number::number;
use crate::oracle::bounds;
use crate::plot;
use crate::progress::during;
use crate::results::{LOOK_EVERY, Results, ShownTotals};
use crate::settings::Settings;
use crate::summary::Summary;
use crate::viewers::Viewers;
use crate::vote::Told;

/// How long the first contact with a deployment is tried.
const REACHED_WITHIN: Duration = Duration::from_secs(10);

/// The exit code that shells expect after Ctrl-C.
const INTERRUPTED: i32 = 130;

/// Puts load on the deployment and prints the summary. Returns whether every recorded vote was
/// counted once.
pub async fn run(settings: &Settings) -> anyhow::Result<bool> {
    let stop = end_on_signals()?;
    let site = Site::new(&settings.result_url)?;
    let mut results = Results::at(&site);
    let complete = reached(async || results.complete().await);
    let Some(before) = stop.run_until_cancelled(complete).await else {
        bail!("stopped before anybody voted");
    };
    let before = before?;
    let load = Load::new(settings, &before, stop)?;
    if settings.postgres.are_given() {
        // Connect now, so that a wrong address is reported before the load and not after it.
        reached(async || check::connect(&settings.postgres).await).await?;
    }
    let viewers = Viewers::sit_down(&site, settings.viewers);
    gather(settings, &load, &viewers).await?;

    let measures = vote(settings, &load, &viewers, &mut results).await;
    let truth = check(settings, &site, &before, &load.into_told()).await;
    let summary = sum_up(settings, &before, &viewers, measures, truth).await;
    publish(settings, &summary)?;
    Ok(summary.truth.counted_once)
}

/// Makes the first contact. It is tried again for a while, because a deployment or a network policy
/// that has just been applied may refuse the first connections.
async fn reached<T>(mut contact: impl AsyncFnMut() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let began = Instant::now();
    loop {
        match contact().await {
            Err(_) if began.elapsed() < REACHED_WITHIN => sleep(LOOK_EVERY).await,
            answer => return answer,
        }
    }
}

/// Lets the first signal end the load, and the second one the program.
fn end_on_signals() -> anyhow::Result<CancellationToken> {
    let (mut signals, stop) = (StopSignals::listen()?, CancellationToken::new());
    let told = stop.clone();
    tokio::spawn(async move {
        signals.next().await;
        eprintln!("\nStopping. What was recorded is still checked; Ctrl-C again ends at once.");
        told.cancel();
        signals.next().await;
        std::process::exit(INTERRUPTED);
    });
    Ok(stop)
}

/// Lets voters and viewers connect. Nobody votes yet.
async fn gather(settings: &Settings, load: &Load<'_>, viewers: &Viewers) -> anyhow::Result<()> {
    let line = async || {
        let (voters, viewers) = (load.idle_voters() as u64, viewers.connected());
        format!("{} voters and {} viewers are here", number(voters), number(viewers))
    };
    // If voters come during the load, one comes now, to show whether the page opens at all.
    during(load.arrive(settings.voters().unwrap_or(1)), line).await?;
    during(viewers.all_seated(&load.stop), line).await
}

async fn vote(settings: &Settings, load: &Load<'_>, viewers: &Viewers, results: &mut Results) -> Measures {
    let began = Instant::now();
    let meter = RefCell::new(Meter::beginning(began));
    let arrivals = Arrivals::beginning(began, settings);
    let voted = during(load.vote(&arrivals, &meter), async || {
        let waiting = results.waiting().await;
        format!("{}, {} viewers, {waiting} waiting", meter.borrow_mut().line(), number(viewers.connected()))
    });
    if let Err(error) = voted.await {
        eprintln!("The load ended early: {error:#}");
    }
    let mut measures = meter.into_inner().end();
    // If the load was stopped early, it does not show whether the rate was reached.
    if !load.stop.is_cancelled() {
        measures.unsent = arrivals.unsent(measures.seconds, measures.cast());
    }
    measures
}

/// Checks the promise. A check that fails is part of the summary, so that the figures of the load
/// are not lost.
async fn check(settings: &Settings, site: &Site, before: &ShownTotals, told: &Told) -> Truth {
    let (mut results, mut watched) = (Results::at(site), Results::at(site));
    let bounds = bounds(told);
    let totals = during(check::verdict(&mut results, before, &bounds), async || {
        format!("{} votes wait to be counted", watched.waiting().await)
    })
    .await;
    let ballots = if settings.postgres.are_given() && totals.is_ok() {
        check::wrong_ballots(&settings.postgres, &before.poll, told).await.map(Some)
    } else {
        Ok(None)
    };
    Truth::of(totals, ballots)
}

async fn sum_up(
    settings: &Settings,
    before: &ShownTotals,
    viewers: &Viewers,
    measures: Measures,
    truth: Truth,
) -> Summary {
    if let Some(verdict) = &truth.verdict {
        viewers.see_total(verdict.total).await;
    }
    Summary {
        vote_url: settings.vote_url.to_string(),
        result_url: settings.result_url.to_string(),
        poll: before.poll.clone(),
        connections: settings.places(),
        screens: viewers.screens(before.total, &measures.first_votes),
        measures,
        truth,
    }
}

/// Prints the figures before it draws the picture, which may fail.
fn publish(settings: &Settings, summary: &Summary) -> anyhow::Result<()> {
    let text = if settings.json { serde_json::to_string_pretty(summary)? } else { summary.to_string() };
    writeln!(stdout(), "{text}").context("cannot print the summary")?;
    settings.plot.as_ref().map_or(Ok(()), |file| plot::draw(file, &summary.measures.course))
}
