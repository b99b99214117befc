//! What a check counts per scope and parent.
//!
//! A scope works few of the day's parents, so rows come with the first order of each pair. There are never more than
//! scopes times parents, nor more than accepted orders; room for the usual number is reserved before orders flow.

use alloc::vec::Vec;

use crate::ids::ParentId;
use crate::partners::Partners;
use crate::scopes::ScopeIx;

/// Rows there is room for from the start: two scopes for each of the parents that a gateway has room for by default.
const ROOM: usize = 1 << 17;

/// A value for each scope and parent that has one.
#[derive(Default)]
pub struct PerParent<T> {
    rows: Vec<T>,
    places: Partners,
}

impl<T: Default> PerParent<T> {
    /// Makes room, once, when a limit is set that needs it: later rows then cost no allocation.
    pub fn reserve(&mut self) {
        if self.rows.capacity() == 0 {
            self.rows.reserve(ROOM);
            self.places.reserve(ROOM / 2, ROOM / 2);
        }
    }

    /// The value of a scope and a parent.
    #[inline]
    pub fn get(&self, ix: ScopeIx, parent: ParentId) -> Option<&T> {
        self.rows.get(self.places.get(parent.0, ix.0)? as usize)
    }

    /// The values, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &T> + '_ {
        self.rows.iter()
    }

    /// Forgets all of them; the room stays.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.places.clear();
    }

    /// The value of a scope and a parent, to change it.
    #[inline(always)]
    pub fn entry(&mut self, ix: ScopeIx, parent: ParentId) -> &mut T {
        let place = match self.places.get(parent.0, ix.0) {
            Some(place) => place,
            None => self.begin(ix, parent),
        };
        &mut self.rows[place as usize]
    }

    #[inline(never)]
    fn begin(&mut self, ix: ScopeIx, parent: ParentId) -> u32 {
        // Every row belongs to an order of its own: there are fewer than 2^32.
        let next = self.rows.len() as u32;
        self.places.insert(parent.0, ix.0, next);
        self.rows.push(T::default());
        next
    }
}
