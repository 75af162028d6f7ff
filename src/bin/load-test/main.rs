//! Votes as a crowd does, measures it, and then checks the promise: every
//! recorded vote was counted once.

mod caller;
mod crowd;
mod load;
mod measures;
mod pace;
mod plot;
mod progress;
mod report;
mod settings;
mod truth;
mod viewers;

use std::io::{Write, stdout};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Parser;
use tokio_util::sync::CancellationToken;

use self::caller::Site;
use self::crowd::Crowd;
use self::load::{Load, lock};
use self::measures::Measures;
use self::pace::Pace;
use self::progress::during;
use self::report::{Report, number};
use self::settings::Settings;
use self::truth::{Board, Totals, Verdict};
use self::viewers::Viewers;

/// What a shell expects of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Settings::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("load-test: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every recorded vote was counted once.
async fn run(settings: &Settings) -> anyhow::Result<bool> {
    let results = Site::new(&settings.result_url)?;
    let mut board = Board::at(&results);
    let load = Load::new(settings, &board.quiet().await?)?;
    end_on_ctrl_c(load.stop.clone());
    let viewers = Viewers::sit_down(&results, settings.viewers);
    gather(settings, &load, &viewers).await?;

    let before = board.quiet().await?;
    let (measures, took) = vote(settings, &load, &viewers, &mut board).await;
    let crowd = load.into_crowd();
    let truth = settle(&mut board, &before, &crowd, &results).await?;
    let wrong_ballots = match &settings.database_url {
        Some(url) => Some(truth::wrong_ballots(url, &before.poll, &crowd).await?),
        None => None,
    };

    let report = Report {
        vote_url: settings.vote_url.to_string(),
        result_url: settings.result_url.to_string(),
        poll: before.poll,
        seconds: took.as_secs_f64(),
        recorded_per_second: measures.recorded as f64 / took.as_secs_f64(),
        voters: crowd.len(),
        connections: settings.concurrency,
        viewers: settings.viewers,
        frames: viewers.frames(),
        lost_connections: viewers.losses(),
        vote: measures.latency(),
        vote_to_screen: viewers.vote_to_screen(before.total, measures.first_votes()),
        first_to_last_screen: viewers.first_to_last_screen(),
        course: measures.course().to_vec(),
        recorded: measures.recorded,
        refused: measures.refused,
        unconfirmed: measures.unconfirmed,
        truth,
        wrong_ballots,
    };
    publish(settings, &report)?;
    Ok(report.counted_once())
}

/// The first one ends the load, the second one the program.
fn end_on_ctrl_c(stop: CancellationToken) {
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            if stop.is_cancelled() {
                std::process::exit(INTERRUPTED);
            }
            eprintln!("\nStopping. What was recorded is still checked; Ctrl-C again ends at once.");
            stop.cancel();
        }
    });
}

/// Voters and viewers come, and nobody votes yet.
async fn gather(settings: &Settings, load: &Load, viewers: &Viewers) -> anyhow::Result<()> {
    let line = async || {
        let (voters, viewers) = (load.crowd().len() as u64, viewers.connected());
        format!("{} voters and {} viewers are here", number(voters), number(viewers))
    };
    during(load.arrive(settings.voters()), line).await?;
    during(viewers.all_seated(&load.stop), line).await
}

async fn vote(
    settings: &Settings,
    load: &Load,
    viewers: &Viewers,
    board: &mut Board,
) -> (Measures, Duration) {
    let began = Instant::now();
    let measures = Mutex::new(Measures::beginning(began));
    let pace = Pace::beginning(settings, began);
    during(load.vote(&pace, &measures), async || {
        let waiting = board.waiting().await;
        format!("{}, {} viewers, {waiting} waiting", lock(&measures).line(), number(viewers.connected()))
    })
    .await;
    (measures.into_inner().unwrap_or_else(PoisonError::into_inner), began.elapsed())
}

async fn settle(
    board: &mut Board,
    before: &Totals,
    crowd: &Crowd,
    results: &Site,
) -> anyhow::Result<Verdict> {
    let mut watched = Board::at(results);
    during(board.settle(before, crowd), async || {
        format!("{} votes wait to be counted", watched.waiting().await)
    })
    .await
}

fn publish(settings: &Settings, report: &Report) -> anyhow::Result<()> {
    if let Some(file) = &settings.plot {
        plot::draw(file, &report.course)?;
    }
    let text = if settings.json { serde_json::to_string_pretty(report)? } else { report.to_string() };
    writeln!(stdout(), "{text}").context("cannot print the report")
}
