//! A table of things that come and go, by keys that are never reused.

/// A key; it finds nothing once its entry is removed, even if the place is taken again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    index: u32,
    generation: u32,
}

/// See the module.
pub struct Slab<T> {
    places: Vec<(u32, Option<T>)>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab { places: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Adds an entry.
    pub fn insert(&mut self, value: T) -> Key {
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push((0, None));
            self.places.len() as u32 - 1
        });
        let mut key = Key { index, generation: 0 };
        if let Some(place) = self.places.get_mut(index as usize) {
            place.0 += 1;
            key.generation = place.0;
            place.1 = Some(value);
        }
        key
    }

    /// An entry.
    pub fn get(&self, key: Key) -> Option<&T> {
        self.places.get(key.index as usize).filter(|place| place.0 == key.generation)?.1.as_ref()
    }

    /// An entry, to change it.
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        self.places.get_mut(key.index as usize).filter(|place| place.0 == key.generation)?.1.as_mut()
    }

    /// Takes an entry out.
    pub fn remove(&mut self, key: Key) -> Option<T> {
        let place = self.places.get_mut(key.index as usize).filter(|place| place.0 == key.generation)?;
        let value = place.1.take()?;
        self.free.push(key.index);
        Some(value)
    }

    /// The keys of all entries.
    pub fn keys(&self) -> impl Iterator<Item = Key> + '_ {
        self.places
            .iter()
            .enumerate()
            .filter(|(_, place)| place.1.is_some())
            .map(|(n, place)| Key { index: n as u32, generation: place.0 })
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_a_removed_entry_finds_nothing_again() {
        let mut slab = Slab::default();
        let a = slab.insert('a');
        assert_eq!(Some('a'), slab.remove(a));
        let b = slab.insert('b');

        assert_eq!(None, slab.get(a));
        assert_eq!(None, slab.remove(a));
        assert_eq!(Some(&'b'), slab.get(b));
        assert_eq!(vec![b], slab.keys().collect::<Vec<_>>());
        assert_eq!(1, slab.len());
    }
}
