//! Effects that wait for their record.

use std::collections::VecDeque;

use crate::Lsn;

/// A queue of effects, each under the record it follows from. Records are appended in order, so effects are released in
/// order, too: the head decides.
#[derive(Debug)]
pub struct Outbox<T> {
    waiting: VecDeque<(Lsn, T)>,
}

impl<T> Default for Outbox<T> {
    fn default() -> Self {
        Outbox { waiting: VecDeque::new() }
    }
}

impl<T> Outbox<T> {
    /// An empty outbox with room for `capacity` effects.
    pub fn with_capacity(capacity: usize) -> Outbox<T> {
        Outbox { waiting: VecDeque::with_capacity(capacity) }
    }

    /// Puts an effect of the record at `lsn`, which is at or after that of every effect before it.
    pub fn push(&mut self, lsn: Lsn, effect: T) {
        debug_assert!(self.waiting.back().is_none_or(|(last, _)| *last <= lsn), "effects follow their records");
        self.waiting.push_back((lsn, effect));
    }

    /// The next effect whose record is at or below `durable`.
    pub fn pop(&mut self, durable: Lsn) -> Option<T> {
        if !self.ready(durable) {
            return None;
        }
        self.waiting.pop_front().map(|(_, effect)| effect)
    }

    /// Whether [`Outbox::pop`] would give one.
    pub fn ready(&self, durable: Lsn) -> bool {
        self.waiting.front().is_some_and(|(lsn, _)| *lsn <= durable)
    }

    /// Takes every effect out, released or not: the destination is gone.
    pub fn drain(&mut self) -> impl Iterator<Item = T> + '_ {
        self.waiting.drain(..).map(|(_, effect)| effect)
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effect_leaves_only_when_its_record_is_durable() {
        let mut outbox = Outbox::with_capacity(4);
        outbox.push(Lsn(1), "a");
        outbox.push(Lsn(2), "b");
        outbox.push(Lsn(2), "c");

        assert_eq!(None, outbox.pop(Lsn(0)));
        assert_eq!(Some("a"), outbox.pop(Lsn(1)));
        assert_eq!(None, outbox.pop(Lsn(1)));
        assert_eq!(Some("b"), outbox.pop(Lsn(3)));
        assert_eq!(Some("c"), outbox.pop(Lsn(3)));
        assert!(outbox.is_empty());
    }
}
