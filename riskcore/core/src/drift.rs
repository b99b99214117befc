//! How far own fills went, within a sliding window, from where the market was when the first of them happened.
//!
//! The window is kept in 64 buckets: an execution leaves it at most 1/64 of its length late, never early.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use crate::units::{Nanos, Price};

const BUCKETS: usize = 64;

/// The fills of one bucket.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// Its number, in lengths since time began.
    n: i64,
    /// The market before its first fill.
    reference: i64,
    /// The farthest price of its fills.
    farthest: i64,
}

/// Fills of one side of one scope, in a window.
#[derive(Clone, Debug)]
pub struct DriftWindow {
    /// +1 for buys, which lift; -1 for sells, which press.
    sign: i64,
    length: i64,
    /// A ring: the newest is at `newest`, `held` of them are in use.
    buckets: Box<[Bucket]>,
    newest: usize,
    held: usize,
}

impl DriftWindow {
    /// No fills yet.
    pub fn new(sign: i64, window: Nanos) -> DriftWindow {
        let none = Bucket { n: i64::MIN, reference: 0, farthest: 0 };
        // One bucket more than the window has: the oldest may still reach into it.
        let buckets = vec![none; BUCKETS + 1].into_boxed_slice();
        // Rounded up, so that 64 buckets are never less than the window.
        let length = (window.0 / BUCKETS as i64).saturating_add(1);
        DriftWindow { sign, length, buckets, newest: 0, held: 0 }
    }

    /// The same window, empty.
    pub fn clear(&mut self) {
        self.held = 0;
    }

    /// The same fills in a window of another length, each as late as its bucket allows: it is never forgotten early.
    pub fn retuned(&self, window: Nanos) -> DriftWindow {
        let mut other = DriftWindow::new(self.sign, window);
        let held: Vec<&Bucket> = self.newest_first().collect();
        for bucket in held.into_iter().rev() {
            let last = bucket.n.saturating_add(1).saturating_mul(self.length).saturating_sub(1);
            other.fill(Nanos(last), Price(bucket.farthest), Price(bucket.reference));
        }
        other
    }

    /// An own fill at `price`, with the market at `reference` before it.
    pub fn fill(&mut self, now: Nanos, price: Price, reference: Price) {
        let n = now.0.div_euclid(self.length);
        let newest = &mut self.buckets[self.newest];
        // A window that was retuned may hold a bucket that ends later than now.
        if self.held > 0 && newest.n >= n {
            if (price.0 - newest.farthest).signum() == self.sign {
                newest.farthest = price.0;
            }
            return;
        }
        self.newest = (self.newest + 1) % self.buckets.len();
        self.held = (self.held + 1).min(self.buckets.len());
        self.buckets[self.newest] = Bucket { n, reference: reference.0, farthest: price.0 };
    }

    /// The market before the first fill of the window, and how far from it the farthest fill went; never negative. `None`
    /// without a fill in the window. Looks at 65 buckets at most.
    pub fn drift(&self, now: Nanos) -> Option<(Price, i64)> {
        let first_n = now.0.div_euclid(self.length).saturating_sub(BUCKETS as i64);
        let mut farthest: Option<i64> = None;
        let mut reference = 0;
        // Newest first: the last one seen is the oldest of the window.
        for bucket in self.newest_first() {
            if bucket.n < first_n {
                break;
            }
            reference = bucket.reference;
            let farther =
                |so_far: i64| if (bucket.farthest - so_far).signum() == self.sign { bucket.farthest } else { so_far };
            farthest = Some(farthest.map_or(bucket.farthest, farther));
        }
        let distance = farthest?.saturating_sub(reference).saturating_mul(self.sign);
        Some((Price(reference), distance.max(0)))
    }

    fn newest_first(&self) -> impl Iterator<Item = &Bucket> + '_ {
        let (newer, older) = self.buckets.split_at((self.newest + 1).min(self.buckets.len()));
        newer.iter().rev().chain(older.iter().rev()).take(self.held)
    }

    /// What feeds the state hash.
    pub fn hash_words(&self) -> impl Iterator<Item = i64> + '_ {
        self.newest_first().flat_map(|bucket| [bucket.n, bucket.reference, bucket.farthest])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Nanos = Nanos::from_secs(64);

    #[test]
    fn drift_is_measured_from_before_the_first_fill_of_the_window() {
        let mut window = DriftWindow::new(1, WINDOW);
        assert_eq!(window.drift(Nanos(0)), None);

        window.fill(Nanos::from_secs(10), Price(101), Price(100));
        window.fill(Nanos::from_secs(20), Price(105), Price(103));
        window.fill(Nanos::from_secs(30), Price(104), Price(104));
        assert_eq!(window.drift(Nanos::from_secs(30)), Some((Price(100), 5)));
        // The first fill leaves the window: what is left began at 103.
        assert_eq!(window.drift(Nanos::from_secs(10 + 64)), Some((Price(100), 5)));
        assert_eq!(window.drift(Nanos::from_secs(10 + 67)), Some((Price(103), 2)));
        assert_eq!(window.drift(Nanos::from_secs(200)), None);
    }

    #[test]
    fn sells_drift_downwards() {
        let mut window = DriftWindow::new(-1, WINDOW);
        window.fill(Nanos::from_secs(10), Price(99), Price(100));
        window.fill(Nanos::from_secs(11), Price(103), Price(99));
        assert_eq!(window.drift(Nanos::from_secs(12)), Some((Price(100), 1)));
        window.fill(Nanos::from_secs(12), Price(90), Price(99));
        assert_eq!(window.drift(Nanos::from_secs(12)), Some((Price(100), 10)));
    }

    #[test]
    fn a_window_of_another_length_knows_the_fills_of_the_old_one() {
        let mut window = DriftWindow::new(1, WINDOW);
        window.fill(Nanos::from_secs(10), Price(101), Price(100));
        window.fill(Nanos::from_secs(40), Price(105), Price(103));

        let shorter = window.retuned(Nanos::from_secs(16));
        assert_eq!(shorter.drift(Nanos::from_secs(50)), Some((Price(103), 2)));
        assert_eq!(shorter.drift(Nanos::from_secs(60)), None);
        let mut longer = window.retuned(Nanos::from_secs(640));
        longer.fill(Nanos::from_secs(41), Price(106), Price(105));
        assert_eq!(longer.drift(Nanos::from_secs(500)), Some((Price(100), 6)));
    }

    #[test]
    fn the_ring_holds_a_whole_window_of_fills() {
        let mut window = DriftWindow::new(1, WINDOW);
        for second in 0..1_000 {
            window.fill(Nanos::from_secs(second), Price(second + 1), Price(second));
            let (reference, distance) = window.drift(Nanos::from_secs(second)).unwrap_or_default();
            assert!(reference.0 <= (second - 64).max(0), "{second}: {reference:?}");
            assert_eq!(distance, second + 1 - reference.0);
        }
    }
}
