//! Prints in a terminal where votes are.

use std::io::{IsTerminal, Write, stdout};
use std::net::SocketAddr;

use anyhow::{Context, bail, ensure};
use caller::{Caller, Site};
use hyper::{Request, StatusCode, Uri};
use service::from_here;
use status::HopState;
use status::report::{ReplicaReport, Report};

/// Asks the `result` at this URL, or without one the `result` that listens on this
/// machine. Prints its report, and fails if a hop is broken.
pub(crate) async fn print(url: Option<&str>, listen: SocketAddr) -> anyhow::Result<()> {
    let here = format!("http://{}", from_here(listen));
    let report = ask(url.unwrap_or(&here)).await?;
    let text = text(&report, stdout().is_terminal());
    // If the program that reads the output stops, as `head` does, it has read enough.
    let _ = stdout().write_all(text.as_bytes());
    ensure!(report.state != HopState::Broken, "{}", report.summary);
    Ok(())
}

async fn ask(url: &str) -> anyhow::Result<Report> {
    let uri: Uri = url.parse().with_context(|| format!("{url} (RESULT_URL) is no address"))?;
    let request = Request::get("/api/status").body(Default::default())?;
    let asked = Caller::of(&Site::new(&uri)?).ask(request).await;
    let answer = asked.map_err(anyhow::Error::from).context("result does not answer (RESULT_URL)")?;
    if answer.status() != StatusCode::OK {
        bail!("{url} (RESULT_URL) answers {}, so it is not Urna's result", answer.status());
    }
    serde_json::from_slice(answer.body())
        .with_context(|| format!("what {url} (RESULT_URL) answers is not Urna's status"))
}

fn text(report: &Report, coloured: bool) -> String {
    let mut text = painted(report.state, &report.summary, coloured);
    for hop in &report.hops {
        text += &painted(hop.state, &format!("{}  {}", hop.name, hop.does), coloured);
        let trouble = hop.trouble.iter().chain(&hop.lasts).map(String::as_str);
        let sentences = [trouble.collect::<Vec<_>>().join(" "), hop.facts.join(" ")];
        let advice = hop.advice.iter().cloned().chain(hop.commands.iter().map(|line| format!("  {line}")));
        for line in sentences.into_iter().filter(|line| !line.is_empty()).chain(advice) {
            text += &format!("    {line}\n");
        }
        for ReplicaReport { name, state, facts, .. } in &hop.replicas {
            text += &format!("    {} {name}: {}\n", sign(*state).0, facts.join(", "));
        }
    }
    text
}

fn painted(state: HopState, text: &str, coloured: bool) -> String {
    let (sign, colour) = sign(state);
    if coloured { format!("\x1b[{colour}m{sign} {text}\x1b[0m\n") } else { format!("{sign} {text}\n") }
}

/// The sign of a state, and its colour. The signs differ even without their colours.
fn sign(state: HopState) -> (char, u8) {
    match state {
        HopState::Well => ('✓', 32),
        HopState::Doubtful => ('!', 33),
        HopState::Broken => ('✗', 31),
        HopState::Unknown => ('?', 90),
    }
}
