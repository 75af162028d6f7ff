//! The three services and real stores, connected by links that a fault can cut.

mod strike;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use election::Choice;
use harness::{Deployment, Postgres, Proxy, Redis, Replica, eventually, totals_of};
use load_test::oracle::{Counted, StoreLoss, VoteKey};
use redis::pipe;
use serde_json::Value;
use tempfile::TempDir;

use crate::audience::Audience;
use crate::fault::{Fault, Target};
use crate::machine::Machine;

/// It has as many options as a poll may have: a choice that comes back hides that a vote was lost.
pub const POLL: &str = "faults";

/// Two replicas where one can harm the other: voters switch between `vote`s, and workers share voters.
const REPLICAS: [Target; 5] = [Target::Vote, Target::Vote, Target::Worker, Target::Worker, Target::Result];

/// Far longer than the votes of a killed worker wait for another one, and less than `eventually` waits.
const SETTLE_WITHIN: Duration = Duration::from_secs(45);

/// The services, the stores and the links between them.
pub struct World {
    stores: Deployment,
    replicas: Vec<Member>,
    /// One for each store whose disk a fault hits.
    machines: Machines,
    require_durable: bool,
    copy: Vec<u8>,
    poll: PathBuf,
    _folder: TempDir,
    is_hit_once: bool,
    pub losses: Vec<StoreLoss>,
}

type Machines = BTreeMap<&'static str, Machine>;

/// A replica and its network links.
struct Member {
    service: Target,
    replica: Replica,
    door: Proxy,
    redis: Proxy,
    postgres: Proxy,
    machine: Option<Machine>,
}

impl World {
    /// Starts everything, prepared for these faults.
    pub async fn start(faults: &[Fault], appendfsync: &str) -> Self {
        let folder = TempDir::with_prefix("faults-").expect("a temporary folder");
        let of_disks = faults.iter().filter(|fault| fault.is_of_a_disk());
        let machines = of_disks.map(|fault| (fault.target.name(), Machine::new())).collect();
        let mut world = Self {
            stores: start_stores(&machines, appendfsync).await,
            replicas: Vec::new(),
            machines,
            // A sabotage: votes are to be taken although Redis may lose them.
            require_durable: appendfsync == "always",
            copy: Vec::new(),
            poll: write_poll(folder.path()),
            _folder: folder,
            is_hit_once: faults.len() == 1,
            losses: Vec::new(),
        };
        for service in REPLICAS {
            let is_shifted = faults.iter().any(|fault| fault.is_of_a_clock() && fault.target == service);
            world.add(service, is_shifted.then(Machine::new)).await;
        }
        world.is_ready().await;
        world
    }

    /// The addresses at which people reach the replicas of a service.
    pub fn doors(&self, service: Target) -> Vec<String> {
        let replicas = self.replicas.iter().filter(|member| member.service == service);
        replicas.map(|member| format!("http://{}", member.door.address)).collect()
    }

    pub async fn is_ready(&self) {
        for member in &self.replicas {
            member.replica.wait_until_ready().await;
        }
    }

    /// Waits until no voter's request is under way on either side of a door.
    pub async fn is_quiet(&self) {
        let takes_votes = |member: &&Member| member.service == Target::Vote;
        eventually("the end of every voter's connection", async || {
            self.replicas.iter().filter(takes_votes).all(|member| member.door.is_idle()).then_some(())
        })
        .await;
    }

    /// Waits until the queue is empty. Returns what counts for each voter, and in words what else is wrong.
    pub async fn audit(&self, audience: &Audience) -> (Counted, Vec<String>) {
        let is_none = |said: &str, name: &str| said.contains(&format!("{name:<10} {:>10}", 0));
        let began = Instant::now();
        let (well, said) = eventually("an answer of worker verify", async || {
            let (well, said) = self.stores.verify().await;
            let is_settled = is_none(&said, "waiting") && is_none(&said, "pending");
            (is_settled || began.elapsed() > SETTLE_WITHIN).then_some((well && is_settled, said))
        })
        .await;
        let is_well = well && is_none(&said, "dead");
        let wrong = if is_well { Vec::new() } else { vec![format!("worker verify says:\n{said}")] };
        let counted = self.stores.counted().await;
        if is_well {
            self.is_shown(&counted, audience).await;
        }
        (counted, wrong)
    }

    /// Waits until every `result` shows what is counted, and so does the screen of every viewer.
    async fn is_shown(&self, counted: &Counted, audience: &Audience) {
        let is_true = |totals: &Value| {
            let options = totals["options"].as_array().map(Vec::as_slice).unwrap_or_default();
            options.len() == Choice::MAX
                && options.iter().all(|option| option["votes"] == votes(counted, option))
        };
        for url in self.doors(Target::Result) {
            totals_of(&url, "the results to show what is counted", is_true).await;
        }
        eventually("every viewer to see what is counted", async || {
            audience.sees().iter().all(is_true).then_some(())
        })
        .await;
    }

    async fn add(&mut self, service: Target, machine: Option<Machine>) {
        let (redis, postgres) = (self.stores.redis.address(), self.stores.postgres.address());
        let (redis, postgres) = (Proxy::to(redis).await, Proxy::to(postgres).await);
        let replica = self.spawn(service, &redis, &postgres, machine.as_ref());
        let door = Proxy::to(address_of(&replica)).await;
        self.replicas.push(Member { service, replica, door, redis, postgres, machine });
    }

    fn spawn(&self, service: Target, redis: &Proxy, postgres: &Proxy, machine: Option<&Machine>) -> Replica {
        let redis = format!("redis://{}/", redis.address);
        let postgres = format!("postgres://postgres@{}/postgres", postgres.address);
        let require_durable = self.require_durable.to_string();
        let usual = [
            ("REDIS_URL", redis.as_str()),
            ("DATABASE_URL", &postgres),
            ("POLL", path(&self.poll)),
            ("REQUIRE_DURABLE_QUEUE", &require_durable),
            ("DRAIN", "200ms"),
        ];
        let machine = machine.map(Machine::env).unwrap_or_default();
        let machine: Vec<_> = machine.iter().map(|(name, value)| (*name, path(value))).collect();
        self.stores.spawn(service.name(), &[&usual[..], &machine].concat())
    }

    fn restart(&mut self, number: usize) {
        let Member { service, redis, postgres, machine, .. } = &self.replicas[number];
        let replica = self.spawn(*service, redis, postgres, machine.as_ref());
        let member = &mut self.replicas[number];
        member.door.lead_to(address_of(&replica));
        member.replica = replica;
    }

    /// The votes that wait in the queue, and those of them that no worker has taken.
    async fn queue(&self, empty_it: bool) -> (BTreeSet<VoteKey>, BTreeSet<VoteKey>) {
        let mut commands = pipe();
        commands.atomic().cmd("XRANGE").arg("urna:votes").arg("-").arg("+");
        commands.cmd("XPENDING").arg("urna:votes").arg("workers").arg("-").arg("+").arg(1_000_000);
        if empty_it {
            commands.cmd("FLUSHALL").ignore();
        }
        type Entries = Vec<(String, BTreeMap<String, String>)>;
        let (entries, taken): (Entries, Vec<(String, String, u64, u64)>) =
            commands.query_async(&mut self.stores.redis.connection().await).await.expect("what waits");
        let taken: BTreeSet<String> = taken.into_iter().map(|(entry, ..)| entry).collect();
        let name = |fields: &BTreeMap<String, String>| {
            (fields["voter"].parse().unwrap(), fields["ord"].parse().unwrap())
        };
        let untaken =
            entries.iter().filter(|(entry, _)| !taken.contains(entry)).map(|(_, fields)| name(fields));
        (entries.iter().map(|(_, fields)| name(fields)).collect(), untaken.collect())
    }
}

/// How many ballots count for this option.
fn votes(counted: &Counted, option: &Value) -> usize {
    let key = option["key"].as_str().and_then(|key| key.parse().ok());
    counted.values().filter(|(choice, _)| Some(*choice) == key).count()
}

async fn start_stores(machines: &Machines, appendfsync: &str) -> Deployment {
    let env = |store: Target| machines.get(store.name()).map(Machine::env).unwrap_or_default();
    let redis = Redis::start_on(&["--appendfsync", appendfsync], env(Target::Redis)).await;
    Deployment::over(redis, Postgres::start_on(&[], env(Target::Postgres)).await)
}

fn write_poll(folder: &Path) -> PathBuf {
    let poll = folder.join("poll.toml");
    let options: Vec<String> = (0..Choice::MAX).filter_map(Choice::at).map(|key| key.to_string()).collect();
    let text = format!("id = {POLL:?}\nquestion = \"Which?\"\noptions = {options:?}\n");
    fs::write(&poll, text).expect("room for a poll file");
    poll
}

fn address_of(replica: &Replica) -> SocketAddr {
    let address = replica.url.strip_prefix("http://").and_then(|address| address.parse().ok());
    address.expect("the address of a replica")
}

/// The path as text, for an environment variable.
fn path(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}
