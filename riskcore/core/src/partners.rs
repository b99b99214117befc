//! Places by two numbers: a dense one that has few partners, and the partner - the scopes that work a parent, the groups that
//! trade an instrument. The first partners of each are found without hashing.

use alloc::vec::Vec;
use hashbrown::HashMap;

use crate::hash::Seeded;

/// Partners that are found without hashing.
const NEAR: usize = 4;

/// No partner: no place is this far.
const NONE: (u32, u32) = (0, u32::MAX);

/// See the module.
#[derive(Debug, Default)]
pub struct Partners {
    /// Per dense number: its first partners, each with a place.
    near: Vec<[(u32, u32); NEAR]>,
    far: HashMap<(u32, u32), u32, Seeded>,
}

impl Partners {
    /// Makes room for so many dense numbers, and as many further partners.
    pub fn reserve(&mut self, dense: usize, further: usize) {
        self.near.reserve(dense.saturating_sub(self.near.len()));
        self.far.reserve(further.saturating_sub(self.far.len()));
    }

    /// The place of a number and its partner.
    #[inline(always)]
    pub fn get(&self, of: u32, partner: u32) -> Option<u32> {
        let near = self.near.get(of as usize)?;
        for (known, place) in near {
            if *place == NONE.1 {
                return None;
            }
            if *known == partner {
                return Some(*place);
            }
        }
        self.far.get(&(of, partner)).copied()
    }

    /// Gives a place to a number and a partner that have none.
    pub fn insert(&mut self, of: u32, partner: u32, place: u32) {
        if self.near.len() <= of as usize {
            self.near.resize(of as usize + 1, [NONE; NEAR]);
        }
        match self.near[of as usize].iter_mut().find(|slot| slot.1 == NONE.1) {
            Some(slot) => *slot = (partner, place),
            None => drop(self.far.insert((of, partner), place)),
        }
    }

    /// Forgets all of them; the room stays.
    pub fn clear(&mut self) {
        self.near.clear();
        self.far.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_partners_and_all_others_keep_their_places() {
        let mut partners = Partners::default();
        for n in 0..40 {
            partners.insert(n % 3, n, n * 7);
        }

        for n in 0..40 {
            assert_eq!(Some(n * 7), partners.get(n % 3, n), "{n}");
            assert_eq!(None, partners.get((n + 1) % 3, n), "{n}");
        }
        assert_eq!(None, partners.get(9, 0));
        partners.clear();
        assert_eq!(None, partners.get(0, 0));
    }
}
