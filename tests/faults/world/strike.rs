//! How each fault begins and ends.

use harness::{Conditions, Flow, Proxy};
use std::time::Instant;

use load_test::oracle::StoreLoss;

use super::{Machine, Member, World, eventually};
use crate::fault::{Fault, Kind, Link, Target};
use crate::machine::Orders;
use crate::schedule::Blow;

/// By how many hours a clock is wrong.
const AHEAD: i64 = 1;
const BEHIND: i64 = -1;

const WELL: Orders = Orders { hours_ahead: 0, disk_is_full: false, disk_is_slow: false };
const SLOW: Orders = Orders { disk_is_slow: true, ..WELL };
const FULL: Orders = Orders { disk_is_full: true, ..WELL };

/// More votes than are under way at the same time.
const ENOUGH_TO_LOSE: usize = 20;

/// What a store prints when its disk is full.
const NO_ROOM: [&str; 2] = ["No space left on device", "AOF write error"];

impl World {
    /// Begins a fault.
    pub async fn strike(&mut self, blow: &Blow) {
        match blow.fault.conditions() {
            Some(conditions) => self.set_links(blow, conditions),
            None if blow.fault.target.is_store() => self.strike_store(blow).await,
            None => self.strike_replicas(blow).await,
        }
    }

    /// Ends a fault. Starts again only what the fault itself stopped.
    pub async fn heal(&mut self, blow: &Blow) {
        if self.is_hit_once {
            eventually("an effect of the fault", async || self.had_an_effect(blow).then_some(())).await;
        }
        match blow.fault.conditions() {
            Some(_) => self.set_links(blow, Conditions::default()),
            None if blow.fault.target.is_store() => self.heal_store(blow).await,
            None => self.heal_replicas(blow).await,
        }
    }

    async fn strike_store(&mut self, blow: &Blow) {
        let Fault { target, kind, .. } = blow.fault;
        match (kind, target) {
            (Kind::Pause, Target::Redis) => self.stores.redis.pause(),
            (Kind::Pause, _) => self.stores.postgres.pause(),
            (Kind::Terminate, Target::Redis) => self.stores.redis.terminate().await,
            (Kind::Terminate, _) => self.stores.postgres.terminate().await,
            (Kind::SlowDisk | Kind::SlowDiskKill, _) => self.machine(target).set(SLOW),
            (Kind::DiskFull, _) => self.machine(target).set(FULL),
            (Kind::Wiped, Target::Redis) => self.wipe_redis(blow).await,
            (Kind::Wiped, _) => self.wipe_postgres(blow).await,
            (Kind::Older, _) => self.copy_postgres().await,
            (_, _) => self.kill(target).await,
        }
    }

    async fn heal_store(&mut self, blow: &Blow) {
        let Fault { target, kind, .. } = blow.fault;
        match (kind, target) {
            (Kind::Pause, Target::Redis) => self.stores.redis.unpause(),
            (Kind::Pause, _) => self.stores.postgres.unpause(),
            (Kind::SlowDisk, _) => self.machine(target).set(WELL),
            (Kind::SlowDiskKill | Kind::DiskFull, _) => self.restart_on_a_good_disk(target).await,
            (Kind::Wiped, _) if !blow.restarts => {}
            (Kind::Older, _) => self.restore_postgres().await,
            (_, _) => {
                self.resume(target).await;
                self.set_links(blow, Conditions::default());
            }
        }
    }

    /// Sets the conditions of the links that a fault hits.
    fn set_links(&self, blow: &Blow, conditions: Conditions) {
        self.links(blow).for_each(|link| link.set(conditions));
    }

    /// Whether the fault affected anything: one that did not would prove nothing. Next to other
    /// faults it may affect nothing until those end: a link to a stopped store carries no bytes.
    fn had_an_effect(&self, blow: &Blow) -> bool {
        let Fault { target, kind, .. } = blow.fault;
        match (kind, target) {
            (Kind::SlowDisk | Kind::SlowDiskKill, _) => self.machine(target).synced_slowly(),
            (Kind::DiskFull, Target::Redis) => says_no_room(&self.stores.redis.output()),
            (Kind::DiskFull, _) => says_no_room(&self.stores.postgres.output()),
            _ => blow.fault.conditions().is_none() || self.links(blow).any(Proxy::hindered),
        }
    }

    fn links(&self, blow: &Blow) -> impl Iterator<Item = &Proxy> {
        let link = match (blow.fault.target, blow.fault.link) {
            (_, Some(link)) => link,
            (Target::Redis, None) => Link::Redis,
            (_, None) => Link::Postgres,
        };
        self.hit(blow).into_iter().map(move |number| self.replicas[number].link(link))
    }

    /// The replicas that a fault hits. A fault of a store hits the links of all replicas.
    fn hit(&self, blow: &Blow) -> Vec<usize> {
        let target = blow.fault.target;
        let at_most = if blow.every_replica || target.is_store() { self.replicas.len() } else { 1 };
        let replicas = self.replicas.iter().enumerate();
        let hit = replicas.filter(|(_, member)| target.is_store() || member.service == target);
        hit.map(|(number, _)| number).take(at_most).collect()
    }

    async fn strike_replicas(&mut self, blow: &Blow) {
        for number in self.hit(blow) {
            let member = &mut self.replicas[number];
            let service = &mut member.replica.service;
            match (blow.fault.kind, &member.machine) {
                (Kind::Pause, _) => service.pause(),
                (Kind::OnPurpose(order), _) => member.replica.fault(order).await,
                (Kind::Terminate, _) => {
                    service.terminate();
                    let ended = service.exit().await;
                    assert!(ended.success(), "it ended with {ended}:\n{}", service.output());
                }
                (Kind::ClockAhead, Some(machine)) => machine.shift(AHEAD, &member.replica).await,
                (Kind::ClockBehind, Some(machine)) => machine.shift(BEHIND, &member.replica).await,
                (_, _) => service.kill().await,
            }
        }
    }

    async fn heal_replicas(&mut self, blow: &Blow) {
        for number in self.hit(blow) {
            let member = &self.replicas[number];
            match (blow.fault.kind, &member.machine) {
                (Kind::Pause, _) => member.replica.service.unpause(),
                (Kind::OnPurpose(_), _) => member.replica.fault("none").await,
                (Kind::ClockAhead | Kind::ClockBehind, Some(machine)) => {
                    machine.shift(0, &member.replica).await
                }
                (_, _) => self.restart(number),
            }
        }
    }

    async fn kill(&mut self, store: Target) {
        match store {
            Target::Redis => self.stores.redis.kill().await,
            _ => self.stores.postgres.kill().await,
        }
    }

    async fn resume(&mut self, store: Target) {
        match store {
            Target::Redis => self.stores.redis.resume().await,
            _ => self.stores.postgres.resume().await,
        }
    }

    async fn restart_on_a_good_disk(&mut self, store: Target) {
        self.kill(store).await;
        self.machine(store).set(WELL);
        self.resume(store).await;
    }

    fn machine(&self, store: Target) -> &Machine {
        &self.machines[store.name()]
    }

    /// Empties Redis while it runs, or restarts it on a new folder, with all its links cut before.
    async fn wipe_redis(&mut self, blow: &Blow) {
        self.some_votes_wait().await;
        if blow.restarts {
            self.set_links(blow, Conditions { broken: true, ..Conditions::default() });
        }
        let (waited, _) = self.queue(true).await;
        self.losses.push(StoreLoss::Queue { waited });
        if blow.restarts {
            self.stores.redis.kill().await;
            self.stores.redis.wipe();
        }
        self.let_workers_count(true);
    }

    /// Waits until there are votes to lose.
    async fn some_votes_wait(&self) {
        self.let_workers_count(false);
        let some_wait = async || (self.queue(false).await.0.len() >= ENOUGH_TO_LOSE).then_some(());
        eventually("votes that wait", some_wait).await;
    }

    fn let_workers_count(&self, may: bool) {
        let requests = if may { Flow::Open } else { Flow::Stalled };
        for member in self.replicas.iter().filter(|member| member.service == Target::Worker) {
            member.postgres.set(Conditions { requests, ..Conditions::default() });
        }
    }

    async fn wipe_postgres(&mut self, blow: &Blow) {
        if blow.restarts {
            self.stores.postgres.quit();
            self.stores.postgres.wipe();
        } else {
            let pool = self.stores.postgres.pool().await;
            // A batch that is being recorded holds locks, and may make this fail.
            eventually("a dropped schema", async || {
                sqlx::raw_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public").execute(&pool).await.ok()
            })
            .await;
        }
        self.lost_what_was_counted().await;
    }

    async fn copy_postgres(&mut self) {
        self.stores.postgres.kill().await;
        self.copy = self.stores.postgres.copy();
        self.stores.postgres.resume().await;
        let copied = self.stores.counted().await;
        eventually("votes that are not in the copy", async || {
            let now = self.stores.counted().await;
            let news = now.iter().filter(|(voter, choice)| copied.get(voter) != Some(choice)).count();
            (news >= ENOUGH_TO_LOSE).then_some(())
        })
        .await;
    }

    async fn restore_postgres(&mut self) {
        self.stores.postgres.quit();
        self.stores.postgres.restore(&self.copy);
        self.lost_what_was_counted().await;
        self.stores.postgres.resume().await;
    }

    async fn lost_what_was_counted(&mut self) {
        let (_, untaken) = self.queue(false).await;
        self.losses.push(StoreLoss::Ledger { until: Instant::now(), untaken });
    }
}

fn says_no_room(said: &str) -> bool {
    NO_ROOM.iter().any(|text| said.contains(text))
}

impl Member {
    fn link(&self, link: Link) -> &Proxy {
        match link {
            Link::Door => &self.door,
            Link::Redis => &self.redis,
            Link::Postgres => &self.postgres,
        }
    }
}
