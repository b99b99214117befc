//! Sliding windows: of events, exactly; of amounts, in buckets that err on the side of counting too long.

use alloc::boxed::Box;
use alloc::vec;

use crate::units::Nanos;

/// The times of the last N events. Memory is N times 8 bytes; both operations are O(1).
///
/// A token bucket would let nearly 2N through at the edge of a window; this never lets more than N into any window
/// (rules.md R1).
#[derive(Clone, Debug)]
pub struct EventRing {
    times: Box<[Nanos]>,
    /// Where the next time goes: the oldest of the last N.
    next: usize,
}

const NEVER: Nanos = Nanos(i64::MIN);

impl EventRing {
    /// Room for the last `n` events.
    pub fn new(n: usize) -> EventRing {
        EventRing { times: vec![NEVER; n.max(1)].into_boxed_slice(), next: 0 }
    }

    /// Whether one more event at `now` keeps every window of length `window` at N or fewer.
    #[inline]
    pub fn has_room(&self, now: Nanos, window: Nanos) -> bool {
        let oldest = self.times[self.next];
        oldest == NEVER || now.since(oldest) >= window
    }

    /// Takes note of an event.
    #[inline]
    pub fn push(&mut self, now: Nanos) {
        self.times[self.next] = now;
        self.next += 1;
        if self.next == self.times.len() {
            self.next = 0;
        }
    }

    /// How many events are in the window that ends now. O(log N): times never decrease from the oldest to the newest.
    pub fn count(&self, now: Nanos, window: Nanos) -> usize {
        let (newer, older) = self.times.split_at(self.next);
        let outside = |time: &Nanos| *time == NEVER || now.since(*time) >= window;
        [older, newer].into_iter().map(|half| half.len() - half.partition_point(outside)).sum()
    }

    /// How many it can hold.
    pub fn capacity(&self) -> usize {
        self.times.len()
    }

    /// The same events in a ring of another size: the newest that fit. A limit can be retuned without forgetting.
    pub fn resized(&self, n: usize) -> EventRing {
        let mut ring = EventRing::new(n);
        for k in 0..self.times.len() {
            let time = self.times[(self.next + k) % self.times.len()];
            if time != NEVER {
                ring.push(time);
            }
        }
        ring
    }

    /// The times held, oldest first, for the state hash.
    pub fn times(&self) -> impl Iterator<Item = Nanos> + '_ {
        let (new, old) = self.times.split_at(self.next);
        old.iter().chain(new).copied()
    }
}

/// Buckets of a window: an amount leaves the window at most 1/64 of its length late.
const BUCKETS: usize = 64;

/// The sum of amounts over a sliding window, in 64 buckets. Never counts too little.
#[derive(Clone, Debug)]
pub struct AmountWindow {
    bucket_length: i64,
    /// Number of the newest bucket since the epoch.
    newest: i64,
    /// The first time after it, and its slot: nearly every amount falls into the newest bucket, and needs no division.
    ends: i64,
    slot: usize,
    sums: [i128; BUCKETS + 1],
    total: i128,
}

impl AmountWindow {
    /// An empty window of this length.
    pub fn new(window: Nanos) -> AmountWindow {
        // Rounded up: buckets that were too short would forget an amount within the window.
        let bucket_length = (i128::from(window.0.max(1)) + BUCKETS as i128 - 1) / BUCKETS as i128;
        let bucket_length = i64::try_from(bucket_length).unwrap_or(i64::MAX);
        AmountWindow { bucket_length, newest: 0, ends: bucket_length, slot: 0, sums: [0; BUCKETS + 1], total: 0 }
    }

    /// A window of another length that begins with everything this one holds, counted as of its newest bucket.
    pub fn retuned(&self, window: Nanos) -> AmountWindow {
        let mut other = AmountWindow::new(window);
        other.advance(Nanos(self.newest.saturating_mul(self.bucket_length)));
        other.sums[other.slot] = self.total;
        other.total = self.total;
        other
    }

    fn slot_of(bucket: i64) -> usize {
        bucket.rem_euclid(BUCKETS as i64 + 1) as usize
    }

    /// The sum at `now`, without moving the window.
    #[inline]
    pub fn total_at(&self, now: Nanos) -> i128 {
        if now.0 < self.ends { self.total } else { self.total_after(now) }
    }

    #[cold]
    fn total_after(&self, now: Nanos) -> i128 {
        let bucket = now.0.div_euclid(self.bucket_length);
        let passed = bucket.saturating_sub(self.newest);
        if passed <= 0 {
            return self.total;
        }
        if passed > BUCKETS as i64 {
            return 0;
        }
        let mut total = self.total;
        for k in 1..=passed {
            total -= self.sums[Self::slot_of(self.newest + k)];
        }
        total
    }

    #[inline]
    fn advance(&mut self, now: Nanos) {
        if now.0 >= self.ends {
            self.next_bucket(now);
        }
    }

    #[cold]
    fn next_bucket(&mut self, now: Nanos) {
        let bucket = now.0.div_euclid(self.bucket_length);
        let passed = bucket.saturating_sub(self.newest);
        if passed <= 0 {
            return;
        }
        for k in 1..=passed.min(BUCKETS as i64 + 1) {
            let slot = Self::slot_of(self.newest + k);
            self.total -= self.sums[slot];
            self.sums[slot] = 0;
        }
        self.newest = bucket;
        self.ends = bucket.saturating_add(1).saturating_mul(self.bucket_length);
        self.slot = Self::slot_of(bucket);
    }

    /// Adds an amount at `now`; `None` on overflow, and nothing is changed.
    #[inline]
    pub fn add(&mut self, now: Nanos, amount: i128) -> Option<()> {
        self.advance(now);
        let bucket = self.sums.get_mut(self.slot)?;
        let sum = bucket.checked_add(amount)?;
        self.total = self.total.checked_add(amount)?;
        *bucket = sum;
        Some(())
    }

    /// Takes back an amount that was added at `then`, if it is still in the window.
    pub fn take_back(&mut self, now: Nanos, then: Nanos, amount: i128) {
        self.advance(now);
        let bucket = if then.0 < self.ends && then.0 >= self.ends.saturating_sub(self.bucket_length) {
            self.newest
        } else {
            then.0.div_euclid(self.bucket_length)
        };
        if bucket > self.newest || self.newest.saturating_sub(bucket) > BUCKETS as i64 {
            return;
        }
        let slot = Self::slot_of(bucket);
        // Never below zero: what is taken back was put in, but its window may have been retuned in between.
        let back = amount.min(self.sums[slot]).max(0);
        self.sums[slot] -= back;
        self.total -= back;
    }
}
