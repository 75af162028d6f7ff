//! `docker stack deploy`: the commands of docs/swarm.md on one node, and the lab's three nodes.

use std::collections::BTreeSet;

use harness::{Voter, client, eventually, free_port, is_empty, map_shows, map_tells};

use crate::node::{Node, attempt, run};
use crate::tasks::documented;
use crate::{SWARM, end_well, turn, vote_all_along, vote_and_count};

const SERVICES: [(&str, &str); 3] = [("urna_vote", "2/2"), ("urna_worker", "1/1"), ("urna_result", "2/2")];

#[tokio::test]
async fn one_node_does_what_its_page_says() {
    let [init, token, build, deploy, services, tasks, scale, update, rollback, remove, leave] =
        documented("docker swarm init");
    let (_turn, swarm) = (turn(&SWARM).await, Swarm::new());
    let node = swarm.start_alone().await;
    let follow = |line: &str| node.docker(&line.split(' ').skip(1).collect::<Vec<_>>());
    follow(&init);
    assert!(follow(&token).contains("docker swarm join --token"));
    assert_eq!(build, "docker compose build");
    node.load(&["urna-vote", "urna-worker", "urna-result", "redis:8-alpine", "postgres:18-alpine"]);
    // With the images that were copied to the node, not those of a registry.
    follow(&deploy.replace("deploy", "deploy --resolve-image=never"));
    swarm.is_up().await;
    let mut voters = node.open_door(&swarm.vote).await;
    swarm.counts(&mut voters, "a").await;
    assert!(follow(&services).contains("urna_vote"));
    assert!(follow(&tasks).contains("urna_vote.2"));
    follow(&scale);
    node.runs("urna_worker", "3/3").await;
    swarm.counts(&mut voters, "b").await;
    follow(&update);
    swarm.counts(&mut voters, "a").await;
    follow(&rollback);
    swarm.counts(&mut voters, "b").await;
    // The nginx of the tests is not part of the stack, and would keep the stack's network in use.
    node.docker(&["stack", "rm", "door"]);
    follow(&remove);
    follow(&leave);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_lose_tasks_and_nodes_and_count_every_vote_once() {
    let [up, drain, map, activate, kill, _, start, update, down] = documented("stack/lab/up");
    let (_turn, lab) = (turn(&SWARM).await, Swarm::new());
    lab.follow(&up);
    let manager = lab.node("manager");
    manager.take_files();
    let mut voters = manager.open_door(&lab.vote).await;
    for page in ["urna_vote", "urna_result"] {
        assert_eq!(lab.nodes_of(page).len(), 2, "{page}: {}", lab.follow(&map));
    }
    lab.counts(&mut voters, "a").await;

    lab.loses_a_task_and_nodes(&mut voters, [&drain, &map, &activate, &kill, &start]).await;

    // Voters vote while every replica of a page is replaced, while updates are tried that cannot work, and
    // while the cookie key changes.
    let load = tokio::spawn(vote_all_along(lab.vote.clone(), lab.result.clone(), voters[0].clone(), "a"));
    tokio::task::block_in_place(|| {
        lab.follow(&update);
        assert!(lab.works_on("worker2"), "{}", lab.follow(&map));
        manager.docker(&["service", "update", "--env-add", "RELEASE=2", "--quiet", "urna_result"]);
        lab.rolls_a_sick_image_back();
        lab.rolls_an_unreachable_store_back();
        lab.changes_its_cookie_key();
    });
    end_well(load).await;
    map_tells(&lab.result, "rollout of result: release 2 on 2 of 2").await;
    lab.counts(&mut voters, "b").await;

    tokio::task::block_in_place(|| lab.changes_its_secrets_and_its_poll());
    lab.counts(&mut voters, "a").await;
    let page = client().get(&lab.vote).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("And now?"), "{page}");
    lab.follow(&down);
    assert_eq!(run(&format!("docker ps --all --quiet --filter name={}", lab.name)), "");
}

/// A swarm with a name and ports of its own. Dropping it removes the swarm.
struct Swarm {
    name: String,
    ports: [u16; 2],
    vote: String,
    result: String,
}

impl Swarm {
    fn new() -> Self {
        let ports = [free_port(), free_port()];
        let [vote, result] = ports.map(|port| format!("http://127.0.0.1:{port}"));
        Self { name: format!("urna-test-lab-{}", ports[0]), ports, vote, result }
    }

    async fn start_alone(&self) -> Node {
        let node = self.node("manager");
        let [vote, result] = self.ports;
        let ports = format!("-p 127.0.0.1:{vote}:8000 -p 127.0.0.1:{result}:8001");
        run(&format!(
            "docker run --detach --privileged --hostname manager --name {} {ports} docker:28-dind",
            node.container
        ));
        node.take_files();
        eventually("the engine of the node", async || node.attempt(&["info"]).0.then_some(())).await;
        node
    }

    fn node(&self, name: &str) -> Node {
        Node { container: format!("{}-{name}", self.name) }
    }

    /// Runs a command of docs/swarm.md, on this lab and its ports.
    fn follow(&self, line: &str) -> String {
        let ([vote, result], name) = (self.ports, &self.name);
        let line = line.replace("urna-lab", name);
        run(&format!("LAB={name} VOTE_PORT={vote} RESULT_PORT={result} {line}"))
    }

    async fn is_up(&self) {
        for (service, replicas) in SERVICES {
            self.node("manager").runs(service, replicas).await;
        }
    }

    /// Checks that every voter's vote is recorded and counted once, and that `verify` succeeds.
    async fn counts(&self, voters: &mut [Voter], key: &str) {
        vote_and_count(&self.vote, &self.result, voters, key).await;
        let (node, task) = self.task("urna_worker").await;
        node.docker(&["exec", &task, "/worker", "verify"]);
    }

    /// The nodes on which a service runs.
    fn nodes_of(&self, service: &str) -> BTreeSet<String> {
        let tasks = ["service", "ps", service, "--filter=desired-state=running", "--format={{.Node}}"];
        self.node("manager").docker(&tasks).lines().map(str::to_owned).collect()
    }

    /// A task of a service: its node and its container's id.
    async fn task(&self, service: &str) -> (Node, String) {
        eventually(&format!("a task of {service}"), async || {
            let nodes = self.nodes_of(service).into_iter().map(|name| self.node(&name));
            nodes.filter_map(|node| node.container_of(service).map(|task| (node, task))).next()
        })
        .await
    }

    /// Follows the lines of docs/swarm.md that end a node: first in order, and then by a kill.
    async fn loses_a_task_and_nodes(
        &self,
        voters: &mut [Voter],
        [drain, map, activate, kill, start]: [&str; 5],
    ) {
        self.kill_a_task("urna_vote").await;
        self.counts(voters, "b").await;

        assert!(self.works_on("worker1"), "{}", self.follow(map));
        self.follow(drain);
        self.leaves("worker1").await;
        map_shows(&self.result, "an empty worker1", |picture| is_empty(picture, "worker1")).await;
        self.counts(voters, "a").await;
        self.follow(activate);

        assert!(self.works_on("worker2"), "{}", self.follow(map));
        self.follow(kill);
        self.leaves("worker2").await;
        map_shows(&self.result, "an empty worker2", |picture| is_empty(picture, "worker2")).await;
        eventually("its tasks elsewhere", async || {
            let now = self.follow(map);
            (now.contains("worker2 (Down") && now.contains("urna_vote.1")).then_some(())
        })
        .await;
        for store in ["urna_redis", "urna_db"] {
            assert_eq!(self.nodes_of(store), BTreeSet::from(["manager".to_owned()]), "{store}");
        }
        self.counts(voters, "b").await;

        self.follow(start);
        eventually("the node to come back", async || {
            self.follow(map).contains("worker2 (Ready").then_some(())
        })
        .await;
    }

    async fn kill_a_task(&self, service: &str) {
        let (node, task) = self.task(service).await;
        node.docker(&["kill", &task]);
        eventually(&format!("a task of {service} that failed"), async || {
            let states = ["service", "ps", service, "--format={{.CurrentState}}"];
            self.node("manager").docker(&states).contains("Failed").then_some(())
        })
        .await;
        self.is_up().await;
        // A replica is named after its container.
        map_tells(&self.result, &format!("{task} went silent")).await;
    }

    /// Waits until the tasks of a node run on other nodes.
    async fn leaves(&self, node: &str) {
        eventually(&format!("the tasks of {node} to move"), async || (!self.works_on(node)).then_some(()))
            .await;
        self.is_up().await;
    }

    fn works_on(&self, node: &str) -> bool {
        SERVICES.iter().any(|(service, _)| self.nodes_of(service).contains(node))
    }

    /// Updates to an image that never becomes healthy, and checks that Swarm rolls back.
    fn rolls_a_sick_image_back(&self) {
        let (manager, sick) = (self.node("manager"), "registry:5000/urna-vote:sick");
        let dockerfile = r#"FROM urna-vote\nHEALTHCHECK --interval=1s --retries=2 CMD ["/nothing"]"#;
        manager.shell(&format!("printf '{dockerfile}' | docker build -t {sick} -"));
        manager.docker(&["push", "--quiet", sick]);
        self.rolls_back(&["--image", sick]);
    }

    /// Updates to an address at which there is no Redis, and checks that Swarm rolls back.
    fn rolls_an_unreachable_store_back(&self) {
        self.rolls_back(&["--env-add", "REDIS_URL=redis://nowhere:6379/"]);
    }

    fn rolls_back(&self, update: &[&str]) {
        let manager = self.node("manager");
        manager.attempt(&[&["service", "update", "--quiet"], update, &["urna_vote"]].concat());
        let state = manager.docker(&["service", "inspect", "--format={{.UpdateStatus.State}}", "urna_vote"]);
        assert_eq!(state, "rollback_completed", "{update:?}");
    }

    /// Follows docs/swarm.md: a new cookie key first only verifies, and signs later. Also rolls back.
    fn changes_its_cookie_key(&self) {
        let manager = self.node("manager");
        manager.shell(
            "head -c 32 /dev/urandom | base64 > new-key
             cat compose/secrets/demo/cookie_key new-key > cookie-key-2
             cat new-key compose/secrets/demo/cookie_key > cookie-key-3",
        );
        self.deploys_cookie_key(2);
        self.deploys_cookie_key(3);
        manager.docker(&["service", "rollback", "--quiet", "urna_vote"]);
        self.deploys_cookie_key(3);
    }

    fn deploys_cookie_key(&self, version: u32) {
        let key = format!("{{ name: urna-cookie-key-{version}, file: ./cookie-key-{version} }}");
        self.node("manager").shell(&format!(
            "printf 'secrets:\\n  cookie_key: {key}' > my-stack.yml
             timeout 300 docker stack deploy --detach=false --quiet -c stack.yml -c my-stack.yml urna"
        ));
    }

    /// Follows docs/swarm.md: secrets and a poll of a new version, after the database has the new password.
    fn changes_its_secrets_and_its_poll(&self) {
        let manager = self.node("manager");
        let database = manager.container_of("urna_db").unwrap();
        manager.docker(&[
            "exec",
            &database,
            "psql",
            "--username=urna",
            "--command=ALTER ROLE urna PASSWORD 'new'",
        ]);
        manager.shell(
            "cp -r compose/secrets/demo my-secrets
             echo new | tee my-secrets/database_password my-secrets/reader_password > my-secrets/redis_password
             cat my-secrets/redis_password > my-secrets/vote_redis_password
             cat cookie-key-3 > my-secrets/cookie_key
             sed 's/^question.*/question = \"And now?\"/' poll.toml > my-poll.toml
             export SECRETS=my-secrets SECRETS_VERSION=4 POLL=my-poll.toml POLL_VERSION=2
             timeout 300 docker stack deploy --detach=false --quiet -c stack.yml urna",
        );
    }
}

impl Drop for Swarm {
    fn drop(&mut self) {
        // This must not panic: during another panic that would abort all tests.
        attempt("sh", &["-c", &format!("LAB={} stack/lab/down", self.name)]);
    }
}
