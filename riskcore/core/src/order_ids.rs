//! By which ids routers know their orders. One hash serves the look-up of a new order and, if it is accepted, its entry.

use core::hash::{BuildHasher, Hash, Hasher};
use hashbrown::HashTable;

use crate::hash::Seeded;
use crate::ids::{ClOrdId, OrderId, RouterId};

struct Entry {
    router: RouterId,
    cl_ord_id: ClOrdId,
    order: OrderId,
}

/// A router's id of an order, hashed.
#[derive(Clone, Copy, Debug)]
pub struct IdHash(u64);

/// The table of all ids.
pub struct OrderIds {
    table: HashTable<Entry>,
    seed: Seeded,
}

impl OrderIds {
    /// Room for `capacity` ids.
    pub fn new(capacity: usize, seed: Seeded) -> OrderIds {
        OrderIds { table: HashTable::with_capacity(capacity), seed }
    }

    /// The hash of an id.
    #[inline]
    pub fn hash(&self, router: RouterId, cl_ord_id: &ClOrdId) -> IdHash {
        hash(self.seed, router, cl_ord_id)
    }

    /// The order a router knows by this id; the hash is the id's.
    #[inline]
    pub fn find(&self, hash: IdHash, router: RouterId, cl_ord_id: &ClOrdId) -> Option<OrderId> {
        self.table
            .find(hash.0, |entry| entry.router == router && entry.cl_ord_id == *cl_ord_id)
            .map(|entry| entry.order)
    }

    /// Enters an id that is not there.
    #[inline]
    pub fn insert_new(&mut self, hash: IdHash, router: RouterId, cl_ord_id: &ClOrdId, order: OrderId) {
        let seed = self.seed;
        let entry = Entry { router, cl_ord_id: *cl_ord_id, order };
        self.table.insert_unique(hash.0, entry, |entry| self::hash(seed, entry.router, &entry.cl_ord_id).0);
    }

    /// Enters an id, or gives it to another order.
    pub fn insert(&mut self, router: RouterId, cl_ord_id: &ClOrdId, order: OrderId) {
        let hash = self.hash(router, cl_ord_id);
        match self.table.find_mut(hash.0, |entry| entry.router == router && entry.cl_ord_id == *cl_ord_id) {
            Some(entry) => entry.order = order,
            None => self.insert_new(hash, router, cl_ord_id, order),
        }
    }

    /// How many there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Writes to every page of an empty table once (`Orders::touch_pages`).
    pub fn touch_pages(&mut self, capacity: usize) {
        for n in 0..capacity as u64 {
            let cl_ord_id = ClOrdId::from_number(n);
            self.insert_new(self.hash(RouterId(0), &cl_ord_id), RouterId(0), &cl_ord_id, OrderId(0));
        }
        self.table.clear();
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.table.clear();
    }
}

#[inline]
fn hash(seed: Seeded, router: RouterId, cl_ord_id: &ClOrdId) -> IdHash {
    let mut hasher = seed.build_hasher();
    hasher.write_u32(router.0);
    cl_ord_id.hash(&mut hasher);
    IdHash(hasher.finish())
}
