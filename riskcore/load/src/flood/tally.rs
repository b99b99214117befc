//! What came of the orders of one session, or of all of them together.

use hdrhistogram::Histogram;

/// Longest time a histogram holds; what takes longer is counted as this.
const LONGEST: u64 = 60_000_000_000;
/// Reject names are a closed set of about thirty; a peer that makes up names gets one entry for the rest.
const MAX_NAMES: usize = 64;
const OTHER: &[u8] = b"OTHER";

/// A histogram of nanoseconds.
pub type Latencies = Histogram<u64>;

/// Counts and latencies.
#[derive(Clone, Debug)]
pub struct Tally {
    /// Orders encoded into a frame.
    pub sent: u64,
    /// Orders with at least one report.
    pub answered: u64,
    /// Orders whose first report was not a reject.
    pub accepted: u64,
    /// Orders whose first report was a reject.
    pub rejected: u64,
    /// Trade reports.
    pub trades: u64,
    /// Orders filled completely.
    pub filled: u64,
    /// Units traded.
    pub filled_qty: u64,
    /// Orders canceled, expired or done for the day.
    pub canceled: u64,
    /// A second New or Rejected for one order: never expected.
    pub duplicates: u64,
    /// Reports of orders of earlier runs: a peer sends them again after a logon.
    pub earlier: u64,
    /// Reports that belong to no order at all: never expected.
    pub unsolicited: u64,
    /// Jumps in the peer's report sequence: never expected.
    pub sequence_gaps: u64,
    /// Halt notices.
    pub halts: u64,
    /// Frames encoded.
    pub frames: u64,
    /// First due time and last answer, on the flood's clock; 0 = none yet.
    pub started: u64,
    /// See `started`.
    pub finished: u64,
    /// Intended send to first report, ns; one entry for each answered order.
    pub latency: Latencies,
    /// The same of the orders whose first report was not a reject.
    pub accepted_latency: Latencies,
    /// Intended send to encoding, ns: how far behind its schedule the generator itself was.
    pub lag: Latencies,
    names: Vec<(Box<[u8]>, u64)>,
}

impl Tally {
    /// All zeros.
    pub fn new() -> Self {
        Self {
            sent: 0,
            answered: 0,
            accepted: 0,
            rejected: 0,
            trades: 0,
            filled: 0,
            filled_qty: 0,
            canceled: 0,
            duplicates: 0,
            earlier: 0,
            unsolicited: 0,
            sequence_gaps: 0,
            halts: 0,
            frames: 0,
            started: 0,
            finished: 0,
            latency: histogram(),
            accepted_latency: histogram(),
            lag: histogram(),
            names: Vec::new(),
        }
    }

    /// Rejected orders by reason name, in order of first appearance.
    pub fn reject_names(&self) -> impl Iterator<Item = (String, u64)> + '_ {
        self.names.iter().map(|(name, count)| (String::from_utf8_lossy(name).into_owned(), *count))
    }

    /// Counts `count` rejects under `name`. Allocates only when the name is new.
    pub fn reject(&mut self, name: &[u8], count: u64) {
        if let Some((_, seen)) = self.names.iter_mut().find(|(known, _)| **known == *name) {
            *seen += count;
        } else if self.names.len() < MAX_NAMES {
            self.names.push((name.into(), count));
        } else {
            match self.names.iter_mut().find(|(known, _)| **known == *OTHER) {
                Some((_, seen)) => *seen += count,
                None => self.names.push((OTHER.into(), count)),
            }
        }
    }

    /// Adds what another session counted.
    pub fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.answered += other.answered;
        self.accepted += other.accepted;
        self.rejected += other.rejected;
        self.trades += other.trades;
        self.filled += other.filled;
        self.filled_qty = self.filled_qty.saturating_add(other.filled_qty);
        self.canceled += other.canceled;
        self.duplicates += other.duplicates;
        self.earlier += other.earlier;
        self.unsolicited += other.unsolicited;
        self.sequence_gaps += other.sequence_gaps;
        self.halts += other.halts;
        self.frames += other.frames;
        if other.started > 0 && (self.started == 0 || other.started < self.started) {
            self.started = other.started;
        }
        self.finished = self.finished.max(other.finished);
        // Both histograms have the same bounds, so adding cannot fail.
        let _ = self.latency.add(&other.latency);
        let _ = self.accepted_latency.add(&other.accepted_latency);
        let _ = self.lag.add(&other.lag);
        for (name, count) in &other.names {
            self.reject(name, *count);
        }
    }

    /// What was counted after `earlier`, an older copy of this. The times are those of the whole.
    pub fn since(&self, earlier: &Self) -> Self {
        let mut rest = self.clone();
        rest.sent -= earlier.sent;
        rest.answered -= earlier.answered;
        rest.accepted -= earlier.accepted;
        rest.rejected -= earlier.rejected;
        rest.trades -= earlier.trades;
        rest.filled -= earlier.filled;
        rest.filled_qty -= earlier.filled_qty;
        rest.canceled -= earlier.canceled;
        rest.duplicates -= earlier.duplicates;
        rest.earlier -= earlier.earlier;
        rest.unsolicited -= earlier.unsolicited;
        rest.sequence_gaps -= earlier.sequence_gaps;
        rest.halts -= earlier.halts;
        rest.frames -= earlier.frames;
        // Counts of a histogram only rise, so subtracting an older copy cannot fail.
        let _ = rest.latency.subtract(&earlier.latency);
        let _ = rest.accepted_latency.subtract(&earlier.accepted_latency);
        let _ = rest.lag.subtract(&earlier.lag);
        for (name, count) in &mut rest.names {
            let known = earlier.names.iter().find(|(other, _)| other == name);
            *count -= known.map_or(0, |(_, before)| *before);
        }
        rest
    }

    /// Orders without a report.
    pub fn unanswered(&self) -> u64 {
        self.sent.saturating_sub(self.answered)
    }

    /// First due time to last answer, ns.
    pub fn elapsed(&self) -> u64 {
        self.finished.saturating_sub(self.started)
    }

    /// Answered orders per second.
    pub fn throughput(&self) -> u64 {
        let nanos = u128::from(self.elapsed());
        let scaled = u128::from(self.answered) * 1_000_000_000;
        scaled.checked_div(nanos).and_then(|rate| u64::try_from(rate).ok()).unwrap_or_default()
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self::new()
    }
}

/// Three significant digits from 1 ns to a minute, 0.25 MB.
fn histogram() -> Latencies {
    // These bounds are valid; the growing histogram is the same but for its fixed size.
    Histogram::new_with_bounds(1, LONGEST, 3).unwrap_or_else(|_| Histogram::new(3).unwrap_or_else(|_| unreachable!()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_reject_names_do_not_grow_memory() {
        let mut tally = Tally::new();
        for name in 0..1_000_u32 {
            tally.reject(&name.to_le_bytes(), 1);
        }

        assert_eq!(MAX_NAMES + 1, tally.reject_names().count());
        assert_eq!(1_000, tally.reject_names().map(|(_, count)| count).sum::<u64>());
    }

    #[test]
    fn what_came_after_an_older_copy_is_counted_alone() {
        let mut tally = Tally::new();
        tally.answered = 1;
        tally.latency.saturating_record(5_000);
        tally.reject(b"HALTED", 1);
        let earlier = tally.clone();
        tally.answered = 3;
        tally.latency.saturating_record(10);
        tally.latency.saturating_record(20);
        tally.reject(b"HALTED", 2);
        let rest = tally.since(&earlier);

        assert_eq!((2, 2, 20), (rest.answered, rest.latency.len(), rest.latency.max()));
        assert_eq!(vec![("HALTED".to_owned(), 2)], rest.reject_names().collect::<Vec<_>>());
    }

    #[test]
    fn sums_of_sessions_keep_every_order() {
        let mut one = Tally::new();
        one.answered = 2;
        one.latency.saturating_record(10);
        one.latency.saturating_record(u64::MAX);
        let mut sum = Tally::new();
        sum.add(&one);
        sum.add(&one);

        assert_eq!(4, sum.answered);
        assert_eq!(4, sum.latency.len());
    }
}
