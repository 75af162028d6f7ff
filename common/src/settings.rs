//! Settings that more than one program takes, from flags or the environment.
//!
//! Never a name that ends in `_PORT`: Kubernetes injects those.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::Args;
use redis::{Client, ConnectionInfo, IntoConnectionInfo, TlsCertificates};
use sqlx::postgres::PgConnectOptions;

use crate::poll::Poll;
use crate::presence::{Kind, Presence};

/// The environment variable in which most TLS programs look for their roots.
const CA_FILE: &str = "SSL_CERT_FILE";

/// All programs are released together.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How the secrets begin that come with the source.
const DEMO: &str = "demo-secret-";

/// Where the queue is.
#[derive(Args, Clone, Debug, Default)]
pub struct RedisSettings {
    /// Redis, as redis://HOST:6379/ or, with TLS, rediss://HOST:6379/
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    redis_url: Option<String>,
    /// A file that holds REDIS_URL
    #[arg(long, env = "REDIS_URL_FILE")]
    redis_url_file: Option<PathBuf>,
    /// The password of Redis, if not in its URL
    #[arg(long, env = "REDIS_PASSWORD", hide_env_values = true)]
    redis_password: Option<String>,
    /// A file that holds REDIS_PASSWORD
    #[arg(long, env = "REDIS_PASSWORD_FILE")]
    redis_password_file: Option<PathBuf>,
}

impl RedisSettings {
    /// For tests and tools: Redis at this URL.
    pub fn at(url: &str) -> Self {
        Self { redis_url: Some(url.to_owned()), ..Self::default() }
    }

    /// A client of that Redis; it connects to nothing yet.
    pub fn client(&self) -> anyhow::Result<Client> {
        let url = required(
            "REDIS_URL",
            self.redis_url.as_deref(),
            self.redis_url_file.as_deref(),
            "redis://127.0.0.1:6379/",
        )?;
        let mut info = redis_address(&url)?;
        if let Some(password) =
            secret("REDIS_PASSWORD", self.redis_password.as_deref(), self.redis_password_file.as_deref())?
        {
            let login = info.redis_settings().clone().set_password(password);
            info = info.set_redis_settings(login);
        }
        match ca_file().filter(|_| url.starts_with("rediss:")) {
            Some(path) => {
                let root_cert = std::fs::read(&path)
                    .with_context(|| format!("cannot read {} ({CA_FILE})", path.display()))?;
                let roots = TlsCertificates { client_tls: None, root_cert: Some(root_cert) };
                Client::build_with_tls(info, roots)
            }
            None => Client::open(info),
        }
        .context("REDIS_URL cannot be used")
    }
}

/// Where the ledger is.
#[derive(Args, Clone, Debug, Default)]
pub struct PostgresSettings {
    /// PostgreSQL, as postgres://USER@HOST:5432/DATABASE (?sslmode=verify-full for TLS)
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// A file that holds DATABASE_URL
    #[arg(long, env = "DATABASE_URL_FILE")]
    database_url_file: Option<PathBuf>,
    /// The password of PostgreSQL, if not in its URL
    #[arg(long, env = "DATABASE_PASSWORD", hide_env_values = true)]
    database_password: Option<String>,
    /// A file that holds DATABASE_PASSWORD
    #[arg(long, env = "DATABASE_PASSWORD_FILE")]
    database_password_file: Option<PathBuf>,
}

impl PostgresSettings {
    /// For tests and tools: PostgreSQL at this URL.
    pub fn at(url: &str) -> Self {
        Self { database_url: Some(url.to_owned()), ..Self::default() }
    }

    /// How to connect to that PostgreSQL.
    pub fn connect_options(&self) -> anyhow::Result<PgConnectOptions> {
        const EXAMPLE: &str = "postgres://postgres@127.0.0.1:5432/postgres";
        let url = required(
            "DATABASE_URL",
            self.database_url.as_deref(),
            self.database_url_file.as_deref(),
            EXAMPLE,
        )?;
        ensure!(
            ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)),
            "DATABASE_URL must begin with postgres://"
        );
        let mut options = PgConnectOptions::from_str(&url)
            .with_context(|| format!("DATABASE_URL is not of the form {EXAMPLE}"))?;
        if let Some(path) = ca_file().filter(|_| !url.contains("sslrootcert=")) {
            options = options.ssl_root_cert(path);
        }
        match secret(
            "DATABASE_PASSWORD",
            self.database_password.as_deref(),
            self.database_password_file.as_deref(),
        )? {
            Some(password) => Ok(options.password(&password)),
            None => Ok(options),
        }
    }
}

/// Which poll runs.
#[derive(Args, Clone, Debug, Default)]
pub struct PollSettings {
    /// The poll file (TOML: id, question, options); without it the default poll runs
    #[arg(long, env = "POLL")]
    poll: Option<PathBuf>,
    /// Replaces the first option's label, and makes it an election of its own
    #[arg(long, env = "OPTION_A")]
    option_a: Option<String>,
    /// Replaces the second option's label, and makes it an election of its own
    #[arg(long, env = "OPTION_B")]
    option_b: Option<String>,
}

impl PollSettings {
    /// Reads the poll.
    pub fn load(&self) -> anyhow::Result<Poll> {
        Poll::load(self.poll.as_deref(), [self.option_a.as_deref(), self.option_b.as_deref()])
    }
}

/// The address of a page must be one that a browser can open.
pub fn web_address(url: &str) -> anyhow::Result<String> {
    ensure!(
        url.starts_with("http://") || url.starts_with("https://"),
        "an address begins with http:// or https://"
    );
    Ok(url.to_owned())
}

/// What every service needs to run in a cluster.
#[derive(Args, Clone, Debug)]
pub struct ReplicaSettings {
    /// The name of this replica, as people see it [default: the host name]
    #[arg(long, env = "REPLICA")]
    replica: Option<String>,
    /// What its release is called where replicas are told apart [default: the program's version]
    #[arg(long, env = "RELEASE")]
    release: Option<String>,
    /// Where health and metrics are served; never publish it
    #[arg(long, env = "MANAGEMENT_LISTEN", default_value = "0.0.0.0:9000")]
    pub management_listen: SocketAddr,
    /// How long to serve on after SIGTERM, so that load balancers notice first
    #[arg(long, env = "DRAIN", default_value = "3s", value_parser = humantime::parse_duration)]
    pub drain: Duration,
}

impl ReplicaSettings {
    /// The replica as it announces itself, with the poll it runs.
    pub fn presence(&self, kind: Kind, poll: Option<&Poll>) -> Presence {
        let name = self.replica.clone().unwrap_or_else(host_name);
        Presence::starting(kind, name, self.release().to_owned(), poll)
    }

    /// What its release is called.
    pub(crate) fn release(&self) -> &str {
        self.release.as_deref().unwrap_or(VERSION)
    }
}

/// The host name, which is the container's id in Docker.
pub fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "unnamed".to_owned(),
        name => name.to_owned(),
    }
}

/// A secret's value: given itself or in a file, whose trailing line break does not count.
pub fn secret(name: &str, value: Option<&str>, file: Option<&Path>) -> anyhow::Result<Option<String>> {
    let secret = match (value, file) {
        (Some(_), Some(_)) => bail!("both {name} and {name}_FILE are set: unset one of them"),
        (None, Some(path)) => Some(read_secret(name, path)?),
        (value, None) => value.map(str::to_owned),
    };
    // Of the cookie keys, each that verifies can also forge.
    if secret.as_ref().is_some_and(|secret| secret.lines().any(|line| line.starts_with(DEMO))) {
        tracing::warn!(
            "{name} holds the demo secret, which everybody knows (compose/secrets.sh makes others)"
        );
    }
    Ok(secret)
}

fn required(name: &str, value: Option<&str>, file: Option<&Path>, example: &str) -> anyhow::Result<String> {
    secret(name, value, file)?.with_context(|| {
        format!("{name} is not set: set it, for example to {example}, or {name}_FILE to a file that holds it")
    })
}

fn read_secret(name: &str, path: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read {} ({name}_FILE)", path.display()))?;
    let text = text.trim_end_matches(['\r', '\n']);
    ensure!(!text.is_empty(), "{} ({name}_FILE) is empty", path.display());
    Ok(text.to_owned())
}

fn redis_address(url: &str) -> anyhow::Result<ConnectionInfo> {
    ensure!(
        ["redis://", "rediss://"].iter().any(|scheme| url.starts_with(scheme)),
        "REDIS_URL must begin with redis:// or, for TLS, rediss://"
    );
    url.into_connection_info().context("REDIS_URL is not of the form redis://HOST:6379/")
}

fn ca_file() -> Option<PathBuf> {
    std::env::var_os(CA_FILE).filter(|path| !path.is_empty()).map(PathBuf::from)
}
