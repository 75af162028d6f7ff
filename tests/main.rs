//! The integration tests, in one binary, so that they are linked once. Each folder says what its
//! tests prove, and each test's name is a sentence.

#![allow(
    unreachable_pub,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a panic is how a test fails, and nothing outside this binary can reach its items anyway"
)]

/// Every recorded vote is counted exactly once, and a voter's last recorded vote is the one that counts.
mod promise {
    mod embedded;
    mod load;
    mod pipeline;
    mod setbacks;
    mod stores;
    mod vote_answers;
}

/// Every backend keeps its contract, and every crate depends only on what it may.
mod contracts {
    pub mod backends;
    mod edges;
    mod groups;
    mod labels_contract;
    mod ledger_contract;
    mod queue_contract;
    mod registry_contract;
    mod workflows;
}

/// The pages work with and without a script, by keyboard, in four languages, and live.
mod pages {
    mod accessibility;
    mod browser;
    mod follow;
    mod languages;
    mod layout;
    mod map;
    mod map_layout;
    mod releases;
    mod results;
}

/// Bad input and hostile clients change no result and stop no service.
mod hostile {
    mod bad_input;
    mod connections;
    mod vote_edges;
}

/// Operators can start, stop and configure the services, and see what they do.
mod operate {
    mod faults;
    mod metrics;
    mod orchestrator;
    mod relabelled;
    mod releases;
    mod startup;
    mod status;
}
