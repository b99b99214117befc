//! What must hold after any history, of the invariants of the reference (docs/reference/invariants.md).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod currencies;
mod halts;
mod limits;
mod reading;
mod records;
mod reports;
mod world;
