//! The data plane: sessions, sequencer, venue link, cancel lane, timers.
//!
//! One thread owns everything an order touches: it reads a router's frame, decides through the core, appends the record,
//! and writes to the venue and back to the router, without handing the order to another thread. Disk, people and the
//! halt door have threads of their own and talk to it by plain messages. No Python runs here.
//!
//! Start at [`plane`] for what happens to one event, [`inbound`] for a router's message, [`venue`] for the exchange's
//! side, and [`runtime`] for threads and listeners.

pub mod admin;
pub mod announce;
pub mod clock;
pub mod commands;
pub mod config;
pub mod currencies;
pub mod error;
pub mod events;
pub mod evidence;
pub mod explain;
pub mod findings;
pub mod fleet;
pub mod halt_door;
pub mod inbound;
pub mod io;
pub mod knobs;
pub mod lanes;
pub mod limits;
pub mod listing;
pub mod metrics;
pub mod order_entry;
pub(crate) mod overload;
pub mod parents;
pub mod plane;
pub mod proto;
pub mod readiness;
pub mod reports;
pub mod restrictions;
pub mod ring;
pub mod router;
pub mod runtime;
pub mod scope_text;
pub mod secrets;
pub mod self_watch;
pub mod sentence;
pub mod sessions;
pub mod slab;
pub mod unmatched;
pub mod venue;
pub mod wire;

pub use config::{Config, Setup};
pub use error::Error;
pub use runtime::DataPlane;
