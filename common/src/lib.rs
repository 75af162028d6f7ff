//! What the three services share. Nothing here knows any of them.
//!
//! A vote's way through this crate: a [`ballot::Ballot`] is appended to the
//! [`queue::Queue`], taken from it in batches, and recorded in the
//! [`ledger::Ledger`], whose totals are then read.

// The templates are compiled into every crate that uses them, and name this one.
extern crate self as common;

pub mod ballot;
pub mod crash;
pub mod figures;
pub mod health;
pub mod http;
pub mod language;
pub mod ledger;
pub mod moment;
pub mod outage;
pub mod phrases;
pub mod poll;
pub mod presence;
pub mod queue;
pub mod service;
pub mod setback;
pub mod settings;
pub mod sqlite;
