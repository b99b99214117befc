//! What the market looks like to the core: the touch of each instrument, and its slow reference.

use alloc::boxed::Box;
use alloc::vec;

use crate::units::{Nanos, Price};

/// Buckets of the slow reference.
const BUCKETS: usize = 60;

/// The time-weighted mean of the mid over a window, in integers (rules.md L1).
///
/// A runaway buyer lifts its own mark and looks profitable at the touch; it cannot lift this within the window. The mean
/// begins, full, with the last mid before the first own fill of the day, so that nothing of the runaway is in it at first.
#[derive(Clone, Debug)]
pub struct SlowReference {
    bucket_length: i64,
    /// Sums of mid * ns, one per past bucket; the oldest is at `next`.
    past: Box<[i128]>,
    next: usize,
    /// Sum over `past`.
    total: i128,
    /// The running bucket: its start, and the integral up to `at`.
    start: Nanos,
    at: Nanos,
    running: i128,
    mid: i64,
    /// The mean as of `at`, rounded down and up: worked out when time passes, read far more often.
    mean: (Price, Price),
}

impl SlowReference {
    /// As if the mid had been `mid` for the whole window before `now`.
    fn begun(window: Nanos, now: Nanos, mid: i64) -> SlowReference {
        let bucket_length = (window.0 / BUCKETS as i64).max(1);
        let bucket = i128::from(mid) * i128::from(bucket_length);
        SlowReference {
            bucket_length,
            past: vec![bucket; BUCKETS].into_boxed_slice(),
            next: 0,
            total: bucket * BUCKETS as i128,
            start: now,
            at: now,
            running: 0,
            mid,
            mean: (Price(mid), Price(mid)),
        }
    }

    fn advance(&mut self, now: Nanos) {
        if now == self.at {
            return; // no time has passed
        }
        // After a silence longer than the window only the last mid counts.
        let window = self.bucket_length.saturating_mul(BUCKETS as i64);
        if now.since(self.start).0 > window.saturating_mul(2) {
            *self = SlowReference::begun(Nanos(window), now, self.mid);
            return;
        }
        while now.since(self.start).0 >= self.bucket_length {
            let end = self.start.after(Nanos(self.bucket_length));
            self.accrue(end);
            self.total += self.running - self.past[self.next];
            self.past[self.next] = self.running;
            self.next = (self.next + 1) % BUCKETS;
            self.running = 0;
            self.start = end;
        }
        self.accrue(now);
        self.mean = self.rounded_mean();
    }

    fn accrue(&mut self, to: Nanos) {
        let span = to.since(self.at).0.max(0);
        self.running += i128::from(self.mid) * i128::from(span);
        self.at = to;
    }

    fn rounded_mean(&self) -> (Price, Price) {
        let span = i128::from(self.bucket_length) * BUCKETS as i128 + i128::from(self.at.since(self.start).0);
        let sum = self.total + self.running;
        let (low, rest) = (sum.div_euclid(span), sum.rem_euclid(span));
        // A mean of i64 values fits in an i64.
        (Price(low as i64), Price((low + i128::from(rest != 0)) as i64))
    }
}

/// What positions in an instrument are valued at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    /// A long position.
    pub long: Price,
    /// A short position.
    pub short: Price,
}

/// The market of one instrument.
#[derive(Clone, Debug, Default)]
pub struct Market {
    bid: i64,
    ask: i64,
    /// When the touch was last confirmed; `None` before the first usable tick.
    at: Option<Nanos>,
    reference: Option<SlowReference>,
}

impl Market {
    /// The touch, if there has been a usable one.
    pub fn touch(&self) -> Option<(Price, Price)> {
        self.at.map(|_| (Price(self.bid), Price(self.ask)))
    }

    /// How old the touch is.
    pub fn age(&self, now: Nanos) -> Option<Nanos> {
        self.at.map(|at| now.since(at))
    }

    /// Takes a tick. A touch that is zero, negative, crossed or locked is not a price: it leaves the old one to grow
    /// stale. Returns whether it was usable.
    pub fn tick(&mut self, now: Nanos, bid: Price, ask: Price) -> bool {
        if bid.0 <= 0 || ask.0 <= bid.0 {
            return false;
        }
        let mid = bid.0 + (ask.0 - bid.0) / 2;
        if let Some(reference) = &mut self.reference {
            reference.advance(now);
            reference.mid = mid;
        }
        (self.bid, self.ask, self.at) = (bid.0, ask.0, Some(now));
        true
    }

    /// A mark that is not a touch: it values a position brought into the day and is stale from the start.
    pub fn seed(&mut self, mark: Price) {
        if self.at.is_none() && mark.0 > 0 {
            (self.bid, self.ask, self.at) = (mark.0, mark.0, Some(Nanos(i64::MIN)));
        }
    }

    /// The first own fill of the day begins the slow reference, at the last mid before it.
    pub fn own_fill(&mut self, now: Nanos, window: impl FnOnce() -> Nanos) {
        if self.reference.is_none() && self.at.is_some() {
            let mid = self.bid + (self.ask - self.bid) / 2;
            self.reference = Some(SlowReference::begun(window(), now, mid));
        }
    }

    /// Time passes for the slow reference.
    pub fn advance(&mut self, now: Nanos) {
        if let Some(reference) = &mut self.reference {
            reference.advance(now);
        }
    }

    /// The reference starts anew with the next own fill.
    pub fn day_roll(&mut self) {
        self.reference = None;
    }

    /// The worse of touch and reference.
    #[inline]
    pub fn marks(&self) -> Option<Marks> {
        let (bid, ask) = self.touch()?;
        let (low, high) = self.reference.as_ref().map_or((bid, ask), |reference| reference.mean);
        Some(Marks { long: bid.min(low), short: ask.max(high) })
    }

    /// The mark of a short position, the higher one.
    #[inline]
    pub fn short_mark(&self) -> Option<Price> {
        self.marks().map(|marks| marks.short)
    }

    /// A word of each line that an order reads (`ahead.rs`).
    pub fn ahead(&self) -> u64 {
        let mean = self.reference.as_ref().map_or(0, |reference| reference.mean.1.0);
        (self.ask ^ mean) as u64
    }

    /// What feeds the state hash.
    pub fn hash_words(&self) -> [i64; 4] {
        let reference = self.reference.as_ref().map_or(0, |r| r.mean.0.0);
        [self.bid, self.ask, self.at.map_or(-1, |at| at.0), reference]
    }
}
