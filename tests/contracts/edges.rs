//! Which crate may depend on which, and contain which store: what the Cargo.toml files say, held
//! against the tables below.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::iter;
use std::path::Path;

use toml::{Table, Value};

/// Each crate, and the crates of the workspace that it may depend on. It need not depend on all.
const DRAWN: [(&str, &[&str]); 13] = [
    ("caller", &[]),
    ("election", &[]),
    ("service", &[]),
    ("store", &["service"]),
    ("queue", &["election", "store"]),
    ("ledger", &["election", "store"]),
    ("presence", &["election", "service", "store"]),
    ("status", &["election", "service", "store", "queue", "ledger", "presence"]),
    ("web", &[]),
    ("vote", &["election", "service", "store", "queue", "presence", "web"]),
    ("worker", &["election", "service", "store", "queue", "ledger", "presence", "status"]),
    ("result", &["election", "service", "store", "queue", "ledger", "presence", "status", "web"]),
    ("load-test", &["caller", "election", "service", "store"]),
];

/// The three services in one process, and what only tests use: they may depend on any crate.
const UNBOUND: [&str; 2] = ["harness", "urna"];

const SERVICES: [&str; 3] = ["vote", "worker", "result"];

/// The store of the embedded mode: no crate may contain it but those that are unbound.
const EMBEDDED: &str = "store/sqlite";

/// The store of the ledger, which `vote` may not contain either.
const LEDGERS: &str = "store/postgres";

/// A crate of the workspace, and the crates of the workspace that its code depends on.
#[derive(Debug)]
struct Member {
    folder: String,
    name: String,
    uses: BTreeSet<String>,
    /// Each of its features, and one that this feature enables here or in another crate.
    enables: Vec<(String, String)>,
}

#[test]
fn every_crate_depends_on_and_contains_nothing_but_what_is_drawn() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |folder: &str| fs::read_to_string(root.join(folder).join("Cargo.toml")).unwrap();
    let list = |folder: &str| {
        let entries = fs::read_dir(root.join(folder)).unwrap().flatten();
        let crates = entries.filter(|entry| entry.path().join("Cargo.toml").exists());
        crates.map(|entry| entry.file_name().into_string().unwrap()).collect()
    };
    let wrong = violations(&members(read, list));
    assert!(wrong.is_empty(), "the edges are drawn in {}:\n{}", file!(), wrong.join("\n"));
}

/// Reads the manifest in each folder of the workspace; `list` names the crates below a folder.
fn members(read: impl Fn(&str) -> String, list: impl Fn(&str) -> Vec<String>) -> Vec<Member> {
    let parse = |folder: &str| read(folder).parse::<Table>().unwrap();
    let root = parse("");
    let named =
        root["workspace"]["members"].as_array().unwrap().iter().map(|folder| folder.as_str().unwrap());
    let folders = named.flat_map(|folder| match folder.strip_suffix("/*") {
        Some(parent) => list(parent).iter().map(|name| format!("{parent}/{name}")).collect(),
        None => vec![folder.to_owned()],
    });
    let folders: Vec<String> = iter::once(String::new()).chain(folders).collect();
    let manifests: Vec<Table> = folders.iter().map(|folder| parse(folder)).collect();
    let names: BTreeSet<String> = manifests.iter().map(name).collect();
    let shared = root["workspace"].get("dependencies").and_then(Value::as_table);
    let uses = |manifest: &Table| {
        let packages = dependencies(manifest).map(|(key, value)| package(key, value, shared));
        packages.filter(|package| names.contains(package)).collect()
    };
    let member = |(folder, manifest): (String, &Table)| Member {
        folder,
        name: name(manifest),
        uses: uses(manifest),
        enables: by_dependencies(manifest, shared).chain(by_features(manifest, shared)).collect(),
    };
    folders.into_iter().zip(&manifests).map(member).collect()
}

fn name(manifest: &Table) -> String {
    manifest["package"]["name"].as_str().unwrap().to_owned()
}

/// What the crate's own code depends on, on every platform: neither its tests nor its build script.
fn dependencies(manifest: &Table) -> impl Iterator<Item = (&String, &Value)> {
    let platforms = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let somewhere = platforms.map(|platform| platform.get("dependencies"));
    let tables = iter::once(manifest.get("dependencies")).chain(somewhere);
    tables.flatten().filter_map(Value::as_table).flatten()
}

/// The package behind a dependency, which may be known under another name.
fn package(key: &str, value: &Value, shared: Option<&Table>) -> String {
    let renamed = |value: &Value| Some(value.get("package")?.as_str()?.to_owned());
    let inherited = || renamed(shared?.get(key)?);
    renamed(value).or_else(inherited).unwrap_or_else(|| key.to_owned())
}

/// A crate enables what it asks of its dependencies, and their default features, whenever it is used.
fn by_dependencies(manifest: &Table, shared: Option<&Table>) -> impl Iterator<Item = (String, String)> {
    dependencies(manifest).flat_map(move |(key, value)| {
        let said = iter::once(value).chain(shared.and_then(|shared| shared.get(key)));
        let asked = said.filter_map(|said| said.get("features")).flat_map(texts).chain(["default"]);
        let (from, package) = (format!("{}/default", name(manifest)), package(key, value, shared));
        asked.map(|feature| (from.clone(), format!("{package}/{feature}"))).collect::<Vec<_>>()
    })
}

fn by_features(manifest: &Table, shared: Option<&Table>) -> impl Iterator<Item = (String, String)> {
    let features = manifest.get("features").and_then(Value::as_table).into_iter().flatten();
    let implied = features.flat_map(|(feature, list)| texts(list).map(move |implied| (feature, implied)));
    implied.map(move |(feature, implied)| {
        let (key, enabled) = implied.split_once('/').unwrap_or(("", implied));
        let used = dependencies(manifest).find(|(used, _)| *used == key.trim_end_matches('?'));
        let of = used.map_or_else(|| name(manifest), |(key, value)| package(key, value, shared));
        (format!("{}/{feature}", name(manifest)), format!("{of}/{enabled}"))
    })
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap())
}

/// In words: each edge that is not drawn, and each crate that is drawn or there, but not both.
fn violations(members: &[Member]) -> Vec<String> {
    let drawn = BTreeMap::from(DRAWN);
    let mut wrong = Vec::new();
    for Member { folder, name, uses, .. } in members {
        if folder.starts_with("common/") {
            let services = uses.iter().filter(|used| SERVICES.contains(&used.as_str()));
            wrong.extend(
                services.map(|used| format!("{name} is in common/ and depends on the service {used}")),
            );
        }
        match drawn.get(name.as_str()) {
            Some(allowed) => {
                let others = uses.iter().filter(|used| !allowed.contains(&used.as_str()));
                wrong.extend(others.map(|used| format!("{name} may not depend on {used}")));
                let stores = contained(name, members).into_iter();
                let others = stores.filter(|store| store == EMBEDDED || name == "vote" && store == LEDGERS);
                wrong.extend(others.map(|store| format!("{name} may not contain {store}")));
            }
            None if UNBOUND.contains(&name.as_str()) => {}
            None => wrong.push(format!("the crate {name} is not drawn")),
        }
    }
    let is_there = |name: &&str| members.iter().any(|member| member.name == *name);
    let missing = drawn.into_keys().filter(|name| !is_there(name));
    wrong.extend(missing.map(|name| format!("the crate {name} is drawn, and not in the workspace")));
    wrong
}

/// The features that are on when this crate is built alone, such as `store/redis`.
fn contained(name: &str, members: &[Member]) -> BTreeSet<String> {
    let mut contained = BTreeSet::new();
    let mut open = vec![format!("{name}/default")];
    while let Some(feature) = open.pop() {
        if contained.insert(feature.clone()) {
            let enabled = members.iter().flat_map(|member| &member.enables);
            open.extend(enabled.filter(|(from, _)| *from == feature).map(|(_, to)| to.clone()));
        }
    }
    contained
}

mod judgement {
    use super::*;

    const ROOT: &str = "
        workspace.members = ['common/*', 'vote', 'worker', 'result', 'load-test']
        workspace.dependencies.pile = { package = 'queue', path = 'common/queue' }
        package.name = 'urna'
        dependencies.vote.workspace = true
        dependencies.ledger = { workspace = true, features = ['sqlite'] }";

    /// Crates as they may be: the folder of each, and what its manifest says beside its name.
    const CRATES: [(&str, &str); 13] = [
        ("common/caller", ""),
        ("common/election", "dependencies.serde = '1'"),
        ("common/service", ""),
        ("common/store", "dependencies.service = {}"),
        ("common/queue", "dependencies.store = {}\ndependencies.election.workspace = true"),
        ("common/ledger", "dependencies.store.features = ['postgres']\nfeatures.sqlite = ['store/sqlite']"),
        ("common/presence", "dependencies.store = {}"),
        ("common/status", "dependencies.ledger = {}\ndependencies.queue = {}"),
        ("common/web", "dependencies.askama = '0'"),
        ("vote", "dependencies.queue = {}\ndependencies.web = {}"),
        ("worker", "dependencies.ledger = {}"),
        ("result", "dependencies.status = {}"),
        ("load-test", "dependencies.election = {}"),
    ];

    #[test]
    fn a_workspace_as_it_is_drawn_is_right() {
        assert_eq!(violations(&workspace(&CRATES)), [""; 0]);
    }

    #[test]
    fn an_edge_that_is_not_drawn_is_named_however_it_is_written() {
        for written in [
            "dependencies.ledger.workspace = true",
            "[dependencies.ledger]\npath = '../common/ledger'",
            "dependencies.books = { package = 'ledger' }",
            "target.'cfg(unix)'.dependencies.ledger = {}",
        ] {
            let expected = ["vote may not depend on ledger", "vote may not contain store/postgres"];
            assert_eq!(judged("vote", written), expected, "{written}");
        }
        let renamed = "dependencies.pile.workspace = true";
        assert_eq!(judged("common/ledger", renamed), ["ledger may not depend on queue"]);
        assert_eq!(judged("load-test", "dependencies.queue = {}"), ["load-test may not depend on queue"]);
    }

    #[test]
    fn no_service_contains_the_store_of_the_embedded_mode() {
        for written in [
            "dependencies.ledger = { features = ['sqlite'] }",
            "dependencies.store = { workspace = true, features = ['sqlite'] }",
            "dependencies.books = { package = 'ledger' }\nfeatures.default = ['books/sqlite']",
        ] {
            assert_eq!(judged("worker", written), ["worker may not contain store/sqlite"], "{written}");
        }
        let queue = "dependencies.store = {}\nfeatures.default = ['store/sqlite']";
        let users = ["queue", "status", "vote", "result"];
        assert_eq!(
            judged("common/queue", queue),
            users.map(|name| format!("{name} may not contain store/sqlite"))
        );
    }

    #[test]
    fn vote_does_not_contain_the_store_of_the_ledger() {
        let written = "dependencies.store = { features = ['postgres'] }";
        assert_eq!(judged("vote", written), ["vote may not contain store/postgres"]);
        assert_eq!(judged("worker", written), [""; 0]);
    }

    #[test]
    fn what_only_tests_or_a_build_script_use_is_free() {
        assert_eq!(judged("vote", "dev-dependencies.ledger = {}"), [""; 0]);
        assert_eq!(judged("vote", "build-dependencies.ledger = {}"), [""; 0]);
    }

    #[test]
    fn nothing_in_common_depends_on_a_service() {
        let expected = ["web is in common/ and depends on the service vote", "web may not depend on vote"];
        assert_eq!(judged("common/web", "dependencies.vote = {}"), expected);
    }

    #[test]
    fn a_crate_that_is_not_drawn_and_one_that_is_missing_are_named() {
        let renamed = CRATES.map(|(folder, text)| (folder.replace("store", "utils"), text));
        let renamed: Vec<(&str, &str)> =
            renamed.iter().map(|(folder, text)| (folder.as_str(), *text)).collect();
        let expected = ["the crate utils is not drawn", "the crate store is drawn, and not in the workspace"];
        assert_eq!(violations(&workspace(&renamed)), expected);
    }

    /// What is wrong if the manifest of one crate says this instead.
    fn judged(folder: &str, text: &str) -> Vec<String> {
        let changed = CRATES.map(|(place, usual)| (place, if place == folder { text } else { usual }));
        violations(&workspace(&changed))
    }

    fn workspace(crates: &[(&str, &str)]) -> Vec<Member> {
        let read = |folder: &str| match crates.iter().find(|(place, _)| *place == folder) {
            Some((_, text)) => format!("package.name = '{}'\n{text}", folder.rsplit('/').next().unwrap()),
            None => ROOT.to_owned(),
        };
        let list = |parent: &str| {
            let below = crates.iter().filter_map(|(place, _)| place.strip_prefix(parent)?.strip_prefix('/'));
            below.map(str::to_owned).collect()
        };
        members(read, list)
    }
}
