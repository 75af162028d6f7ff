//! A film of the map: a node is drained, a release is rolled out, a worker is killed, and Redis is away.

use std::fs::File;
use std::io::{BufWriter, Cursor};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use harness::{Browser, Deployment, Replica, Screen, Voter};
use tokio::task::JoinHandle;
use tokio::time::{interval, sleep};

/// Small enough for the README, and large enough to read the cards.
const SCREEN: Screen = Screen { width: 1280, height: 720, scale: 1 };

const LIGHT_AND_MOVING: &[(&str, &str)] =
    &[("prefers-color-scheme", "light"), ("prefers-reduced-motion", "no-preference")];

/// The film is four times as fast as what happens.
const FRAME_EVERY: Duration = Duration::from_secs(2);
const FRAMES_A_SECOND: u16 = 2;

/// How fast the crowd votes.
const VOTE_EVERY: Duration = Duration::from_millis(220);

/// Takes the film, and some of its frames as pictures.
pub(crate) async fn take(browser: &Browser, folder: &Path) {
    let mut deployment = Deployment::start().await;
    let mut cluster = Cluster::default();
    for (program, nodes) in [("vote", 1..=3), ("worker", 2..=3), ("result", 1..=2)] {
        for node in nodes {
            cluster.starts(&deployment, program, node, "1").await;
        }
    }
    browser.look_at(SCREEN).await;
    browser.prefer(LIGHT_AND_MOVING).await;
    browser.open(&format!("{}/map", cluster.of("result")[0].url)).await;
    let _crowd = cluster.crowd().await;
    let mut film = Film { browser, folder, frames: Vec::new() };
    film.roll(2).await;

    cluster.leaves_node_3(&deployment).await;
    film.roll(4).await;
    film.picture("map-drained.png").await;

    for _ in 0..3 {
        cluster.replaces_a_vote(&deployment).await;
        film.roll(2).await;
    }
    film.picture("map-update.png").await;
    film.roll(1).await;

    cluster.kills_a_worker().await;
    film.roll(5).await;
    film.picture("map-worker.png").await;

    deployment.redis.kill().await;
    film.roll(3).await;
    film.picture("map-redis.png").await;
    deployment.redis.resume().await;
    film.roll(4).await;
    film.picture("map-after.png").await;
    film.develop("map.png");
}

/// Replicas on nodes that exist in their announcements only.
#[derive(Default)]
struct Cluster {
    replicas: Vec<(&'static str, u8, Replica)>,
    /// Where the crowd votes.
    doors: Arc<Mutex<Vec<String>>>,
}

impl Cluster {
    async fn starts(&mut self, deployment: &Deployment, program: &'static str, node: u8, release: &str) {
        let replica = deployment.spawn(program, &[("NODE", &format!("node-{node}")), ("RELEASE", release)]);
        replica.wait_until_ready().await;
        self.replicas.push((program, node, replica));
        self.opens_doors();
    }

    fn opens_doors(&self) {
        *self.doors.lock().unwrap() = self.of("vote").iter().map(|replica| replica.url.clone()).collect();
    }

    fn of(&self, program: &str) -> Vec<&Replica> {
        let own = self.replicas.iter().filter(|(theirs, ..)| *theirs == program);
        own.map(|(.., replica)| replica).collect()
    }

    async fn leaves_node_3(&mut self, deployment: &Deployment) {
        self.starts(deployment, "vote", 1, "1").await;
        self.starts(deployment, "worker", 1, "1").await;
        for at in (0..self.replicas.len()).rev().filter(|at| self.replicas[*at].1 == 3).collect::<Vec<_>>() {
            self.ends(at).await;
        }
    }

    /// As an orchestrator does: the new one serves before the old one stops.
    async fn replaces_a_vote(&mut self, deployment: &Deployment) {
        let old = self.replicas.iter().position(|(program, ..)| *program == "vote").unwrap();
        let node = self.replicas[old].1;
        self.starts(deployment, "vote", node, "2").await;
        self.ends(old).await;
    }

    async fn ends(&mut self, at: usize) {
        let (.., mut replica) = self.replicas.remove(at);
        self.opens_doors();
        replica.service.terminate();
        replica.service.exit().await;
    }

    async fn kills_a_worker(&mut self) {
        let (.., worker) = self.replicas.iter_mut().find(|(program, ..)| *program == "worker").unwrap();
        worker.service.kill().await;
    }

    async fn crowd(&self) -> JoinHandle<()> {
        let doors = self.doors.clone();
        let door = move |number: usize| {
            let doors = doors.lock().unwrap();
            doors[number % doors.len()].clone()
        };
        let mut voters = Voter::arrive_many(&door(0), 60).await;
        tokio::spawn(async move {
            let mut ticks = interval(VOTE_EVERY);
            for number in 0.. {
                ticks.tick().await;
                let key = if number % 3 == 0 { "b" } else { "a" };
                let at = number % voters.len();
                let _ = voters[at].vote(&door(number), key).await;
            }
        })
    }
}

struct Film<'a> {
    browser: &'a Browser,
    folder: &'a Path,
    frames: Vec<Vec<u8>>,
}

impl Film<'_> {
    async fn roll(&mut self, frames: usize) {
        for _ in 0..frames {
            sleep(FRAME_EVERY).await;
            self.frames.push(self.browser.page.screenshot_as_png().await.unwrap());
        }
    }

    async fn picture(&self, name: &str) {
        let path = self.folder.join(name);
        self.browser.page.screenshot(&path).await.unwrap();
        println!("{}", path.display());
    }

    fn develop(&self, name: &str) {
        let path = self.folder.join(name);
        let file = BufWriter::new(File::create(&path).unwrap());
        let mut encoder = png::Encoder::new(file, SCREEN.width, SCREEN.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_compression(png::Compression::High);
        encoder.set_animated(self.frames.len() as u32, 0).unwrap();
        encoder.set_frame_delay(1, FRAMES_A_SECOND).unwrap();
        let mut film = encoder.write_header().unwrap();
        for frame in &self.frames {
            film.write_image_data(&pixels(frame)).unwrap();
        }
        film.finish().unwrap();
        println!("{}", path.display());
    }
}

fn pixels(frame: &[u8]) -> Vec<u8> {
    let mut reader = png::Decoder::new(Cursor::new(frame)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((info.width, info.height), (SCREEN.width, SCREEN.height));
    let bytes = pixels.chunks(info.color_type.samples()).flat_map(|pixel| &pixel[..3]);
    // With fewer colours the film takes a third of the space.
    bytes.map(|byte| byte.saturating_add(8) / 17 * 17).collect()
}
