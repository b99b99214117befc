//! Protocol buffers by hand, for the messages there are many of: nothing is allocated, nothing is copied twice.
//!
//! The generated types know the same messages; `tests/wire.rs` holds the two against each other.

mod read;
mod write;

pub use read::{Fields, Value, WireError};
pub use write::{Scratch, varint_len};
