//! A table that is found by hash and walked in the order in which its rows came. Rows are only ever added, or all forgotten.

use alloc::vec::Vec;
use core::hash::Hash;
use hashbrown::HashMap;

use crate::hash::Seeded;

/// A value for each key that has one.
pub struct Rows<K, T> {
    rows: Vec<T>,
    places: HashMap<K, u32, Seeded>,
}

impl<K, T> Default for Rows<K, T> {
    fn default() -> Rows<K, T> {
        Rows { rows: Vec::new(), places: HashMap::default() }
    }
}

impl<K: Eq + Hash, T> Rows<K, T> {
    /// Makes room, once: that many rows then cost no allocation.
    pub fn reserve(&mut self, rows: usize) {
        if self.rows.capacity() == 0 {
            self.rows.reserve(rows);
            self.places.reserve(rows);
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &K) -> Option<&T> {
        self.rows.get(*self.places.get(key)? as usize)
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

impl<K: Eq + Hash, T: Default> Rows<K, T> {
    /// The value of a key, to change it.
    pub fn entry(&mut self, key: K) -> &mut T {
        // Every row belongs to an order or an id of its own: there are fewer than 2^32.
        let next = self.rows.len() as u32;
        let place = *self.places.entry(key).or_insert(next);
        if place == next {
            self.rows.push(T::default());
        }
        &mut self.rows[place as usize]
    }
}
