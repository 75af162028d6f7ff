//! Votes as a crowd does, measures it, and then checks the promise: every
//! recorded vote was counted once.

use std::io::{Write, stdout};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use caller::Site;
use common::service::StopSignals;
use tokio_util::sync::CancellationToken;

use crate::arrivals::Arrivals;
use crate::check::{self, Truth};
use crate::electorate::Electorate;
use crate::load::Load;
use crate::lock::{lock, unlocked};
use crate::measures::Measures;
use crate::number::number;
use crate::plot;
use crate::progress::during;
use crate::report::Report;
use crate::results::{Results, ShownTotals};
use crate::settings::Settings;
use crate::viewers::Viewers;

/// What a shell expects of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Whether every recorded vote was counted once.
pub async fn run(settings: &Settings) -> anyhow::Result<bool> {
    let stop = end_on_signals()?;
    let site = Site::new(&settings.result_url)?;
    let mut results = Results::at(&site);
    let Some(totals) = stop.run_until_cancelled(results.settled()).await else {
        bail!("stopped before anybody voted");
    };
    let load = Load::new(settings, &totals?, stop)?;
    if let Some(url) = &settings.database_url {
        // Now, and not only after the load, is the time to say that it is the wrong one.
        check::connect(url).await?;
    }
    let viewers = Viewers::sit_down(&site, settings.viewers);
    gather(settings, &load, &viewers).await?;

    let before = results.settled().await?;
    let (measures, took) = vote(settings, &load, &viewers, &mut results).await;
    let electorate = load.into_electorate();
    let truth = check(settings, &site, &before, &electorate).await;
    if let Some(verdict) = &truth.verdict {
        viewers.see_total(verdict.total).await;
    }
    let report = Report::of(settings, &before, &viewers, measures, took, truth);
    publish(settings, &report)?;
    Ok(report.truth.counted_once)
}

/// The first one ends the load, the second one the program.
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

/// Voters and viewers come, and nobody votes yet.
async fn gather(settings: &Settings, load: &Load, viewers: &Viewers) -> anyhow::Result<()> {
    let line = async || {
        let (voters, viewers) = (load.electorate().len() as u64, viewers.connected());
        format!("{} voters and {} viewers are here", number(voters), number(viewers))
    };
    // Where voters come all the time, the first of them shows whether the page opens at all.
    during(load.arrive(settings.voters().unwrap_or(1)), line).await?;
    during(viewers.all_seated(&load.stop), line).await
}

async fn vote(
    settings: &Settings,
    load: &Load,
    viewers: &Viewers,
    results: &mut Results,
) -> (Measures, Duration) {
    let began = Instant::now();
    let measures = Mutex::new(Measures::beginning(began));
    let arrivals = Arrivals::beginning(began, settings.demand());
    let voted = during(load.vote(&arrivals, &measures), async || {
        let waiting = results.waiting().await;
        format!("{}, {} viewers, {waiting} waiting", lock(&measures).line(), number(viewers.connected()))
    });
    if let Err(error) = voted.await {
        eprintln!("The load ended early: {error:#}");
    }
    let (mut measures, took) = (unlocked(measures), began.elapsed());
    measures.end_seconds();
    // Who stops the load has not chosen too high a rate.
    if !load.stop.is_cancelled() {
        measures.unsent = arrivals.unsent(took, measures.cast());
    }
    (measures, took)
}

/// What cannot be checked is part of the report too: the load is not repeated for it.
async fn check(settings: &Settings, site: &Site, before: &ShownTotals, electorate: &Electorate) -> Truth {
    let (mut results, mut watched) = (Results::at(site), Results::at(site));
    let settled = during(check::settle(&mut results, before, electorate), async || {
        format!("{} votes wait to be counted", watched.waiting().await)
    });
    let ballots = match settled.await {
        Err(error) => return Truth::unchecked(None, &error),
        Ok(verdict) => match &settings.database_url {
            None => return Truth::told(verdict, None),
            Some(url) => (check::wrong_ballots(url, &before.poll, electorate).await, verdict),
        },
    };
    match ballots {
        (Ok(wrong), verdict) => Truth::told(verdict, Some(wrong)),
        (Err(error), verdict) => Truth::unchecked(Some(verdict), &error),
    }
}

/// The figures first: they are there even if no picture can be drawn.
fn publish(settings: &Settings, report: &Report) -> anyhow::Result<()> {
    let text = if settings.json { serde_json::to_string_pretty(report)? } else { report.to_string() };
    writeln!(stdout(), "{text}").context("cannot print the report")?;
    settings.plot.as_ref().map_or(Ok(()), |file| plot::draw(file, &report.course))
}
