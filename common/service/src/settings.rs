//! The settings of every replica, and the secrets that may come from files.
//!
//! No setting's name may end in `_PORT`: Kubernetes injects such variables.

use std::env::var_os;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, anyhow, bail, ensure};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Id};

/// The version of every program: all of them are released together.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Longer than the name of any machine, and short enough for a page and a label.
const NODE_MAX_CHARS: usize = 128;

/// The demo secrets, which come with the source, begin with this.
const DEMO: &str = "demo-secret-";

/// What every service needs to run in a cluster.
#[derive(Args, Clone, Debug)]
pub struct ReplicaSettings {
    /// The name of this replica, as people see it [default: the host name]
    #[arg(long, env = "REPLICA")]
    replica: Option<String>,
    /// The name of the machine that this replica runs on, as people see it
    #[arg(long, env = "NODE", value_parser = node_name)]
    node: Option<String>,
    /// The release's name on every page and in the metrics [default: the program's version]
    #[arg(long, env = "RELEASE")]
    release: Option<String>,
    /// Where health and metrics are served; never publish it
    #[arg(long, env = "MANAGEMENT_LISTEN", default_value = "0.0.0.0:9000")]
    pub management_listen: SocketAddr,
    /// How long to serve on after SIGTERM, so that load balancers notice the stop first
    #[arg(long, env = "DRAIN", default_value = "3s", value_parser = humantime::parse_duration)]
    pub drain: Duration,
}

impl ReplicaSettings {
    /// What people and monitors tell this replica from others by.
    pub fn identity(&self) -> Identity {
        Identity {
            name: self.replica.clone().unwrap_or_else(host_name),
            release: self.release.clone().unwrap_or_else(|| VERSION.to_owned()),
            node: self.node.clone(),
        }
    }
}

/// What people and monitors tell a replica from others by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its name.
    pub name: String,
    /// The name of its release.
    pub release: String,
    /// The name of the machine that it runs on, if a setting tells it.
    pub node: Option<String>,
}

impl Identity {
    /// The identity of a process without such settings.
    pub fn of_this_process() -> Self {
        Self { name: host_name(), release: VERSION.to_owned(), node: None }
    }
}

/// The host name, which is the container's id in Docker.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "unnamed".to_owned(),
        name => name.to_owned(),
    }
}

/// The address at which this machine itself reaches what listens on `address`.
pub fn from_here(address: SocketAddr) -> SocketAddr {
    let host = if address.ip().is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { address.ip() };
    SocketAddr::new(host, address.port())
}

/// The value of a setting that has no default. The error shows `example`.
pub fn required<'a>(name: &str, value: Option<&'a str>, example: &str) -> anyhow::Result<&'a str> {
    value.with_context(|| {
        format!("{name} is not set: set it, for example to {example}, or {name}_FILE to a file that holds it")
    })
}

/// Warns about a demo secret, which everybody can read in the source. Every
/// line is checked: with any cookie key that still verifies, one can forge cookies.
pub fn warn_if_demo(name: &str, secret: &str) {
    if secret.lines().any(|line| line.starts_with(DEMO)) {
        tracing::warn!(
            "{name} holds the demo secret, which everybody knows (compose/secrets.sh makes others)"
        );
    }
}

/// Lets an argument without a flag take its value from its variable or, if it
/// is a secret, from the file that `NAME_FILE` names. An empty variable counts as
/// not set, because Compose passes an unset variable as an empty one.
pub(crate) fn from_environment(argument: Arg) -> anyhow::Result<Arg> {
    let Some(name) = argument.get_env().and_then(|name| name.to_str()).map(str::to_owned) else {
        return Ok(argument);
    };
    match (is_set(&name), Secret::of(&argument).map(|secret| secret.file).filter(|file| is_set(file))) {
        (true, Some(file)) => bail!("both {name} and {file} are set: unset one of them"),
        (true, None) => Ok(argument),
        (false, None) => Ok(argument.env(None::<&'static str>)),
        (false, Some(file)) => {
            let secret = read_secret(&file, Path::new(&var_os(&file).unwrap_or_default()))?;
            Ok(argument.env(None::<&'static str>).default_value(secret).hide_default_value(true))
        }
    }
}

/// A secret argument: one whose value the help hides.
pub(crate) struct Secret {
    id: Id,
    flag: String,
    /// The variable that names a file with its value.
    pub(crate) file: String,
}

impl Secret {
    pub(crate) fn of(argument: &Arg) -> Option<Self> {
        let name = argument.get_env().filter(|_| argument.is_hide_env_values_set())?;
        let (flag, file) = (format!("--{}", argument.get_long()?), format!("{}_FILE", name.to_str()?));
        Some(Self { id: argument.get_id().clone(), flag, file })
    }
}

/// The error about a secret that both a flag and a file give.
pub(crate) fn set_twice(matches: &ArgMatches, secrets: &[Secret]) -> Option<anyhow::Error> {
    let is_flag = |secret: &&Secret| {
        matches.value_source(secret.id.as_str()) == Some(ValueSource::CommandLine) && is_set(&secret.file)
    };
    let Secret { flag, file, .. } = secrets.iter().find(is_flag)?;
    Some(anyhow!("both {flag} and {file} are set: leave out one of them"))
}

/// Whether a variable is there, and not empty.
fn is_set(name: &str) -> bool {
    var_os(name).is_some_and(|value| !value.is_empty())
}

/// Checks the value of NODE. Unlike a name that comes from another replica, it can still be corrected.
fn node_name(name: &str) -> Result<String, String> {
    let is_short = name.chars().nth(NODE_MAX_CHARS).is_none();
    if is_short && !name.trim().is_empty() && !name.contains(char::is_control) {
        return Ok(name.to_owned());
    }
    Err(format!(
        "NODE is the name of a machine, of at most {NODE_MAX_CHARS} characters, none of them a control \
         character: correct it, or leave it out"
    ))
}

/// The content of a file, without its trailing line break.
fn read_secret(setting: &str, path: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read {} ({setting})", path.display()))?;
    let text = text.trim_end_matches(['\r', '\n']);
    ensure!(!text.is_empty(), "{} ({setting}) is empty", path.display());
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_has_a_name_that_a_page_and_a_label_can_show() {
        let longest = "n".repeat(NODE_MAX_CHARS);
        for name in ["worker2", "gke-urna-pool-1.europe-west1.internal", "мáquina 1", &longest] {
            assert_eq!(node_name(name).as_deref(), Ok(name));
        }
        for name in [" ", "one\ntwo", "\u{1b}[31mred", &format!("{longest}n")] {
            assert!(node_name(name).unwrap_err().contains("NODE is the name of a machine"), "{name:?}");
        }
    }
}
