//! The reports of one router: a bounded ring of encoded messages, numbered densely. The live session is a cursor into
//! it, and so is a resumed one: nothing is kept twice, and a slow reader costs no more memory than a fast one.

use std::collections::VecDeque;

use riskgate_journal::Lsn;

use crate::wire::primitives::{Sink, entry_len, put_entry};

/// How much is held of each router's reports.
#[derive(Clone, Copy, Debug)]
pub struct RingBounds {
    /// Bytes held for resumption.
    pub bytes: usize,
    /// Bytes a live session may be behind before it is cut; it resumes from the ring.
    pub lag: usize,
}

impl Default for RingBounds {
    fn default() -> Self {
        RingBounds { bytes: 16 << 20, lag: 8 << 20 }
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    length: u32,
    lsn: Lsn,
}

/// A place in a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The next report to be read.
    pub next: u64,
    /// Where it begins, counted from the first byte ever written.
    position: u64,
}

/// See the module.
pub struct ReportRing {
    bytes: VecDeque<u8>,
    entries: VecDeque<Entry>,
    bounds: RingBounds,
    /// The last number given.
    last: u64,
    /// Bytes ever written.
    written: u64,
    /// The last report whose record is durable.
    released: u64,
}

impl ReportRing {
    /// An empty ring; it grows to its bound as it is used.
    pub fn new(bounds: RingBounds) -> ReportRing {
        ReportRing { bytes: VecDeque::new(), entries: VecDeque::new(), bounds, last: 0, written: 0, released: 0 }
    }

    /// The last number given.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// The oldest report held; one above the last if none is.
    pub fn first(&self) -> u64 {
        self.last - self.entries.len() as u64 + 1
    }

    /// Adds a report, as the entry of a frame that has the number `last() + 1`.
    pub fn push(&mut self, lsn: Lsn, body: &[u8]) {
        self.last += 1;
        let length = entry_len(self.last, body.len());
        while self.bytes.len() + length > self.bounds.bytes {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.bytes.drain(..oldest.length as usize);
        }
        put_entry(&mut self.bytes, self.last, body);
        self.written += length as u64;
        self.entries.push_back(Entry { length: length as u32, lsn });
    }

    /// The place after report `seq`; `None` if reports after it are no longer held, or it was never given.
    pub fn after(&self, seq: u64) -> Option<Cursor> {
        if seq > self.last || seq + 1 < self.first() {
            return None;
        }
        let skip = (seq + 1 - self.first()) as usize;
        let skipped: u64 = self.entries.iter().take(skip).map(|entry| u64::from(entry.length)).sum();
        Some(Cursor { next: seq + 1, position: self.written - self.bytes.len() as u64 + skipped })
    }

    /// The place after the last report.
    pub fn end(&self) -> Cursor {
        Cursor { next: self.last + 1, position: self.written }
    }

    /// Whether the reader at `cursor` has fallen so far behind that it must be cut.
    pub fn lags(&self, cursor: Cursor) -> bool {
        self.written - cursor.position > self.bounds.lag as u64
    }

    /// How many reports the reader at `cursor` has not read.
    pub fn behind(&self, cursor: Cursor) -> u64 {
        self.last + 1 - cursor.next
    }

    /// Whether there is a report at `cursor` that may leave.
    pub fn ready(&mut self, cursor: Cursor, durable: Lsn) -> bool {
        self.release(durable);
        cursor.next <= self.released
    }

    fn release(&mut self, durable: Lsn) {
        if self.entries.back().is_none_or(|entry| entry.lsn <= durable) {
            self.released = self.last;
            return;
        }
        let first = self.first();
        self.released = self.released.max(first - 1);
        while let Some(entry) = self.entries.get((self.released + 1 - first) as usize) {
            if entry.lsn > durable {
                return;
            }
            self.released += 1;
        }
    }

    /// Copies reports from `cursor` on, and moves it: at most `messages`, and no further than `until`.
    pub fn read(&mut self, cursor: &mut Cursor, durable: Lsn, messages: usize, until: u64, out: &mut impl Sink) -> u64 {
        self.release(durable);
        let first = self.first();
        if cursor.next < first {
            return 0;
        }
        let base = self.written - self.bytes.len() as u64;
        let start = (cursor.position - base) as usize;
        let (mut end, mut count) = (start, 0);
        while count < messages && cursor.next <= self.released.min(until) && end - start < FRAME_BYTES {
            let Some(entry) = self.entries.get((cursor.next - first) as usize) else { break };
            end += entry.length as usize;
            cursor.next += 1;
            count += 1;
        }
        cursor.position += (end - start) as u64;
        let (head, tail) = self.bytes.as_slices();
        if start < head.len() {
            out.put(head.get(start..end.min(head.len())).unwrap_or_default());
        }
        if end > head.len() {
            out.put(tail.get(start.saturating_sub(head.len())..end - head.len()).unwrap_or_default());
        }
        count as u64
    }
}

/// Bytes after which a frame takes no further report: below the 64 KiB bound by more than any report.
const FRAME_BYTES: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(bytes: usize, lag: usize) -> ReportRing {
        ReportRing::new(RingBounds { bytes, lag })
    }

    /// The entry of a report.
    fn entry(number: u64, body: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        put_entry(&mut out, number, body);
        out
    }

    fn read_all(ring: &mut ReportRing, cursor: &mut Cursor) -> Vec<u8> {
        let mut out = Vec::new();
        while ring.read(cursor, Lsn(u64::MAX), 3, u64::MAX, &mut out) > 0 {}
        out
    }

    #[test]
    fn a_reader_sees_every_report_once_and_in_order_across_the_wrap() {
        let mut ring = ring(80, 80);
        let mut cursor = ring.end();
        let mut seen = Vec::new();
        for n in 0..200_u8 {
            ring.push(Lsn(u64::from(n)), &[n; 7]);
            if n % 5 == 0 {
                seen.extend(read_all(&mut ring, &mut cursor));
            }
        }
        seen.extend(read_all(&mut ring, &mut cursor));

        assert_eq!((0..200_u8).flat_map(|n| entry(u64::from(n) + 1, &[n; 7])).collect::<Vec<_>>(), seen);
    }

    #[test]
    fn resuming_finds_its_place_or_says_that_it_is_gone() {
        let mut ring = ring(42, 42);
        for n in 1..=5_u8 {
            ring.push(Lsn(1), &[n; 10]);
        }

        assert_eq!(3, ring.first());
        assert_eq!(None, ring.after(1));
        assert_eq!(None, ring.after(6));
        let mut cursor = ring.after(3).unwrap();
        assert_eq!([entry(4, &[4; 10]), entry(5, &[5; 10])].concat(), read_all(&mut ring, &mut cursor));
        assert_eq!(ring.end(), cursor);
        assert_eq!(Some(ring.end()), ring.after(5));
    }

    #[test]
    fn a_report_waits_for_its_record() {
        let mut ring = ring(100, 100);
        let mut cursor = ring.end();
        ring.push(Lsn(1), b"a");
        ring.push(Lsn(2), b"b");
        let mut out = Vec::new();

        assert!(!ring.ready(cursor, Lsn(0)));
        assert_eq!(1, ring.read(&mut cursor, Lsn(1), 9, u64::MAX, &mut out));
        assert!(!ring.ready(cursor, Lsn(1)));
        assert_eq!(1, ring.read(&mut cursor, Lsn(2), 9, u64::MAX, &mut out));
        assert_eq!([entry(1, b"a"), entry(2, b"b")].concat(), out);
    }

    #[test]
    fn a_reader_that_lags_is_told_from_one_that_does_not() {
        let mut ring = ring(100, 20);
        let cursor = ring.end();
        ring.push(Lsn(1), &[0; 16]);
        assert!(!ring.lags(cursor));
        ring.push(Lsn(1), &[0; 1]);
        assert!(ring.lags(cursor));
    }
}
