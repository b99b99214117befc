//! Times of one thing, round after round: each by itself, because a mean hides what one order in a thousand waits.

use std::fmt::Write;
use std::time::Instant;

use hdrhistogram::Histogram;

/// A thing that takes longer than this is counted as if it took this long.
const LONGEST_NS: u64 = 1_000_000_000;

/// The times of one round.
pub struct Round(Histogram<u64>);

impl Default for Round {
    fn default() -> Round {
        Round(Histogram::new_with_max(LONGEST_NS, 3).expect("bounds that a histogram can have"))
    }
}

impl Round {
    /// Does the work and takes note of how long it took, the reading of the clock included.
    #[inline(always)]
    pub fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let begin = Instant::now();
        let result = work();
        self.0.saturating_record(begin.elapsed().as_nanos() as u64);
        result
    }
}

/// All rounds.
#[derive(Default)]
pub struct Series {
    all: Round,
    /// The median of each round, in nanoseconds.
    medians: Vec<u64>,
}

impl Series {
    /// Adds a round.
    pub fn add(&mut self, round: &Round) {
        self.medians.push(round.0.value_at_quantile(0.5));
        self.all.0.add(&round.0).expect("histograms of one shape");
    }

    /// `"rounds"`, the medians, and `"counts"`, pairs of nanoseconds and how many took so long: members of a JSON object.
    pub fn json(&self) -> String {
        let mut text = format!("\"rounds\": {:?}, \"counts\": [", self.medians);
        for (n, bucket) in self.all.0.iter_recorded().enumerate() {
            let comma = if n == 0 { "" } else { ", " };
            let _ = write!(text, "{comma}[{}, {}]", bucket.value_iterated_to(), bucket.count_since_last_iteration());
        }
        text.push(']');
        text
    }
}
