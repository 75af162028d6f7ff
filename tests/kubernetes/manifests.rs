//! What is true of every rendering, without a cluster.

mod network;
mod pods;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::ROOT;
use crate::cluster::finish;
use crate::render::Overlay;

/// The ways to reach the pages, each of which excludes the others.
const DOORS: [&[&str]; 6] =
    [&[], &["ingress"], &["ingress", "tls"], &["gateway"], &["gateway", "canary"], &["blue-green"]];

/// Components that can be combined with all others.
const ADDITIONS: [&str; 3] = ["autoscale", "monitor", "class"];

/// Our stores, our stores with backups, and stores of somebody else.
const STORES: [&[&str]; 3] = [&[], &["backup"], &["own-stores"]];

/// The versions of Kubernetes whose schemas the manifests must fit.
const VERSIONS: [&str; 2] = ["1.32", "1.36"];

/// Kubernetes reserves what pods request, so the requests of all pods together must fit on a small cluster.
const MILLICORES_MAX: u64 = 600;
const MEBIBYTES_MAX: u64 = 1536;

#[test]
fn every_combination_of_components_renders_and_every_pod_is_guarded() {
    for components in combinations() {
        let overlay = Overlay::write("every", &components, "");
        for object in overlay.objects() {
            pods::check(&object);
        }
    }
}

#[test]
fn the_manifests_fit_the_schemas_and_kube_score() {
    for (number, components) in largest().into_iter().enumerate() {
        let overlay = Overlay::write(&format!("largest-{number}"), &components, "");
        let file = overlay.folder.join("rendered.yaml");
        fs::write(&file, overlay.text()).unwrap();
        for version in VERSIONS {
            check(
                Command::new(format!("{ROOT}/target/kubernetes-validate/bin/kubernetes-validate"))
                    .args(["--strict", "--quiet", "--kubernetes-version", version])
                    .args([file.as_path(), &kubernetes("load-test.yaml"), &kubernetes("namespace.yaml")]),
            );
        }
        score(&file);
    }
}

/// Each test that is left out contradicts a decision. Images that are built here are called `latest` and are never
/// pulled. Containers run with small user ids. The clients of a store use a Service that has an address of its own.
fn score(file: &Path) {
    check(
        Command::new(format!("{ROOT}/target/kube-score/kube-score"))
            .args(["score", "--kubernetes-version", "v1.32", "--output-format", "ci"])
            .args(["--ignore-test", "container-image-tag"])
            .args(["--ignore-test", "container-image-pull-policy"])
            .args(["--ignore-test", "container-security-context-user-group-id"])
            .args(["--ignore-test", "statefulset-has-servicename"])
            .arg(file),
    );
}

#[test]
fn a_vote_travels_along_the_drawn_arrows_and_no_other() {
    let objects = Overlay::write("arrows", &["backup", "monitor", "blue-green"], "").objects();
    let drawn = BTreeSet::from([
        "the world -> result:8080",
        "the world -> vote:8080",
        "the world -> vote-next:8080",
        "vote -> redis:6379",
        "vote-next -> redis:6379",
        "worker -> redis:6379",
        "result -> redis:6379",
        "worker -> db:5432",
        "result -> db:5432",
        "backup -> db:5432",
        "restore -> db:5432",
        "prometheus -> vote:9000",
        "prometheus -> vote-next:9000",
        "prometheus -> worker:9000",
        "prometheus -> result:9000",
    ]);
    let allowed = network::arrows(&objects);
    assert_eq!(allowed.iter().map(String::as_str).collect::<BTreeSet<_>>(), drawn);
}

#[test]
fn all_pods_fit_on_a_small_cluster() {
    let objects = Overlay::write("requests", &[], "").objects();
    let (mut millicores, mut mebibytes) = (0, 0);
    for object in &objects {
        let Some(pod) = pods::template(object) else { continue };
        let replicas = object["spec"]["replicas"].as_u64().unwrap_or(1);
        let requests = &pod["spec"]["containers"][0]["resources"]["requests"];
        let number = |name: &str, unit| {
            requests[name].as_str().unwrap().strip_suffix(unit).unwrap().parse::<u64>().unwrap()
        };
        millicores += replicas * number("cpu", "m");
        mebibytes += replicas * number("memory", "Mi");
    }
    assert!(millicores <= MILLICORES_MAX, "{millicores}m");
    assert!(mebibytes <= MEBIBYTES_MAX, "{mebibytes}Mi");
}

#[test]
fn what_kustomize_needs_a_copy_of_is_the_same_everywhere() {
    let mut pairs = vec![
        ("poll.toml".to_owned(), "base/poll.toml".to_owned()),
        ("compose/redis.sh".to_owned(), "base/redis.sh".to_owned()),
        ("compose/prometheus/alerts.yml".to_owned(), "components/monitor/alerts.yml".to_owned()),
    ];
    for secret in fs::read_dir(format!("{ROOT}/compose/secrets/demo")).unwrap() {
        let name = secret.unwrap().file_name().into_string().unwrap();
        pairs.push((format!("compose/secrets/demo/{name}"), format!("components/demo-secrets/{name}")));
    }
    for (original, copy) in pairs {
        let [first, second] = [Path::new(ROOT).join(&original), kubernetes(&copy)].map(fs::read_to_string);
        let wish = format!("cp {original} kubernetes/{copy}");
        assert!(first.unwrap() == second.unwrap_or_default(), "the copy differs: {wish}");
    }
}

#[test]
fn the_next_vote_differs_from_vote_in_name_image_and_release_only() {
    let objects = Overlay::write("next", &["blue-green"], "").objects();
    let text = |name: &str| find(&objects, "Deployment", name).to_string();
    let next = text("vote-next")
        .replace("vote-next", "vote")
        .replace(r#"version":"next""#, &format!(r#"version":"{}""#, env!("CARGO_PKG_VERSION")));
    assert_eq!(next, text("vote"));
}

#[test]
fn every_service_says_which_release_it_is() {
    let objects = Overlay::write("release", &[], "").objects();
    for service in ["vote", "worker", "result"] {
        let labels = &find(&objects, "Deployment", service)["spec"]["template"]["metadata"]["labels"];
        assert_eq!(labels["app.kubernetes.io/version"], env!("CARGO_PKG_VERSION"), "{service}");
    }
}

#[test]
fn the_overlay_of_the_docs_renders_with_the_images_that_it_names() {
    let docs = fs::read_to_string(format!("{ROOT}/docs/kubernetes.md")).unwrap();
    let (_, from) = docs.split_once("```yaml\n").expect("an overlay");
    let (text, _) = from.split_once("```").unwrap();
    let folder = Path::new(ROOT).join("target/kubernetes/docs");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("kustomization.yaml"), text.replace("../../", "../../../kubernetes/")).unwrap();
    for object in (Overlay { folder }).objects() {
        let Some(pod) = pods::template(&object) else { continue };
        let image = pod["spec"]["containers"][0]["image"].as_str().unwrap();
        assert!(image.starts_with("registry.example/urna-") || !image.contains("urna-"), "{image}");
    }
}

fn combinations() -> Vec<Vec<&'static str>> {
    let mut all = Vec::new();
    for door in DOORS {
        for stores in STORES {
            for chosen in 0..1 << ADDITIONS.len() {
                let additions = ADDITIONS
                    .iter()
                    .enumerate()
                    .filter(|(at, _)| chosen >> at & 1 == 1)
                    .map(|(_, name)| *name);
                let components = door.iter().chain(stores).copied().chain(additions);
                all.push(components.chain(["debian-images"]).collect());
            }
        }
    }
    all
}

/// Combinations that together contain every component, each as full as it can be.
pub fn largest() -> Vec<Vec<&'static str>> {
    let full = |door: &[&'static str], stores: &[&'static str]| [door, stores, &ADDITIONS].concat();
    let stores = STORES.into_iter().cycle().skip(1);
    DOORS.iter().zip(stores).map(|(door, stores)| full(door, stores)).collect()
}

/// The object of this kind and name.
pub fn find<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let found = objects.iter().find(|object| object["kind"] == kind && object["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("no {kind} {name}"))
}

fn kubernetes(file: &str) -> std::path::PathBuf {
    Path::new(ROOT).join("kubernetes").join(file)
}

fn check(command: &mut Command) {
    let (succeeded, output) = finish(command);
    assert!(succeeded, "{command:?} complains:\n{output}");
}
