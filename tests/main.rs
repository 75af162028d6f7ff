//! The integration tests: one binary, one harness. Each module is a chapter
//! of what Urna promises, and each test's name is a sentence of it.

#![allow(
    unreachable_pub,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a panic is how a test fails, and what its modules share nobody else can reach anyway"
)]

/// What the faults are judged by is tested like everything else.
#[path = "faults/verdict.rs"]
mod verdict;

mod accessibility;
mod backends;
mod bad_input;
mod browser;
mod embedded;
mod hostile;
mod languages;
mod ledger_contract;
mod load;
mod metrics;
mod pages;
mod pipeline;
mod queue_contract;
mod results;
mod setbacks;
mod startup;
mod status;
mod vote_answers;
mod vote_edges;
