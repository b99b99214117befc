//! Records: every input of the core as bytes, and back. One sequence, one versioned format.
//!
//! Little-endian, fixed layout per kind, written by hand: no field is ever re-used, a new kind gets a new number. A record
//! carries the reason code of the decision it led to (0 = none or accepted), so that a replay can compare.
//!
//! ```text
//! version u8 | seq u64 | time i64 | decision u16 | kind u8 | fields
//! ```

mod read;
mod write;

use alloc::vec::Vec;

use crate::events::Event;
use crate::outcome::Outcome;
use crate::units::Nanos;

use read::Reader;
use write::Writer;

/// The format written here, and the only one read.
pub const VERSION: u8 = 1;

/// The longest text a record may hold (names, reasons).
pub const MAX_TEXT: usize = 1_024;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place in the sequence, from 1.
    pub seq: u64,
    /// When the event happened.
    pub time: Nanos,
    /// Reason code of the decision; 0 = accepted, or nothing to decide.
    pub decision: u16,
    /// The event.
    pub event: Event,
}

/// Why bytes are not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The bytes end before the record does.
    Truncated,
    /// Bytes are left over.
    Trailing,
    /// Written by another version of the format.
    Version(u8),
    /// A field has a value it cannot have.
    BadField(&'static str),
}

impl core::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            DecodeError::Truncated => write!(f, "the record ends early"),
            DecodeError::Trailing => write!(f, "bytes follow the record"),
            DecodeError::Version(n) => write!(f, "record format {n}; this build reads format {VERSION}"),
            DecodeError::BadField(name) => write!(f, "the record's field `{name}` has an impossible value"),
        }
    }
}

impl core::error::Error for DecodeError {}

/// The reason code that a record keeps of an outcome.
pub fn decision_of(outcome: &Outcome) -> u16 {
    match outcome {
        Outcome::Rejected(reject) | Outcome::Refused(reject) | Outcome::ReplaceRejected(_, _, Some(reject)) => {
            reject.reason.code
        }
        _ => 0,
    }
}

/// Appends a record's bytes to `out`. Allocates only if `out` has no room.
pub fn encode(seq: u64, time: Nanos, decision: u16, event: &Event, out: &mut Vec<u8>) {
    let mut w = Writer(out);
    w.u8(VERSION);
    w.u64(seq);
    w.i64(time.0);
    w.u16(decision);
    w.event(event);
}

/// Reads one record, all of `bytes`. Never panics; allocates no more than the texts it holds.
pub fn decode(bytes: &[u8]) -> Result<Record, DecodeError> {
    let mut r = Reader(bytes);
    let version = r.u8()?;
    if version != VERSION {
        return Err(DecodeError::Version(version));
    }
    let record = Record { seq: r.u64()?, time: Nanos(r.i64()?), decision: r.u16()?, event: r.event()? };
    if r.0.is_empty() { Ok(record) } else { Err(DecodeError::Trailing) }
}
