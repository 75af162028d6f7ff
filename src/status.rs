//! Where votes are, in a terminal.

use std::io::{IsTerminal, Write, stdout};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::{Context, bail, ensure};
use caller::{Caller, Site};
use hyper::{Request, StatusCode, Uri};
use serde::Deserialize;

/// What `result` tells at `/api/status`.
#[derive(Deserialize)]
struct Status {
    state: State,
    summary: String,
    hops: Vec<Hop>,
}

#[derive(Deserialize)]
struct Hop {
    name: String,
    does: String,
    state: State,
    facts: Vec<String>,
    trouble: Option<String>,
    lasts: Option<String>,
    advice: Option<String>,
    commands: Vec<String>,
    replicas: Vec<Replica>,
}

#[derive(Deserialize)]
struct Replica {
    name: String,
    state: State,
    facts: Vec<String>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum State {
    Well,
    Doubtful,
    Broken,
    Unknown,
}

impl State {
    /// A sign that can be told from the others without its colour, and that colour.
    fn mark(self) -> (char, u8) {
        match self {
            Self::Well => ('✓', 32),
            Self::Doubtful => ('!', 33),
            Self::Broken => ('✗', 31),
            Self::Unknown => ('?', 90),
        }
    }
}

/// Asks `result`, which is at this address, or else listens there, and prints
/// what it says. Fails if a hop is broken.
pub(crate) async fn print(url: Option<&str>, listen: SocketAddr) -> anyhow::Result<()> {
    let host = if listen.ip().is_unspecified() { IpAddr::from(Ipv4Addr::LOCALHOST) } else { listen.ip() };
    let here = format!("http://{}", SocketAddr::new(host, listen.port()));
    let status = ask(url.unwrap_or(&here)).await?;
    let said = words(&status, stdout().is_terminal());
    // Whoever stops reading, such as `head`, has read enough.
    let _ = stdout().write_all(said.as_bytes());
    ensure!(status.state != State::Broken, "{}", status.summary);
    Ok(())
}

async fn ask(url: &str) -> anyhow::Result<Status> {
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

fn words(status: &Status, coloured: bool) -> String {
    let mut said = painted(status.state, &status.summary, coloured);
    for hop in &status.hops {
        said += &painted(hop.state, &format!("{}  {}", hop.name, hop.does), coloured);
        let trouble = hop.trouble.iter().chain(&hop.lasts).map(String::as_str);
        let sentences = [trouble.collect::<Vec<_>>().join(" "), hop.facts.join(" ")];
        let advice = hop.advice.iter().cloned().chain(hop.commands.iter().map(|line| format!("  {line}")));
        for line in sentences.into_iter().filter(|line| !line.is_empty()).chain(advice) {
            said += &format!("    {line}\n");
        }
        for Replica { name, state, facts } in &hop.replicas {
            said += &format!("    {} {name}: {}\n", state.mark().0, facts.join(", "));
        }
    }
    said
}

fn painted(state: State, text: &str, coloured: bool) -> String {
    let (sign, colour) = state.mark();
    if coloured { format!("\x1b[{colour}m{sign} {text}\x1b[0m\n") } else { format!("{sign} {text}\n") }
}
