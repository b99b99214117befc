//! Which orders have been answered: one bit each, in a window that moves on as its front fills up.

use std::collections::VecDeque;

const WORD: u64 = 64;

/// The set of answered order indices. Its memory is one bit for each order between the oldest unanswered and the
/// newest answered one.
#[derive(Clone, Debug, Default)]
pub struct Answered {
    /// Words before the first kept one, all of them full.
    full: u64,
    words: VecDeque<u64>,
}

impl Answered {
    /// Marks `index`; false when it was marked before.
    #[inline]
    pub fn insert(&mut self, index: u64) -> bool {
        let Some(position) = (index / WORD).checked_sub(self.full) else { return false };
        let Ok(position) = usize::try_from(position) else { return false };
        if position >= self.words.len() {
            self.words.resize(position + 1, 0);
        }
        let Some(word) = self.words.get_mut(position) else { return false };
        let bit = 1 << (index % WORD);
        let fresh = *word & bit == 0;
        *word |= bit;
        while self.words.front() == Some(&u64::MAX) {
            self.words.pop_front();
            self.full += 1;
        }
        fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_index_is_fresh_exactly_once_in_any_order() {
        let mut answered = Answered::default();

        assert!((0..1_000).rev().all(|index| answered.insert(index)));
        assert!(!(0..1_000).any(|index| answered.insert(index)));
    }

    #[test]
    fn memory_does_not_grow_while_the_front_is_answered() {
        let mut answered = Answered::default();
        for index in 0..1_000_000 {
            answered.insert(index);
        }

        assert!(answered.words.len() <= 1, "{}", answered.words.len());
    }
}
