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
    /// That one, so that to look whether there is room needs no other cache line.
    oldest: Nanos,
}

const NEVER: Nanos = Nanos(i64::MIN);

impl EventRing {
    /// Room for the last `n` events.
    pub fn new(n: usize) -> EventRing {
        EventRing { times: vec![NEVER; n.max(1)].into_boxed_slice(), next: 0, oldest: NEVER }
    }

    /// A word of each line that asking and taking note need (`ahead.rs`).
    pub fn ahead(&self) -> u64 {
        self.times[self.next].0 as u64
    }

    /// Whether one more event at `now` keeps every window of length `window` at N or fewer.
    #[inline]
    pub fn has_room(&self, now: Nanos, window: Nanos) -> bool {
        is_past(self.oldest, now, window)
    }

    /// Whether it has room for so many more events, now or at any later time.
    #[inline]
    pub fn has_room_for(&self, events: usize, now: Nanos, window: Nanos) -> bool {
        let Some(last) = events.checked_sub(1).filter(|last| *last < self.times.len()) else { return false };
        let last =
            if self.next + last < self.times.len() { self.next + last } else { self.next + last - self.times.len() };
        is_past(self.times[last], now, window)
    }

    /// Takes note of an event.
    #[inline]
    pub fn push(&mut self, now: Nanos) {
        self.times[self.next] = now;
        self.next += 1;
        if self.next == self.times.len() {
            self.next = 0;
        }
        self.oldest = self.times[self.next];
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

/// Whether an event is no longer in the window that ends now. What never was is before all times there are.
#[inline(always)]
fn is_past(event: Nanos, now: Nanos, window: Nanos) -> bool {
    event.0 <= now.0.saturating_sub(window.0)
}

/// Buckets of a window: an amount leaves the window at most 1/64 of its length late.
const BUCKETS: usize = 64;

/// The part of an amount window that nearly every amount needs, and no other: the sum while the newest bucket lasts.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Sum {
    /// The first time after the newest bucket: nearly every amount falls into it, and needs no division.
    ends: i64,
    bucket_length: i64,
    /// The newest bucket and all that are held. No amount is negative, so neither is a sum.
    total: i128,
}

impl Sum {
    /// A sum that nothing ever leaves.
    pub const ENDLESS: Sum = Sum { ends: i64::MAX, bucket_length: i64::MAX, total: 0 };

    /// An empty window of this length.
    pub fn new(window: Nanos) -> Sum {
        // Rounded up: buckets that were too short would forget an amount within the window.
        let bucket_length = (i128::from(window.0.max(1)) + BUCKETS as i128 - 1) / BUCKETS as i128;
        let bucket_length = i64::try_from(bucket_length).unwrap_or(i64::MAX);
        Sum { ends: bucket_length, bucket_length, total: 0 }
    }

    /// No less than the sum will be at any later time, unless more is added.
    #[inline]
    pub fn at_most(&self) -> i128 {
        self.total
    }

    /// Whether the newest bucket is over, so that `Past` must be told before more is added.
    #[inline(always)]
    pub fn is_over(&self, now: Nanos) -> bool {
        now.0 >= self.ends
    }

    /// Adds an amount to the newest bucket; `None` on overflow, and nothing is changed.
    #[inline(always)]
    pub fn add(&mut self, amount: i128) -> Option<()> {
        self.total = self.total.checked_add(amount)?;
        Some(())
    }
}

/// The other part: what was added before the newest bucket. Only looked at where something was added, when it leaves.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Past {
    /// Number of the newest bucket since the epoch.
    newest: i64,
    /// The slots of `past` that hold anything, as bits; the others hold what has left long ago.
    held: u64,
    /// The sum of those that do: what the total has beyond it is in the newest bucket.
    older: i128,
    /// The 64 buckets before the newest, by the lowest bits of their numbers.
    past: [i128; BUCKETS],
}

impl Past {
    /// Nothing.
    pub const EMPTY: Past = Past { newest: 0, held: 0, older: 0, past: [0; BUCKETS] };

    fn slot_of(bucket: i64) -> usize {
        bucket.rem_euclid(BUCKETS as i64) as usize
    }

    /// The total at `now`, without moving the window.
    pub fn total_at(&self, sum: &Sum, now: Nanos) -> i128 {
        if !sum.is_over(now) {
            return sum.total;
        }
        let passed = now.0.div_euclid(sum.bucket_length).saturating_sub(self.newest);
        if passed > BUCKETS as i64 { 0 } else { sum.total - self.leaving(passed).0 }
    }

    /// What leaves when so many buckets have passed, and the slots that are still held then.
    fn leaving(&self, passed: i64) -> (i128, u64) {
        if passed <= 0 {
            return (0, self.held);
        }
        // The oldest ones, from the slot that the newest bucket will take.
        let oldest = u64::MAX >> (BUCKETS as i64 - passed);
        let mut leaving = self.held & oldest.rotate_left(Self::slot_of(self.newest) as u32);
        let held = self.held & !leaving;
        if held == 0 {
            return (self.older, 0);
        }
        let mut gone = 0;
        while leaving != 0 {
            gone += self.past[leaving.trailing_zeros() as usize];
            leaving &= leaving - 1;
        }
        (gone, held)
    }

    /// Moves the window to `now`, which its newest bucket is not.
    #[inline(never)]
    pub fn advance(&mut self, sum: &mut Sum, now: Nanos) {
        if sum.ends == i64::MAX {
            return; // the end of time: nothing leaves any more
        }
        // Nearly always it is the very next one, and needs no division either.
        let late = now.0.saturating_sub(sum.ends);
        if late < sum.bucket_length { self.next(sum) } else { self.skip(sum, late / sum.bucket_length + 1) }
    }

    /// The newest bucket takes the place of the oldest.
    #[inline(always)]
    fn next(&mut self, sum: &mut Sum) {
        let (slot, current) = (Self::slot_of(self.newest), sum.total - self.older);
        let oldest = core::mem::replace(&mut self.past[slot], current);
        let gone = if self.held >> slot & 1 == 1 { oldest } else { 0 };
        (sum.total, self.older) = (sum.total - gone, sum.total - gone);
        self.held = self.held & !(1 << slot) | u64::from(current != 0) << slot;
        self.newest = self.newest.saturating_add(1);
        sum.ends = sum.ends.saturating_add(sum.bucket_length);
    }

    /// So many buckets later.
    #[inline(never)]
    fn skip(&mut self, sum: &mut Sum, passed: i64) {
        if passed > BUCKETS as i64 {
            (sum.total, self.older, self.held) = (0, 0, 0);
        } else {
            let current = sum.total - self.older;
            let (gone, held) = self.leaving(passed);
            (sum.total, self.older, self.held) = (sum.total - gone, self.older - gone + current, held);
            if current != 0 {
                let slot = Self::slot_of(self.newest);
                self.past[slot] = current;
                self.held |= 1 << slot;
            }
        }
        self.newest = self.newest.saturating_add(passed);
        sum.ends = self.newest.saturating_add(1).saturating_mul(sum.bucket_length);
    }

    /// Takes back an amount that was added at `then`, if it is still in a window that has been moved to now.
    pub fn take_back(&mut self, sum: &mut Sum, then: Nanos, amount: i128) {
        let in_newest = then.0 < sum.ends && then.0 >= sum.ends.saturating_sub(sum.bucket_length);
        let bucket = if in_newest { self.newest } else { then.0.div_euclid(sum.bucket_length) };
        // Never below zero: what is taken back was put in, but its window may have been retuned in between.
        let back = match self.newest.saturating_sub(bucket) {
            0 => amount.min(sum.total - self.older).max(0),
            1..=64 if self.held >> Self::slot_of(bucket) & 1 == 1 => {
                let past = &mut self.past[Self::slot_of(bucket)];
                let back = amount.min(*past).max(0);
                *past -= back;
                self.older -= back;
                back
            }
            _ => return,
        };
        sum.total -= back;
    }

    /// A window of another length that begins with everything this one holds, counted as of the end of its newest bucket:
    /// as of its start, a much shorter window would forget what was added later in it.
    pub fn retuned(sum: &Sum, window: Nanos) -> (Sum, Past) {
        let (mut other, mut past) = (Sum::new(window), Past::EMPTY);
        let at = Nanos(sum.ends.saturating_sub(1));
        if other.is_over(at) {
            past.advance(&mut other, at);
        }
        other.total = sum.total;
        (other, past)
    }
}

/// The sum of amounts over a sliding window, in 64 buckets and the newest. Never counts too little.
///
/// What is asked and added at most times is in one cache line.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub struct AmountWindow {
    sum: Sum,
    past: Past,
}

impl AmountWindow {
    /// An empty window of this length.
    pub fn new(window: Nanos) -> AmountWindow {
        AmountWindow { sum: Sum::new(window), past: Past::EMPTY }
    }

    /// See `Past::retuned`.
    pub fn retuned(&self, window: Nanos) -> AmountWindow {
        let (sum, past) = Past::retuned(&self.sum, window);
        AmountWindow { sum, past }
    }

    /// No less than the sum will be at any later time, unless more is added.
    #[inline]
    pub fn at_most(&self) -> i128 {
        self.sum.total
    }

    /// The sum at `now`, without moving the window.
    #[inline]
    pub fn total_at(&self, now: Nanos) -> i128 {
        self.past.total_at(&self.sum, now)
    }

    #[inline]
    fn advance(&mut self, now: Nanos) {
        if self.sum.is_over(now) {
            self.past.advance(&mut self.sum, now);
        }
    }

    /// Adds an amount at `now`; `None` on overflow, and nothing is changed.
    #[inline]
    pub fn add(&mut self, now: Nanos, amount: i128) -> Option<()> {
        self.advance(now);
        self.sum.add(amount)
    }

    /// Takes back an amount that was added at `then`, if it is still in the window.
    pub fn take_back(&mut self, now: Nanos, then: Nanos, amount: i128) {
        self.advance(now);
        self.past.take_back(&mut self.sum, then, amount);
    }
}

/// The longest length whose `AmountWindow` holds nothing older than `window`: what errs on the side of counting too short.
pub fn whole_buckets_within(window: Nanos) -> Nanos {
    Nanos(window.0 / (BUCKETS as i64 + 1) * BUCKETS as i64)
}

/// The largest of the values in force over a sliding window, in 64 buckets. A value stays in force until the next one;
/// it leaves the window at most 1/64 of its length late, never early. What is asked and put at most times comes first.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct PeakWindow {
    /// The first time after the newest bucket.
    ends: i64,
    bucket_length: i64,
    /// The value in force.
    value: i128,
    /// The largest of the newest bucket, and that of all the others.
    current: i128,
    older: i128,
    /// Number of the newest bucket since the epoch.
    newest: i64,
    /// The largest value in force in each bucket; that of the newest is in `current`.
    peaks: [i128; BUCKETS + 1],
}

impl PeakWindow {
    /// As if `value` had been in force for the whole window before `now`.
    pub fn begun(window: Nanos, now: Nanos, value: i128) -> PeakWindow {
        let bucket_length = Sum::new(window).bucket_length;
        let newest = now.0.div_euclid(bucket_length);
        let ends = end_of(newest, bucket_length);
        PeakWindow { ends, bucket_length, value, current: value, older: value, newest, peaks: [value; BUCKETS + 1] }
    }

    /// A window of another length. The peak of this one counts in it as of the end of its newest bucket.
    pub fn retuned(&self, window: Nanos) -> PeakWindow {
        let at = Nanos(self.ends.saturating_sub(1));
        let mut other = PeakWindow::begun(window, at, self.value);
        other.put(at, self.peak(at));
        other.value = self.value;
        other
    }

    fn slot_of(bucket: i64) -> usize {
        bucket.rem_euclid(BUCKETS as i64 + 1) as usize
    }

    /// The value changes at `now`.
    #[inline]
    pub fn put(&mut self, now: Nanos, value: i128) {
        if now.0 >= self.ends {
            self.next_bucket(now);
        }
        self.current = value.max(self.current);
        self.value = value;
    }

    #[cold]
    fn next_bucket(&mut self, now: Nanos) {
        let bucket = now.0.div_euclid(self.bucket_length);
        let passed = bucket.saturating_sub(self.newest).min(BUCKETS as i64 + 1);
        if passed <= 0 {
            return; // the end of time
        }
        self.peaks[Self::slot_of(self.newest)] = self.current;
        for k in 1..=passed {
            // Nothing changed meanwhile: what was in force stayed so.
            self.peaks[Self::slot_of(bucket - passed + k)] = self.value;
        }
        (self.newest, self.ends) = (bucket, end_of(bucket, self.bucket_length));
        self.current = self.value;
        let newest = Self::slot_of(bucket);
        let others = self.peaks.iter().enumerate().filter(|(slot, _)| *slot != newest);
        self.older = others.map(|(_, peak)| *peak).fold(i128::MIN, i128::max);
    }

    /// The largest value in force within the window that ends now.
    #[inline]
    pub fn peak(&self, now: Nanos) -> i128 {
        if now.0 < self.ends { self.older.max(self.current) } else { self.peak_after(now) }
    }

    #[cold]
    fn peak_after(&self, now: Nanos) -> i128 {
        let passed = now.0.div_euclid(self.bucket_length).saturating_sub(self.newest);
        if passed <= 0 {
            return self.older.max(self.current);
        }
        // Oldest first, the buckets that time has pushed out are left away.
        let first = self.newest.saturating_sub(BUCKETS as i64).saturating_add(passed);
        let past = (first..self.newest).map(|bucket| self.peaks[Self::slot_of(bucket)]);
        let newest = (passed <= BUCKETS as i64).then_some(self.current);
        past.chain(newest).fold(self.value, i128::max)
    }

    /// What it holds, for the state hash.
    pub fn words(&self) -> impl Iterator<Item = i128> + '_ {
        let newest = Self::slot_of(self.newest);
        let peaks = self.peaks.iter().enumerate();
        let peaks = peaks.map(move |(slot, peak)| if slot == newest { self.current } else { *peak });
        peaks.chain([i128::from(self.newest), self.value])
    }
}

/// The first time after a bucket.
fn end_of(bucket: i64, length: i64) -> i64 {
    bucket.saturating_add(1).saturating_mul(length)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn room_for_many_is_room_for_each_of_them() {
        let (window, mut now, mut seed, mut ring) = (Nanos(100), 0, 7_u64, EventRing::new(20));
        let mut held = 0;
        for _ in 0..20_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            now += (seed >> 33) as i64 % 12;
            let room = 20 - ring.count(Nanos(now), window);
            for events in 1..=20 {
                assert_eq!(events <= room, ring.has_room_for(events, Nanos(now), window), "{now} {events} {room}");
            }
            assert!(!ring.has_room_for(21, Nanos(now), window) && !ring.has_room_for(0, Nanos(now), window));
            assert_eq!(room > 0, ring.has_room(Nanos(now), window));
            if room > 0 {
                ring.push(Nanos(now));
                held += 1;
            }
        }
        assert!(held > 1_000);
    }

    #[test]
    fn a_peak_is_never_forgotten_early_and_leaves_within_a_bucket() {
        for window in [64, 640, 6_400, 1_000_003] {
            let bucket = (window + 63) / 64;
            for start in [0, 1, 777, 12_345] {
                let mut peaks = PeakWindow::begun(Nanos(window), Nanos(start), 0);
                peaks.put(Nanos(start + 5), 900);
                peaks.put(Nanos(start + 10), 100);

                assert_eq!(900, peaks.peak(Nanos(start + 10 + window)), "window {window} from {start}");
                assert_eq!(100, peaks.peak(Nanos(start + 10 + window + 2 * bucket)), "window {window} from {start}");
            }
        }
    }

    #[test]
    fn the_value_in_force_before_a_change_counts_however_old_it_is() {
        let mut peaks = PeakWindow::begun(Nanos(640), Nanos(0), 0);
        peaks.put(Nanos(1), 50);
        peaks.put(Nanos(1_000_000), 20);

        assert_eq!(50, peaks.peak(Nanos(1_000_000)));
        assert_eq!(50, peaks.peak(Nanos(1_000_640)));
        assert_eq!(20, peaks.peak(Nanos(1_000_660)));
    }

    #[test]
    fn a_peak_window_agrees_with_a_list_of_all_values() {
        // A walk of pseudo-random steps, compared with the same values kept in full.
        let (window, mut now, mut seed, mut value) = (6_400_i64, 0_i64, 7_u64, 0_i128);
        let mut peaks = PeakWindow::begun(Nanos(window), Nanos(0), 0);
        let mut all = vec![(0_i64, 0_i128)];
        for _ in 0..5_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            now += (seed >> 33) as i64 % 300;
            value += i128::from((seed >> 40) as i64 % 201 - 100);
            peaks.put(Nanos(now), value);
            all.push((now, value));
            let peak_since = |from: i64| {
                let at = all.partition_point(|(time, _)| *time <= from).saturating_sub(1);
                all[at..].iter().map(|(_, value)| *value).max().unwrap()
            };
            let peak = peaks.peak(Nanos(now));

            assert!(peak >= peak_since(now - window));
            assert!(peak <= peak_since(now - window - window / 64));
        }
    }

    #[test]
    fn a_retuned_peak_window_still_knows_its_peak() {
        let mut peaks = PeakWindow::begun(Nanos(640), Nanos(0), 0);
        peaks.put(Nanos(10), 70);
        peaks.put(Nanos(20), 30);
        let longer = peaks.retuned(Nanos(64_000));

        assert_eq!(70, longer.peak(Nanos(20)));
        assert_eq!(70, longer.peak(Nanos(60_000)));
        assert_eq!(30, longer.peak(Nanos(70_000)));
    }

    #[test]
    fn a_window_that_is_made_shorter_forgets_nothing_that_is_still_in_it() {
        for (old, new) in [(64_000, 1_000), (64_000, 64), (6_400, 640), (1_000_003, 777)] {
            for late in [0, 1, old / 64 / 2, old / 64 - 1] {
                let (mut amounts, at) = (AmountWindow::new(Nanos(old)), Nanos(64 * old + late));
                amounts.add(at, 5);
                let mut peaks = PeakWindow::begun(Nanos(old), Nanos(0), 0);
                peaks.put(at, 900);
                peaks.put(at, 100);
                let last = Nanos(at.0 + new - 1);

                assert_eq!(5, amounts.retuned(Nanos(new)).total_at(last), "{old} to {new}, {late} late");
                assert_eq!(900, peaks.retuned(Nanos(new)).peak(last), "{old} to {new}, {late} late");
            }
        }
    }

    #[test]
    fn an_amount_window_agrees_with_a_list_of_all_amounts() {
        // A walk of pseudo-random steps, some of them longer than the window, compared with all amounts by bucket.
        for (window, longest) in [(6_400_i64, 300_u64), (6_400, 4_000), (6_400, 20_000), (777, 50)] {
            let length = (window + 63) / 64;
            let (mut now, mut seed, mut amounts) = (0_i64, 7_u64, AmountWindow::new(Nanos(window)));
            let mut all: Vec<(i64, i128)> = Vec::new();
            for n in 0..3_000 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                now += ((seed >> 33) % longest) as i64;
                if n % 3 == 0 && !all.is_empty() {
                    let at = all.len() - 1 - (seed >> 40) as usize % all.len().min(5);
                    let (then, amount) = all.remove(at);
                    amounts.take_back(Nanos(now), Nanos(then), amount);
                } else {
                    let amount = i128::from((seed >> 40) % 100);
                    amounts.add(Nanos(now), amount);
                    all.push((now, amount));
                }
                let later = now + (seed >> 50) as i64 % (2 * window);
                for time in [now, later] {
                    let first = time / length - 64;
                    let sum: i128 =
                        all.iter().filter(|(then, _)| then / length >= first).map(|(_, amount)| amount).sum();

                    assert_eq!(sum, amounts.total_at(Nanos(time)), "window {window}, step {n}");
                }
            }
        }
    }

    #[test]
    fn gains_never_outlive_their_window() {
        for window in [65, 1_000, 64_000, 123_457] {
            let mut gains = AmountWindow::new(whole_buckets_within(Nanos(window)));
            gains.add(Nanos(1_000), 5);

            assert_eq!(0, gains.total_at(Nanos(1_000 + window)), "window {window}");
        }
    }
}
