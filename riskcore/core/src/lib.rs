//! The risk core: `apply(time, event) -> outcome`, a deterministic state machine.
//!
//! It does no I/O, reads no clock, draws no random number, computes no float and allocates nothing on the decision path
//! once its tables are warm. The same sequence of events gives the same state hash on any machine.
//!
//! Start at [`engine`]; the checks are in [`checks`], one file each, listed in the order in which they speak.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod ahead;
pub mod amounts;
pub mod books;
pub mod candidate;
pub mod checks;
pub mod currencies;
pub mod day;
pub mod detect;
pub mod drift;
pub mod engine;
pub mod events;
mod executions;
pub mod explain;
pub mod fleet;
pub mod halts;
pub mod hash;
pub mod headroom;
pub mod ids;
pub mod ladder;
pub mod limits;
pub mod lists;
pub mod market;
pub mod market_state;
pub mod names;
pub mod order_ids;
pub mod orders;
pub mod outcome;
pub mod overrides;
pub mod parents;
pub mod partners;
pub mod people;
pub mod per_parent;
pub mod per_scope;
pub mod permissions;
pub mod place;
pub mod readiness;
pub mod reasons;
pub mod reconcile;
pub mod record;
pub mod repeats;
pub mod resting;
pub mod routes;
pub mod rows;
pub mod scopes;
pub mod security;
pub mod settle;
pub mod state;
pub mod stop;
pub mod suspense;
pub mod suspense_book;
pub mod temporary;
pub mod terms;
pub mod trial;
pub mod unattributed;
pub mod units;
pub mod watchlist;
pub mod windows;

pub use engine::{Engine, EngineConfig};
pub use events::Event;
pub use outcome::{Effect, Outcome, Reject};
