//! What a check counts per scope and parent: a table that is walked in the order in which its rows came.
//!
//! A scope works few of the day's parents, so rows come with the first order of each pair. There are never more than
//! scopes times parents, nor more than accepted orders; room for the usual number is reserved before orders flow.

use alloc::vec::Vec;
use hashbrown::HashMap;

use crate::hash::Seeded;
use crate::ids::ParentId;
use crate::scopes::ScopeIx;

/// Rows there is room for from the start: two scopes for each of the parents that a gateway has room for by default.
const ROOM: usize = 1 << 17;

/// A value for each scope and parent that has one.
#[derive(Default)]
pub struct PerParent<T> {
    rows: Vec<T>,
    places: HashMap<u64, u32, Seeded>,
}

impl<T> PerParent<T> {
    /// Makes room, once, when a limit is set that needs it: later rows then cost no allocation.
    pub fn reserve(&mut self) {
        if self.rows.capacity() == 0 {
            self.rows.reserve(ROOM);
            self.places.reserve(ROOM);
        }
    }

    /// The value of a scope and a parent.
    pub fn get(&self, ix: ScopeIx, parent: ParentId) -> Option<&T> {
        self.rows.get(*self.places.get(&key(ix, parent))? as usize)
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
}

impl<T: Default> PerParent<T> {
    /// The value of a scope and a parent, to change it.
    pub fn entry(&mut self, ix: ScopeIx, parent: ParentId) -> &mut T {
        // Every row belongs to an order or an id of its own: there are fewer than 2^32.
        let next = self.rows.len() as u32;
        let place = *self.places.entry(key(ix, parent)).or_insert(next);
        if place == next {
            self.rows.push(T::default());
        }
        &mut self.rows[place as usize]
    }
}

fn key(ix: ScopeIx, parent: ParentId) -> u64 {
    u64::from(ix.0) << 32 | u64::from(parent.0)
}
