//! The format of `/api/status`. `result` writes it, and `urna status` reads it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::HopState;

/// The diagnosis in words.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    /// When the stores were read, in RFC 3339 format.
    pub as_of: String,
    /// The id of the poll.
    pub poll: String,
    /// The worst state of any hop.
    pub state: HopState,
    /// That state in a sentence.
    pub summary: String,
    /// The hops of a vote, in the order in which the vote passes them.
    pub hops: Vec<HopReport>,
    /// What happened lately, the newest first.
    #[serde(default)]
    pub events: Vec<EventReport>,
    /// The replica of `result` that wrote the report.
    pub answered_by: String,
}

/// One hop.
#[derive(Debug, Serialize, Deserialize)]
pub struct HopReport {
    /// The name of the service or store in every deployment.
    pub name: String,
    /// What the hop does.
    pub does: String,
    /// Its state.
    pub state: HopState,
    /// What it did, in sentences.
    pub facts: Vec<String>,
    /// The same facts as numbers.
    pub figures: BTreeMap<String, u64>,
    /// What is wrong, if anything is.
    pub trouble: Option<String>,
    /// For how long the problem has lasted, or how long ago it happened, in words.
    pub lasts: Option<String>,
    /// The same time as a number.
    pub lasts_seconds: Option<u64>,
    /// What to try.
    pub advice: Option<String>,
    /// The commands to try.
    pub commands: Vec<String>,
    /// The replicas, if the hop is a service.
    pub replicas: Vec<ReplicaReport>,
}

/// One replica of a service.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReplicaReport {
    /// Its name, as people see it.
    pub name: String,
    /// The name of its release.
    pub version: String,
    /// The machine that it runs on, if it knows.
    pub node: Option<String>,
    /// The fault that it has on purpose.
    pub fault: Option<String>,
    /// Its state.
    pub state: HopState,
    /// How long it has been running, what it did, what it lacks, whether it is about to stop.
    pub facts: Vec<String>,
    /// The same as numbers.
    #[serde(default)]
    pub figures: BTreeMap<String, u64>,
}

/// What happened at one moment.
#[derive(Debug, Serialize, Deserialize)]
pub struct EventReport {
    /// When, in RFC 3339 format.
    pub at: String,
    /// What, in a sentence.
    pub text: String,
}
