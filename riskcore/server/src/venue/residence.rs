//! How long orders stay here: from the frame that brought them to the frame that takes them to the venue.
//!
//! A client's latency has the client, two hops and the venue in it; this is the gateway's share, measured by itself. It
//! includes waiting for the order's turn, for its record and for the connection; it does not include the sockets.

use riskcore::units::Nanos;

/// The upper edge of the first bucket is 2^this ns, about 1 µs.
const FIRST_BITS: u32 = 10;
/// Two buckets for each doubling, up to about a second; what stays longer is in the last.
const BUCKETS: usize = 42;

/// Counts by length of stay.
#[derive(Clone, Debug)]
pub struct Residence {
    counts: [u64; BUCKETS],
    sum_ns: u64,
}

impl Default for Residence {
    fn default() -> Self {
        Self { counts: [0; BUCKETS], sum_ns: 0 }
    }
}

impl Residence {
    /// An order left after this time.
    #[inline]
    pub fn record(&mut self, stayed: Nanos) {
        let ns = u64::try_from(stayed.0).unwrap_or_default();
        self.sum_ns = self.sum_ns.saturating_add(ns);
        if let Some(count) = self.counts.get_mut(bucket(ns)) {
            *count += 1;
        }
    }

    /// Upper edges in ns, each with how many stayed at most so long; the last edge stands for all.
    pub fn cumulative(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.counts.iter().enumerate().scan(0, |all, (index, count)| {
            *all += count;
            Some((edge(index), *all))
        })
    }

    /// The sum of all stays, ns.
    pub fn sum_ns(&self) -> u64 {
        self.sum_ns
    }
}

/// 2^10, 1.5 * 2^10, 2^11, 1.5 * 2^11, ...
fn edge(index: usize) -> u64 {
    let power = 1 << (FIRST_BITS as usize + index / 2);
    if index.is_multiple_of(2) { power } else { power + power / 2 }
}

/// The first bucket whose edge is not below `ns`.
fn bucket(ns: u64) -> usize {
    let below = ns.saturating_sub(1);
    let bits = u64::BITS - below.leading_zeros();
    if bits <= FIRST_BITS {
        return 0;
    }
    // The half of its doubling that `below` lies in: the bit after the highest.
    let upper = below >> (bits - 2) & 1;
    let index = 2 * (bits - FIRST_BITS) as usize - 1 + upper as usize;
    index.min(BUCKETS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_edge_is_the_last_of_its_own_bucket() {
        for index in 0..BUCKETS {
            assert_eq!(index, bucket(edge(index)), "{}", edge(index));
            assert_eq!((index + 1).min(BUCKETS - 1), bucket(edge(index) + 1), "{}", edge(index));
        }
        assert_eq!((0, BUCKETS - 1), (bucket(0), bucket(u64::MAX)));
    }

    #[test]
    fn every_stay_is_counted_once_and_in_all_that_follow() {
        let mut residence = Residence::default();
        for ns in [-1, 1_000, 1_025, 1 << 40] {
            residence.record(Nanos(ns));
        }
        let counts: Vec<u64> = residence.cumulative().map(|(_, count)| count).collect();

        assert_eq!((2, 3, 4), (counts[0], counts[1], counts[BUCKETS - 1]));
        assert_eq!(1_000 + 1_025 + (1 << 40), residence.sum_ns());
    }
}
