//! Those who vote during the faults: a crowd whose every ballot is compared, and one voter who presses again and
//! again and notes when votes are recorded.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use harness::{Voter, totals_of};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::{interval, timeout};

use crate::cluster::{Cluster, RESULT, VOTE, file};

/// Small enough for a machine that also runs the cluster.
const VOTES_PER_SECOND: &str = "--rate=30";

/// How often the voter presses, and so how exact the times are.
const PRESS_EVERY: Duration = Duration::from_millis(100);

/// A vote is answered after 5 s at the latest, and the way through the cluster takes a little more.
const ANSWERED_WITHIN: Duration = Duration::from_secs(7);

/// So many votes come from nobody but the crowd, which by then has reached all that it needs.
const FIRST_VOTES: u64 = 10;

impl Cluster {
    /// Lets a crowd vote for this many seconds, from the control plane's node. Returns once its first votes count.
    pub async fn crowd(&self, seconds: u32) {
        self.begin(job(&self.control_plane(), &during(seconds))).await;
    }

    /// Lets a crowd vote from this node, with these arguments. Returns once its first votes count.
    pub async fn crowd_on(&self, node: &str, arguments: &[String]) {
        self.begin(job(node, arguments)).await;
    }

    /// Lets a crowd vote that does not ask PostgreSQL afterwards, because the passwords change while it votes.
    pub async fn crowd_without_password(&self, seconds: u32) {
        let mut job = job(&self.control_plane(), &during(seconds));
        let variables = &mut job["spec"]["template"]["spec"]["containers"][0]["env"];
        let is_address = |variable: &Value| !variable["name"].as_str().unwrap().starts_with("DATABASE_");
        variables.as_array_mut().unwrap().retain(is_address);
        self.begin(job).await;
    }

    async fn begin(&self, job: Value) {
        let voters = |totals: &Value| totals["total"].as_u64().unwrap_or(0);
        let before = totals_of(RESULT, "totals", |totals| totals["live"] == true).await;
        self.attempt(&["delete", "job", "load-test", "--ignore-not-found"]);
        // The policy comes first, because without it the crowd would not reach the pages.
        self.create(&file("load-test.yaml")[1].to_string());
        self.create(&job.to_string());
        let grown = |totals: &Value| voters(totals) >= voters(&before) + FIRST_VOTES;
        totals_of(RESULT, "the first votes of the crowd", grown).await;
    }

    /// Waits until the crowd has ended, and returns what it printed. Its Job completes only if the crowd found every vote
    /// counted once.
    pub fn crowd_is_counted(&self) -> String {
        let ends = [
            "wait",
            "pod",
            "--selector=app.kubernetes.io/name=load-test",
            "--for=jsonpath={.status.containerStatuses[0].state.terminated}",
            "--timeout=300s",
        ];
        self.kubectl(&ends);
        let told = self.kubectl(&["logs", "job/load-test"]);
        self.kubectl(&["wait", "job/load-test", "--for=condition=Complete", "--timeout=30s"]);
        told
    }

    /// The node with the control plane and the cluster's own add-ons.
    pub fn control_plane(&self) -> String {
        let name = "--output=jsonpath={.items[0].metadata.name}";
        self.kubectl(&["get", "nodes", "--selector=node-role.kubernetes.io/control-plane", name])
    }
}

/// The arguments of a crowd that votes for this many seconds.
pub fn during(seconds: u32) -> [String; 3] {
    [format!("--duration={seconds}s"), VOTES_PER_SECOND.to_owned(), "--viewers=3".to_owned()]
}

/// The Job of a crowd on this node. Choose a node that no fault of the test strikes.
fn job(node: &str, arguments: &[String]) -> Value {
    let mut job = file("load-test.yaml").remove(0);
    let pod = &mut job["spec"]["template"]["spec"];
    pod["containers"][0]["args"] = json!(arguments);
    pod["nodeSelector"] = json!({ "kubernetes.io/hostname": node });
    pod["tolerations"] = json!([{ "operator": "Exists" }]);
    job
}

/// A voter who presses the same button again and again, which changes no total.
pub struct Impatient {
    times: Arc<Mutex<Vec<Pressed>>>,
    pressing: JoinHandle<()>,
}

/// When a button was pressed, and whether the vote was recorded.
type Pressed = (Instant, bool);

impl Impatient {
    pub async fn begin() -> Self {
        let mut voter = Voter::arrive(VOTE).await;
        voter.insist(&[VOTE], "a").await;
        let times = Arc::new(Mutex::new(Vec::new()));
        let noted = times.clone();
        let pressing = tokio::spawn(async move {
            let mut ticks = interval(PRESS_EVERY);
            loop {
                ticks.tick().await;
                let pressed = Instant::now();
                let answer = timeout(ANSWERED_WITHIN, voter.vote(VOTE, "a")).await;
                let recorded = matches!(answer, Ok(Ok(answer)) if answer.status() == 303);
                noted.lock().unwrap().push((pressed, recorded));
            }
        });
        Self { times, pressing }
    }

    /// The longest time without a recorded vote since `start`, in seconds.
    pub fn waited_since(&self, start: Instant) -> f64 {
        let times = self.times.lock().unwrap();
        let recorded = times.iter().filter(|(at, recorded)| *recorded && *at >= start).map(|(at, _)| *at);
        let moments: Vec<Instant> = [start].into_iter().chain(recorded).chain([Instant::now()]).collect();
        let gaps = moments.windows(2).map(|pair| pair[1] - pair[0]);
        gaps.max().unwrap_or_default().as_secs_f64()
    }

    /// How many presses since `start` did not record a vote.
    pub fn failures_since(&self, start: Instant) -> usize {
        let times = self.times.lock().unwrap();
        times.iter().filter(|(at, recorded)| !recorded && *at >= start).count()
    }
}

impl Drop for Impatient {
    fn drop(&mut self) {
        self.pressing.abort();
    }
}
