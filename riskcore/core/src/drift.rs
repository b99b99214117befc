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

/// What the drift can come to with the fills that are held, at any time until the next one.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// No reference is lower.
    pub lowest: Price,
    /// No fill is farther from any reference; never negative.
    pub widest: i64,
}

/// References and fills of all buckets that are held.
#[derive(Clone, Copy, Debug)]
struct Ends {
    lowest: i64,
    highest: i64,
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
    /// The first time after the newest bucket; before all times if none is held.
    until: i64,
    /// Kept up with each fill: orders look far more often.
    ends: Option<Ends>,
}

impl DriftWindow {
    /// No fills yet.
    pub fn new(sign: i64, window: Nanos) -> DriftWindow {
        let none = Bucket { n: i64::MIN, reference: 0, farthest: 0 };
        // One bucket more than the window has: the oldest may still reach into it.
        let buckets = vec![none; BUCKETS + 1].into_boxed_slice();
        // Rounded up, so that 64 buckets are never less than the window.
        let length = (window.0 / BUCKETS as i64).saturating_add(1);
        DriftWindow { sign, length, buckets, newest: 0, held: 0, until: i64::MIN, ends: None }
    }

    /// The same window, empty.
    pub fn clear(&mut self) {
        (self.held, self.until, self.ends) = (0, i64::MIN, None);
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
    #[inline]
    pub fn fill(&mut self, now: Nanos, price: Price, reference: Price) {
        // The last bucket there is has no end.
        if now.0 < self.until || self.until == i64::MAX {
            let newest = &mut self.buckets[self.newest];
            newest.farthest = farther(self.sign, newest.farthest, price.0);
            if let Some(ends) = &mut self.ends {
                ends.farthest = farther(self.sign, ends.farthest, price.0);
            }
            return;
        }
        self.next_bucket(now, price, reference);
    }

    #[cold]
    fn next_bucket(&mut self, now: Nanos, price: Price, reference: Price) {
        let n = now.0.div_euclid(self.length);
        self.until = n.saturating_add(1).saturating_mul(self.length);
        self.newest = (self.newest + 1) % self.buckets.len();
        self.held = (self.held + 1).min(self.buckets.len());
        self.buckets[self.newest] = Bucket { n, reference: reference.0, farthest: price.0 };
        self.ends = self.newest_first().fold(None, |ends: Option<Ends>, bucket| {
            let Bucket { reference, farthest, .. } = *bucket;
            let Some(ends) = ends else { return Some(Ends { lowest: reference, highest: reference, farthest }) };
            Some(Ends {
                lowest: reference.min(ends.lowest),
                highest: reference.max(ends.highest),
                farthest: farther(self.sign, ends.farthest, farthest),
            })
        });
    }

    /// What `drift` can say until the next fill, whichever buckets have left by then. `None` if no fill is held.
    #[inline]
    pub fn span(&self) -> Option<Span> {
        let Ends { lowest, highest, farthest } = self.ends?;
        let widest = if self.sign > 0 { farthest.saturating_sub(lowest) } else { highest.saturating_sub(farthest) };
        Some(Span { lowest: Price(lowest), widest: widest.max(0) })
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
            farthest = Some(farthest.map_or(bucket.farthest, |so_far| farther(self.sign, so_far, bucket.farthest)));
        }
        let distance = farthest?.saturating_sub(reference).saturating_mul(self.sign);
        Some((Price(reference), distance.max(0)))
    }

    /// A word of each line that `drift` reads first (`ahead.rs`).
    pub fn ahead(&self) -> u64 {
        self.buckets[self.newest].n as u64
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

/// The price that is farther in the direction of the side.
fn farther(sign: i64, a: i64, b: i64) -> i64 {
    if sign > 0 { a.max(b) } else { a.min(b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Nanos = Nanos::from_secs(64);

    #[test]
    fn no_drift_is_beyond_the_span_at_any_time_until_the_next_fill() {
        for sign in [1, -1] {
            let (mut window, mut seed) = (DriftWindow::new(sign, WINDOW), 7_u64);
            for second in 0..2_000 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let reference = 1_000 + (seed >> 40) as i64 % 100;
                window.fill(
                    Nanos::from_secs(second),
                    Price(reference + (seed >> 33) as i64 % 21 - 10),
                    Price(reference),
                );
                let span = window.span().unwrap();
                for later in 0..70 {
                    let Some((reference, distance)) = window.drift(Nanos::from_secs(second + later)) else { break };
                    assert!(span.lowest <= reference && span.widest >= distance, "{sign} {second} {later}: {span:?}");
                }
            }
        }
    }

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
            let span = window.span().unwrap();
            assert!(span.lowest <= reference && span.widest >= distance, "{second}: {span:?}");
            assert!(reference.0 <= (second - 64).max(0), "{second}: {reference:?}");
            assert_eq!(distance, second + 1 - reference.0);
        }
    }
}
