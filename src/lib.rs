//! What the programs of this package share: how to call a page.

pub mod caller;
