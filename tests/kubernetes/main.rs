//! Urna on Kubernetes: the manifests, and what becomes of votes on a real cluster.
//!
//! `manifests` needs no cluster. It needs kubectl, and the programs kubernetes-validate and kube-score, which
//! `./test.sh` installs. All other tests need the cluster whose context `URNA_TEST_CONTEXT` names. They run one after
//! the other, each in a namespace of its own.

#![allow(
    unreachable_pub,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a panic is how a test fails, and nothing outside can reach its items anyway"
)]

mod backup;
mod cluster;
mod components;
mod crowd;
mod endured;
mod faults;
mod faults_on_purpose;
mod limits;
mod manifests;
mod nodes;
mod releases;
mod render;
mod scale;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
