//! What a check counts per scope and parent.
//!
//! A scope works few of the day's parents, so rows come with the first order of each pair. There are never more than
//! scopes times parents, nor more than accepted orders; room for the usual number is reserved before orders flow.

use crate::ids::ParentId;
use crate::rows::Rows;
use crate::scopes::ScopeIx;

/// Rows there is room for from the start: two scopes for each of the parents that a gateway has room for by default.
const ROOM: usize = 1 << 17;

/// A value for each scope and parent that has one.
#[derive(Default)]
pub struct PerParent<T> {
    rows: Rows<u64, T>,
}

impl<T: Default> PerParent<T> {
    /// Makes room, once, when a limit is set that needs it: later rows then cost no allocation.
    pub fn reserve(&mut self) {
        self.rows.reserve(ROOM);
    }

    /// The value of a scope and a parent.
    pub fn get(&self, ix: ScopeIx, parent: ParentId) -> Option<&T> {
        self.rows.get(&key(ix, parent))
    }

    /// The values, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &T> + '_ {
        self.rows.iter()
    }

    /// Forgets all of them; the room stays.
    pub fn clear(&mut self) {
        self.rows.clear();
    }

    /// The value of a scope and a parent, to change it.
    pub fn entry(&mut self, ix: ScopeIx, parent: ParentId) -> &mut T {
        self.rows.entry(key(ix, parent))
    }
}

fn key(ix: ScopeIx, parent: ParentId) -> u64 {
    u64::from(ix.0) << 32 | u64::from(parent.0)
}
