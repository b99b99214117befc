//! The two sequences of the venue link. The core numbers orders and replaces; the wire numbers these and the cancels
//! that go on the order stream, and only what really left. The venue answers in wire numbers.

/// Messages in a row that have consecutive numbers in both sequences.
#[derive(Clone, Copy, Debug)]
struct Run {
    wire: u64,
    core: u64,
    length: u64,
}

/// Runs held; only numbers near the end are ever asked for, after a lost link.
const MAX_RUNS: usize = 4_096;

/// See the module.
#[derive(Debug, Default)]
pub struct WireSequence {
    last: u64,
    runs: Vec<Run>,
}

impl WireSequence {
    /// Gives the next wire number to the message with this number of the core; `None` for a cancel.
    pub fn next(&mut self, core: Option<u64>) -> u64 {
        self.last += 1;
        let Some(core) = core else { return self.last };
        match self.runs.last_mut() {
            Some(run) if run.wire + run.length == self.last && run.core + run.length == core => run.length += 1,
            _ => {
                if self.runs.len() == MAX_RUNS {
                    self.runs.drain(..MAX_RUNS / 2);
                }
                self.runs.push(Run { wire: self.last, core, length: 1 });
            }
        }
        self.last
    }

    /// The core's number of the last of its messages that has a wire number at or below `wire`; 0 if none has.
    pub fn core_at(&self, wire: u64) -> u64 {
        let after = self.runs.partition_point(|run| run.wire <= wire);
        let Some(run) = after.checked_sub(1).and_then(|at| self.runs.get(at)) else { return 0 };
        run.core + (wire - run.wire).min(run.length - 1)
    }

    /// The last wire number given.
    pub fn last(&self) -> u64 {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wire_number_finds_the_last_message_of_the_core_at_or_before_it() {
        let mut sequence = WireSequence::default();
        // Two orders, a cancel, an order; the core's 4 was never sent; then its 5.
        let wires: Vec<u64> =
            [Some(1), Some(2), None, Some(3), Some(5)].into_iter().map(|c| sequence.next(c)).collect();

        assert_eq!(vec![1, 2, 3, 4, 5], wires);
        for (wire, core) in [(0, 0), (1, 1), (2, 2), (3, 2), (4, 3), (5, 5), (9, 5)] {
            assert_eq!(core, sequence.core_at(wire), "wire {wire}");
        }
    }

    #[test]
    fn the_table_stays_bounded_and_right_at_its_end() {
        let mut sequence = WireSequence::default();
        for core in 1..=20_000 {
            sequence.next(Some(core));
            sequence.next(None);
        }

        assert!(sequence.runs.len() <= MAX_RUNS);
        assert_eq!(20_000, sequence.core_at(sequence.last()));
        assert_eq!(19_999, sequence.core_at(sequence.last() - 2));
    }
}
