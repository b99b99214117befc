//! What happened, for people: a bounded ring of encoded `StreamEventsResponse` messages that other threads read.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use prost::Message;

use crate::proto;

/// Events held for subscribers that come back.
const KEEP: usize = 4_096;

#[derive(Default)]
struct Inner {
    last: u64,
    held: VecDeque<proto::StreamEventsResponse>,
    closed: bool,
}

/// See the module.
#[derive(Default)]
pub struct EventLog {
    inner: Mutex<Inner>,
    changed: Condvar,
}

impl EventLog {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an event; its sequence number is set here.
    pub fn push(&self, mut event: proto::StreamEventsResponse) {
        let mut inner = self.lock();
        inner.last += 1;
        event.seq = inner.last;
        if inner.held.len() == KEEP {
            inner.held.pop_front();
        }
        inner.held.push_back(event);
        drop(inner);
        self.changed.notify_all();
    }

    /// No further event will come: readers that wait return.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// The events after `seq`, encoded; waits up to `timeout` for the first. The first one says how many before it are no
    /// longer held.
    pub fn after(&self, seq: u64, timeout: Duration) -> Vec<Vec<u8>> {
        let deadline = Instant::now() + timeout;
        let mut inner = self.lock();
        while inner.last <= seq && !inner.closed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Vec::new();
            }
            inner = self.changed.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let first = inner.last + 1 - inner.held.len() as u64;
        let next = seq.saturating_add(1);
        let skip = next.saturating_sub(first) as usize;
        let missed = first.saturating_sub(next);
        let mut out: Vec<proto::StreamEventsResponse> = inner.held.iter().skip(skip).cloned().collect();
        drop(inner);
        if let Some(first) = out.first_mut() {
            first.missed = missed;
        }
        out.iter().map(Message::encode_to_vec).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seqs(events: Vec<Vec<u8>>) -> Vec<(u64, u64)> {
        let decoded = events.iter().map(|e| proto::StreamEventsResponse::decode(&e[..]).unwrap());
        decoded.map(|event| (event.seq, event.missed)).collect()
    }

    #[test]
    fn a_subscriber_that_was_too_slow_is_told_how_much_it_missed() {
        let log = EventLog::default();
        for _ in 0..KEEP + 10 {
            log.push(proto::StreamEventsResponse::default());
        }
        let all = seqs(log.after(3, Duration::ZERO));

        assert_eq!(KEEP, all.len());
        assert_eq!((11, 7), all[0]);
        assert_eq!((12, 0), all[1]);
        assert_eq!(vec![(KEEP as u64 + 10, 0)], seqs(log.after(KEEP as u64 + 9, Duration::ZERO)));
        assert!(log.after(KEEP as u64 + 10, Duration::ZERO).is_empty());
    }
}
