//! How often the same thing happened within a window, for the last so many different things: exactly, in bounded memory,
//! at a cost that does not grow with either.
//!
//! Each thing has the times of its last few events (`windows.rs` has the same for one thing). Things are found by hash and
//! told apart by themselves, so that two of them never count as one; when there is no room for another, the one that has
//! been quiet for the longest is forgotten.

use alloc::boxed::Box;
use alloc::vec;
use core::hash::{BuildHasher, Hash};

use crate::hash::Seeded;
use crate::units::Nanos;

const NEVER: Nanos = Nanos(i64::MIN);

/// No slot, in links.
const NONE: u32 = u32::MAX;

/// One thing.
#[derive(Clone, Copy)]
struct Slot<K> {
    key: Option<K>,
    /// Where its next time goes: the oldest of those it has.
    next: u32,
    /// Neighbours in the order of the newest event of each.
    newer: u32,
    older: u32,
    /// The next slot with the same hash.
    same_hash: u32,
}

/// Where a thing is held, until another takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(u32);

/// The last events of the last different things.
pub struct Repeats<K> {
    slots: Box<[Slot<K>]>,
    /// `per` times for each slot.
    times: Box<[Nanos]>,
    per: usize,
    buckets: Box<[u32]>,
    newest: u32,
    oldest: u32,
}

impl<K: Copy + Eq + Hash> Repeats<K> {
    /// Room for `things` different things and the last `per` events of each. Allocates `things * (per * 8 + about 60)`
    /// bytes, and never again.
    pub fn new(things: usize, per: usize) -> Repeats<K> {
        let (things, per) = (things.clamp(1, NONE as usize), per.max(1));
        let last = things as u32 - 1;
        let slot = |n: u32| Slot {
            key: None,
            next: 0,
            newer: if n == 0 { NONE } else { n - 1 },
            older: if n == last { NONE } else { n + 1 },
            same_hash: NONE,
        };
        Repeats {
            slots: (0..=last).map(slot).collect(),
            times: vec![NEVER; things * per].into_boxed_slice(),
            per,
            buckets: vec![NONE; (things * 2).next_power_of_two()].into_boxed_slice(),
            newest: 0,
            oldest: last,
        }
    }

    /// How many different things it can hold.
    pub fn things(&self) -> usize {
        self.slots.len()
    }

    /// How many events of each it can hold.
    pub fn per(&self) -> usize {
        self.per
    }

    /// Takes note of an event.
    #[inline]
    pub fn push(&mut self, key: &K, now: Nanos) -> Place {
        self.put(key, now).0
    }

    /// The same, and whether `n` events of the thing are in the window that ends now. `n` is from 1 to `per`.
    #[inline(always)]
    pub fn push_and_ask(&mut self, key: &K, now: Nanos, n: usize, window: Nanos) -> (Place, bool) {
        let (place, first, next) = self.put(key, now);
        (place, is_within(self.times[first + self.back(next, n)], now, window))
    }

    /// Its place, where its times begin, and which of them is the oldest now.
    #[inline(always)]
    fn put(&mut self, key: &K, now: Nanos) -> (Place, usize, usize) {
        let (bucket, per) = (self.bucket(key), self.per);
        let at = match self.find_in(bucket, key) {
            Some(at) => at,
            None => self.replace_oldest(bucket, key),
        };
        self.make_newest(at);
        let slot = &mut self.slots[at as usize];
        let (first, here) = (at as usize * per, slot.next as usize);
        let next = if here + 1 == per { 0 } else { here + 1 };
        slot.next = next as u32;
        self.times[first + here] = now;
        (Place(at), first, next)
    }

    /// The place of the `n`-th event before the next one.
    #[inline(always)]
    fn back(&self, next: usize, n: usize) -> usize {
        if next >= n { next - n } else { next + self.per - n }
    }

    /// Where a thing is held.
    pub fn find(&self, key: &K) -> Option<Place> {
        self.find_in(self.bucket(key), key).map(Place)
    }

    /// Whether its last `n` events are all in the window that ends now. `n` is from 1 to `per`.
    pub fn has(&self, place: Place, n: usize, now: Nanos, window: Nanos) -> bool {
        let (first, next) = (place.0 as usize * self.per, self.slots[place.0 as usize].next as usize);
        is_within(self.times[first + self.back(next, n)], now, window)
    }

    /// How many of its last `per` events are in the window that ends now. O(log per).
    pub fn count(&self, place: Place, now: Nanos, window: Nanos) -> usize {
        let first = place.0 as usize * self.per;
        let (newer, older) = self.times[first..first + self.per].split_at(self.slots[place.0 as usize].next as usize);
        let outside = |time: &Nanos| *time == NEVER || now.since(*time) >= window;
        [older, newer].into_iter().map(|half| half.len() - half.partition_point(outside)).sum()
    }

    /// The same with room for another number: the newest that fit.
    pub fn resized(&self, things: usize, per: usize) -> Repeats<K> {
        let mut other = Repeats::new(things, per);
        self.each_time(|key, time| {
            other.push(key, time);
        });
        other
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Repeats::new(self.things(), self.per);
    }

    /// Every event that is held: things from the one that was quiet for the longest on, events of each oldest first.
    pub fn each_time(&self, mut see: impl FnMut(&K, Nanos)) {
        let mut at = self.oldest;
        while at != NONE {
            let slot = &self.slots[at as usize];
            if let Some(key) = &slot.key {
                for n in 0..self.per {
                    let time = self.times[at as usize * self.per + (slot.next as usize + n) % self.per];
                    if time != NEVER {
                        see(key, time);
                    }
                }
            }
            at = slot.newer;
        }
    }

    #[inline(always)]
    fn bucket(&self, key: &K) -> usize {
        Seeded::default().hash_one(key) as usize & (self.buckets.len() - 1)
    }

    #[inline(always)]
    fn find_in(&self, bucket: usize, key: &K) -> Option<u32> {
        let mut at = self.buckets[bucket];
        while at != NONE {
            let slot = &self.slots[at as usize];
            if slot.key.as_ref() == Some(key) {
                return Some(at);
            }
            at = slot.same_hash;
        }
        None
    }

    /// The slot of the thing that has been quiet for the longest becomes another's.
    #[inline(never)]
    fn replace_oldest(&mut self, bucket: usize, key: &K) -> u32 {
        let at = self.oldest;
        if let Some(old) = self.slots[at as usize].key {
            self.unchain(at, &old);
            let first = at as usize * self.per;
            self.times[first..first + self.per].fill(NEVER);
        }
        let same_hash = core::mem::replace(&mut self.buckets[bucket], at);
        let slot = &mut self.slots[at as usize];
        (slot.key, slot.next, slot.same_hash) = (Some(*key), 0, same_hash);
        at
    }

    fn unchain(&mut self, at: u32, key: &K) {
        let next = self.slots[at as usize].same_hash;
        let bucket = self.bucket(key);
        if self.buckets[bucket] == at {
            self.buckets[bucket] = next;
            return;
        }
        let mut before = self.buckets[bucket];
        while self.slots[before as usize].same_hash != at {
            before = self.slots[before as usize].same_hash;
        }
        self.slots[before as usize].same_hash = next;
    }

    #[inline(always)]
    fn make_newest(&mut self, at: u32) {
        if self.newest == at {
            return;
        }
        let Slot { newer, older, .. } = self.slots[at as usize];
        // It is not the newest: there is a newer one.
        self.slots[newer as usize].older = older;
        if older == NONE {
            self.oldest = newer;
        } else {
            self.slots[older as usize].newer = newer;
        }
        let second = core::mem::replace(&mut self.newest, at);
        self.slots[second as usize].newer = at;
        let slot = &mut self.slots[at as usize];
        (slot.newer, slot.older) = (NONE, second);
    }
}

#[inline(always)]
fn is_within(time: Nanos, now: Nanos, window: Nanos) -> bool {
    time != NEVER && now.since(time) < window
}

#[cfg(test)]
mod tests {
    use alloc::collections::VecDeque;
    use alloc::vec::Vec;

    use super::*;

    /// A list of everything that happened, looked through from end to end.
    #[derive(Default)]
    struct Plain(Vec<(u32, i64)>);

    impl Plain {
        fn count(&self, key: u32, now: i64, window: i64) -> usize {
            self.0.iter().filter(|(other, at)| *other == key && now - at < window).count()
        }
    }

    /// A key whose hashes collide on purpose.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    struct Colliding(u32);

    impl Hash for Colliding {
        fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
            state.write_u32(self.0 % 3);
        }
    }

    fn random(seed: &mut u64) -> u64 {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *seed >> 33
    }

    #[test]
    fn counts_as_a_plain_list_does_with_colliding_hashes() {
        let (window, per) = (Nanos(50), 8);
        let mut seed = 7;
        let (mut repeats, mut plain, mut now) = (Repeats::new(16, per), Plain::default(), 0);
        for _ in 0..20_000 {
            now += (random(&mut seed) % 12) as i64;
            let key = (random(&mut seed) % 16) as u32;
            let place = repeats.push(&Colliding(key), Nanos(now));
            plain.0.push((key, now));
            let expected = plain.count(key, now, window.0);
            assert_eq!(repeats.count(place, Nanos(now), window), expected.min(per));
            for n in 1..=per {
                assert_eq!(repeats.has(place, n, Nanos(now), window), expected >= n);
            }
            plain.0.retain(|(_, at)| now - at < 200);
        }
    }

    #[test]
    fn forgets_what_has_been_quiet_for_the_longest() {
        let mut seed = 3;
        let mut repeats = Repeats::new(4, 2);
        let mut held = VecDeque::new();
        for now in 0..5_000 {
            let key = (random(&mut seed) % 9) as u32;
            repeats.push(&Colliding(key), Nanos(now));
            held.retain(|other| *other != key);
            held.push_back(key);
            if held.len() > 4 {
                held.pop_front();
            }
            for key in 0..9 {
                assert_eq!(repeats.find(&Colliding(key)).is_some(), held.contains(&key));
            }
        }
    }

    #[test]
    fn keeps_the_newest_when_resized() {
        let mut repeats = Repeats::new(4, 4);
        for (now, key) in [(1, 1), (2, 1), (3, 2), (4, 3), (5, 1)] {
            repeats.push(&key, Nanos(now));
        }
        let smaller = repeats.resized(2, 2);
        let mut left = Vec::new();
        smaller.each_time(|key, time| left.push((*key, time.0)));
        assert_eq!(left, [(3, 4), (1, 2), (1, 5)]);
    }
}
