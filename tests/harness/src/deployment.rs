//! The three services over stores of their own.

use std::cell::Cell;
use std::iter;

use election::VoterId;
use load_test::oracle::{Counted, violations};
use load_test::vote::Told;
use serde_json::Value;
use uuid::Uuid;

use super::{Postgres, Redis, Service, Voter, eventually, free_port};

/// The same for every replica of `vote`, as it must be.
const COOKIE_KEY: &str = "a key for tests only, and long enough";

/// Our three services over stores of their own.
pub struct Deployment {
    pub redis: Redis,
    pub postgres: Postgres,
    replicas: Cell<u32>,
}

/// A replica, and where to reach it.
pub struct Replica {
    pub service: Service,
    pub program: String,
    /// The page, if it has one.
    pub url: String,
    pub management: String,
}

impl Deployment {
    pub async fn start() -> Self {
        Self::over(Redis::start().await, Postgres::start().await)
    }

    pub fn over(redis: Redis, postgres: Postgres) -> Self {
        Self { redis, postgres, replicas: Cell::new(0) }
    }

    /// Starts a replica and waits until it is ready.
    pub async fn ready(&self, program: &str) -> Replica {
        let replica = self.spawn(program, &[]);
        replica.wait_until_ready().await;
        replica
    }

    /// Starts a `vote`, a `worker` and a `result`.
    pub async fn one_of_each(&self) -> (Replica, Replica, Replica) {
        (self.ready("vote").await, self.ready("worker").await, self.ready("result").await)
    }

    /// Starts a replica; these variables come on top of the usual ones.
    pub fn spawn(&self, program: &str, more: &[(&str, &str)]) -> Replica {
        self.spawn_by(|env| Service::spawn(program, env), program, more)
    }

    /// Starts a replica that may open at most this many files.
    pub fn spawn_limited(&self, program: &str, files: u32) -> Replica {
        self.spawn_by(|env| Service::spawn_limited(program, files, env), program, &[])
    }

    fn spawn_by(
        &self,
        spawn: impl FnOnce(&[(&str, &str)]) -> Service,
        program: &str,
        more: &[(&str, &str)],
    ) -> Replica {
        let number = self.replicas.replace(self.replicas.get() + 1);
        let (listen, management) = (local_address(), local_address());
        let (redis, postgres) = (self.redis.url(), self.postgres.url());
        let name = format!("{program}-{number}");
        let usual = [
            ("REDIS_URL", redis.as_str()),
            ("DATABASE_URL", &postgres),
            ("COOKIE_KEY", COOKIE_KEY),
            ("LISTEN", &listen),
            ("MANAGEMENT_LISTEN", &management),
            ("REPLICA", &name),
            ("DRAIN", "0s"),
        ];
        let service = spawn(&[&usual, more].concat());
        Replica {
            service,
            program: program.to_owned(),
            url: format!("http://{listen}"),
            management: format!("http://{management}"),
        }
    }

    /// Runs `worker verify`, and returns whether all is well and what it printed.
    pub async fn verify(&self) -> (bool, String) {
        let (redis, postgres) = (self.redis.url(), self.postgres.url());
        let env = [("REDIS_URL", redis.as_str()), ("DATABASE_URL", &postgres)];
        let mut verify = Service::spawn_with("worker", &["verify"], &env);
        let well = verify.exit().await.success();
        (well, verify.output())
    }

    /// Waits until every recorded vote is counted, and checks that each of these voters is counted
    /// as they were told, that nobody else is, and that the totals agree.
    pub async fn counts_exactly(&self, voters: &[Voter]) {
        eventually("every vote to be counted", async || {
            let (well, said) = self.verify().await;
            let lines = ["waiting", "pending", "dead"].map(|name| format!("{name:<10} {:>10}", 0));
            (well && lines.iter().all(|line| said.contains(line))).then_some(())
        })
        .await;
        let told: Told = voters.iter().map(|voter| (voter.id, voter.votes.clone())).collect();
        let wrong = violations(&told, &self.counted().await, &[]);
        let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// What the ledger holds for each voter, of whatever poll.
    pub async fn counted(&self) -> Counted {
        let pool = self.postgres.pool().await;
        let ballots = sqlx::query_as("SELECT voter, choice, ord FROM ballots").fetch_all(&pool).await;
        let ballots: Vec<(Uuid, String, i64)> = ballots.expect("the ballots");
        let row = |choice: String, ord| (choice.parse().expect("the key of an option"), ord);
        ballots.into_iter().map(|(voter, choice, ord)| (VoterId(voter), row(choice, ord))).collect()
    }
}

impl Replica {
    /// What the management port answers to `/readyz`: its status and its body.
    pub async fn readyz(&self) -> Option<(u16, String)> {
        let answer = reqwest::get(format!("{}/readyz", self.management)).await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    }

    /// What the management port answers to `/servez`.
    pub async fn servez(&self) -> (u16, String) {
        let answer = reqwest::get(format!("{}/servez", self.management)).await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("a text"))
    }

    /// What the management port tells Prometheus.
    pub async fn metrics(&self) -> String {
        let answer = reqwest::get(format!("{}/metrics", self.management)).await.expect("an answer");
        assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        answer.text().await.expect("a text")
    }

    /// The value of one line of `/metrics`, named as it stands there.
    pub async fn metric(&self, name: &str) -> Option<f64> {
        self.metrics().await.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    }

    /// Orders a fault, such as `slow 2s`. Returns whether the order was taken, and what was printed.
    pub async fn try_fault(&self, order: &str) -> (bool, String) {
        let args: Vec<&str> = iter::once("fault").chain(order.split(' ')).collect();
        let management = self.management.trim_start_matches("http://");
        let mut ordering = Service::spawn_with(&self.program, &args, &[("MANAGEMENT_LISTEN", management)]);
        let taken = ordering.exit().await.success();
        (taken, ordering.output())
    }

    /// Orders a fault that is possible.
    pub async fn fault(&self, order: &str) {
        let (taken, said) = self.try_fault(order).await;
        assert!(taken, "fault {order}: {said}\n{}", self.service.output());
    }

    pub async fn wait_until_ready(&self) {
        let ready = async || self.readyz().await.filter(|(status, _)| *status == 200);
        eventually(&format!("readiness of {}\n{}", self.url, self.service.output()), ready).await;
    }
}

/// Waits until `/api/totals` at this address satisfies the condition.
pub async fn totals_of(url: &str, what: &str, condition: impl Fn(&Value) -> bool) -> Value {
    eventually(what, async || {
        let answer = reqwest::get(format!("{url}/api/totals")).await.ok()?;
        serde_json::from_str(&answer.text().await.ok()?).ok().filter(&condition)
    })
    .await
}

fn local_address() -> String {
    format!("127.0.0.1:{}", free_port())
}
