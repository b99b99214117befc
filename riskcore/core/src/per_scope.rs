//! A value for each scope that has one. Few do - an instrument under a limit, but not its pairs -, and what the others
//! cost is four bytes: an order finds that a scope has none without a cache line of that scope's own.

use alloc::vec::Vec;

use crate::scopes::ScopeIx;

/// No place: there are never so many rows.
const NONE: u32 = u32::MAX;

/// See the module.
#[derive(Default)]
pub struct PerScope<T> {
    /// Per scope: its row.
    places: Vec<u32>,
    rows: Vec<T>,
    /// Rows whose scope has none any more.
    free: Vec<u32>,
}

impl<T: Default> PerScope<T> {
    /// Whether no scope ever had a value.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The value of a scope.
    #[inline]
    pub fn get(&self, ix: ScopeIx) -> Option<&T> {
        self.rows.get(*self.places.get(ix.at())? as usize)
    }

    /// The value of a scope, to change it.
    #[inline]
    pub fn get_mut(&mut self, ix: ScopeIx) -> Option<&mut T> {
        self.rows.get_mut(*self.places.get(ix.at())? as usize)
    }

    /// `get_mut` of several scopes, one after the other.
    #[inline(always)]
    pub fn each_mut<const N: usize>(&mut self, scopes: [ScopeIx; N], mut change: impl FnMut(&mut T)) {
        let (places, rows) = (self.places.as_slice(), self.rows.as_mut_slice());
        for ix in scopes {
            if let Some(row) = places.get(ix.at()).and_then(|place| rows.get_mut(*place as usize)) {
                change(row);
            }
        }
    }

    /// Gives a scope a value if it has none.
    pub fn add(&mut self, ix: ScopeIx) {
        if self.places.len() <= ix.at() {
            self.places.resize(ix.at() + 1, NONE);
        }
        let place = &mut self.places[ix.at()];
        if *place == NONE {
            *place = self.free.pop().unwrap_or_else(|| {
                self.rows.push(T::default());
                (self.rows.len() - 1) as u32
            });
        }
    }

    /// Takes a scope's value away.
    pub fn remove(&mut self, ix: ScopeIx) {
        let Some(place) = self.places.get_mut(ix.at()) else { return };
        let place = core::mem::replace(place, NONE);
        if let Some(row) = self.rows.get_mut(place as usize) {
            *row = T::default();
            self.free.push(place);
        }
    }

    /// All values start again.
    pub fn reset(&mut self) {
        self.rows.iter_mut().for_each(|row| *row = T::default());
    }

    /// The values, by scope.
    pub fn iter(&self) -> impl Iterator<Item = &T> + '_ {
        self.places.iter().filter_map(|place| self.rows.get(*place as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_was_taken_away_leaves_nothing_to_the_next_scope() {
        let mut values: PerScope<u32> = PerScope::default();
        values.add(ScopeIx(3));
        values.add(ScopeIx(1));
        *values.get_mut(ScopeIx(3)).unwrap() = 30;
        *values.get_mut(ScopeIx(1)).unwrap() = 10;
        values.add(ScopeIx(1));

        assert_eq!([Some(&10), None, Some(&30), None], [1, 2, 3, 4].map(|ix| values.get(ScopeIx(ix))));
        assert_eq!(alloc::vec![&10, &30], values.iter().collect::<Vec<_>>());

        values.remove(ScopeIx(3));
        values.remove(ScopeIx(3));
        values.add(ScopeIx(9));
        assert_eq!(None, values.get(ScopeIx(3)));
        assert_eq!(Some(&0), values.get(ScopeIx(9)));
        values.reset();
        assert_eq!(alloc::vec![&0, &0], values.iter().collect::<Vec<_>>());
    }
}
