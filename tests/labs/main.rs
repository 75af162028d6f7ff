//! The labs: how they are written, and that they work.
//!
//! `written` and `runner` need bash and git alone. `played` runs the blocks of every lab as a learner does, in Docker and on the cluster
//! that `URNA_TEST_CONTEXT` names. The labs take the ports 8000 and 8001, so no other Urna may run here.

#![allow(
    unreachable_pub,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a panic is how a test fails, and nothing outside can reach its items anyway"
)]

mod lesson;
mod machine;
#[path = "../deploy/node.rs"]
mod node;
mod played;
mod runner;
mod written;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
