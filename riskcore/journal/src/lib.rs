//! The record sequence of the gateway.
//!
//! Every input of the core is one record. A record is appended before any effect of it leaves the process: effects wait
//! in an [`Outbox`] under the [`Lsn`] of their record, and leave when [`Journal::durable`] has reached it.
//!
//! What is here is a bounded ring in memory ([`MemoryRing`]) with an optional file for replay. In memory, durable means
//! appended; the file is a copy that nothing waits for, and state does not survive a restart. A journal that syncs
//! comes behind the same trait.

mod file;
mod memory;
mod outbox;

pub use file::{FORMAT_VERSION, FileHeader, Framer, MAGIC, MAX_RECORD, ReadError, Reader, Record};
pub use memory::{MemoryRing, RingOptions};
pub use outbox::Outbox;

use std::task::Waker;

/// The place of a record in the sequence: dense, from 1. 0 is "before the first".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lsn(pub u64);

/// Whether records still reach where they are meant to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// Yes.
    Good,
    /// No, for good: no new risk may be accepted; cancels and reports still flow.
    Poisoned(String),
}

/// Where records go.
///
/// `append` never blocks and never fails on its own: a journal that cannot keep a record says so through
/// [`Journal::health`], and its owner decides what may still happen (no new risk, but cancels).
pub trait Journal: Send {
    /// Appends one record.
    fn append(&mut self, record: &[u8]) -> Lsn;

    /// The last record whose effects may leave.
    fn durable(&self) -> Lsn;

    /// The last record appended.
    fn appended(&self) -> Lsn;

    /// Whether records still reach where they are meant to.
    fn health(&self) -> Health;

    /// Called whenever `durable` advances or `health` changes, from any thread.
    fn set_waker(&mut self, waker: Waker);

    /// Where records go, for people: `memory`, or the path of a file.
    fn describe(&self) -> String;

    /// Waits until everything appended has been handed to the operating system; for an orderly end.
    fn flush(&mut self);
}
