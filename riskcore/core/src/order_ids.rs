//! By which ids routers know their orders.
//!
//! A place of the table is eight bytes: half of an id's hash, and whose id it is. The id itself stands in the order's own
//! record, which is looked at if the hash is right. Ids that stand in no record - those of replaces, those an order had
//! before one, and those of orders that outlived their day - are kept in a list beside it.

use alloc::vec::Vec;
use core::hash::{BuildHasher, Hash, Hasher};

use crate::hash::Seeded;
use crate::ids::{ClOrdId, OrderId, RouterId};
use crate::orders::Order;

/// A router's id of an order, hashed.
#[derive(Clone, Copy, Debug)]
pub struct IdHash(u64);

impl IdHash {
    #[inline]
    fn tag(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

#[derive(Clone, Copy)]
struct Entry {
    tag: u32,
    /// The order's slot among those of the day, or with `OTHER` the id's place in the list.
    whose: u32,
}

impl Entry {
    const FREE: Entry = Entry { tag: 0, whose: u32::MAX };
}

/// Marks an id that stands in no order's record.
const OTHER: u32 = 1 << 31;

/// The most ids there can be room for: their number must not look marked.
const MOST: usize = OTHER as usize - 1;

/// An id that stands in no order's record.
#[derive(Clone, Copy)]
pub struct OtherId {
    /// Whose session it came on.
    pub router: RouterId,
    /// The id.
    pub cl_ord_id: ClOrdId,
    /// The order that has it, or had.
    pub order: OrderId,
    /// Hash of the terms with which the order was first sent, if it was sent under this id.
    pub first_terms: Option<u64>,
}

/// Who has an id.
#[derive(Clone, Copy)]
pub enum Owner<'a> {
    /// The order in this slot of the day, whose record says so.
    Slot(usize),
    /// The order that is named.
    Other(&'a OtherId),
}

/// The table of all ids. It is handed the orders of the day to look at their records.
pub struct OrderIds {
    /// A power of two, at most half full: an id is at the place of its hash or at the next ones.
    table: Vec<Entry>,
    others: Vec<OtherId>,
    used: usize,
    seed: Seeded,
}

impl OrderIds {
    /// Room for `capacity` ids.
    pub fn new(capacity: usize, seed: Seeded) -> OrderIds {
        let places = 2 * capacity.clamp(1, MOST).next_power_of_two();
        OrderIds { table: alloc::vec![Entry::FREE; places], others: Vec::with_capacity(capacity), used: 0, seed }
    }

    /// The hash of an id.
    #[inline]
    pub fn hash(&self, router: RouterId, cl_ord_id: &ClOrdId) -> IdHash {
        let mut hasher = self.seed.build_hasher();
        hasher.write_u32(router.0);
        cl_ord_id.hash(&mut hasher);
        IdHash(hasher.finish())
    }

    /// The order a router knows by this id; the hash is the id's.
    #[inline]
    pub fn find(&self, hash: IdHash, router: RouterId, cl_ord_id: &ClOrdId, day: &[Order]) -> Option<Owner<'_>> {
        self.place(hash, router, cl_ord_id, day).ok().and_then(|at| self.owner(self.table[at]))
    }

    /// Where the id is, or where it would be.
    #[inline]
    fn place(&self, hash: IdHash, router: RouterId, cl_ord_id: &ClOrdId, day: &[Order]) -> Result<usize, usize> {
        let mask = self.table.len() - 1;
        let mut at = hash.0 as usize & mask;
        loop {
            let entry = self.table[at];
            if entry.whose == Entry::FREE.whose {
                return Err(at);
            }
            if entry.tag == hash.tag() && self.is(entry, router, cl_ord_id, day) {
                return Ok(at);
            }
            at = (at + 1) & mask;
        }
    }

    fn is(&self, entry: Entry, router: RouterId, cl_ord_id: &ClOrdId, day: &[Order]) -> bool {
        match self.owner(entry) {
            Some(Owner::Slot(slot)) => {
                day.get(slot).is_some_and(|order| order.router == router && order.cl_ord_id == *cl_ord_id)
            }
            Some(Owner::Other(other)) => other.router == router && other.cl_ord_id == *cl_ord_id,
            None => false,
        }
    }

    #[inline]
    fn owner(&self, entry: Entry) -> Option<Owner<'_>> {
        if entry.whose & OTHER == 0 {
            return Some(Owner::Slot(entry.whose as usize));
        }
        self.others.get((entry.whose & !OTHER) as usize).map(Owner::Other)
    }

    /// Enters the id of the next order of the day, which is not there. The caller has asked for room.
    #[inline]
    pub fn insert_new(&mut self, hash: IdHash, slot: usize) {
        let mask = self.table.len() - 1;
        let mut at = hash.0 as usize & mask;
        while self.table[at].whose != Entry::FREE.whose {
            at = (at + 1) & mask;
        }
        self.put(at, Entry { tag: hash.tag(), whose: slot as u32 });
    }

    /// Enters an id that stands in no order's record, or will not from now on. What is known of its first terms stays.
    pub fn keep(&mut self, id: OtherId, day: &[Order]) {
        let hash = self.hash(id.router, &id.cl_ord_id);
        let place = self.place(hash, id.router, &id.cl_ord_id, day);
        let (Ok(at) | Err(at)) = place;
        let kept = self.table[at].whose;
        if place.is_ok() && kept & OTHER != 0 {
            let other = &mut self.others[(kept & !OTHER) as usize];
            let same = other.order == id.order;
            *other = OtherId { first_terms: id.first_terms.or(other.first_terms.filter(|_| same)), ..id };
            return;
        }
        let whose = self.others.len() as u32 | OTHER;
        self.others.push(id);
        if place.is_ok() {
            self.table[at].whose = whose;
        } else {
            self.put(at, Entry { tag: hash.tag(), whose });
        }
    }

    #[inline]
    fn put(&mut self, at: usize, entry: Entry) {
        self.table[at] = entry;
        self.used += 1;
        // Twice as long as all there is room for: a search always ends at a free place.
        debug_assert!(self.used <= self.table.len() / 2, "the caller has asked for room");
    }

    /// How many there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.used
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Writes to every page of an empty table once (`Orders::touch_pages`); of the list beside it, as much as an eighth of all
    /// orders being replaced needs.
    pub fn touch_pages(&mut self) {
        self.table.fill(Entry::FREE);
        let none = ClOrdId::from_number(0);
        let blank = OtherId { router: RouterId(0), cl_ord_id: none, order: OrderId(0), first_terms: None };
        self.others.resize(self.others.capacity() / 8, blank);
        self.others.clear();
    }

    /// Forgets all but these.
    pub fn begin_with(&mut self, ids: Vec<OtherId>) {
        self.table.fill(Entry::FREE);
        self.others.clear();
        self.used = 0;
        for id in ids {
            self.keep(id, &[]);
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;

    use super::*;
    use crate::events::{NewOrder, OrdType, Side, TimeInForce};
    use crate::ids::{AccountId, Ref, SymbolId};
    use crate::orders::{Accepted, Orders, PendingReplace, Status, Touched};
    use crate::units::{Nanos, Price, Qty, Rate};

    fn order(router: u32, id: u64, qty: i64) -> NewOrder {
        NewOrder {
            router: RouterId(router),
            client_seq: 0,
            cl_ord_id: ClOrdId::from_number(id),
            account: Ref::Known(AccountId(0)),
            symbol: Ref::Known(SymbolId(0)),
            strategy: Ref::Absent,
            parent: Ref::Absent,
            side: Side::Buy,
            ord_type: OrdType::Limit,
            tif: TimeInForce::GoodTillCancel,
            qty: Qty(qty),
            price: Some(Price(1)),
            flags: 0,
        }
    }

    fn add(orders: &mut Orders, order: &NewOrder, id_hash: IdHash) -> OrderId {
        orders.add(&Accepted {
            order,
            account: AccountId(0),
            symbol: SymbolId(0),
            touched: Touched::NONE,
            px_risk: Price(1),
            fx: Rate::ONE,
            id_hash,
            now: Nanos(0),
            venue_client_seq: 0,
        })
    }

    fn replace(id: u64, qty: i64) -> PendingReplace {
        PendingReplace {
            cl_ord_id: ClOrdId::from_number(id),
            qty: Qty(qty),
            price: Some(Price(1)),
            px_risk: Price(1),
            px_before: Price(1),
            fx_risk: Rate::ONE,
            fx_before: Rate::ONE,
            client_seq: 0,
        }
    }

    /// What a router may have told of an id: whose it is, and the quantity if an order was first sent under it.
    type Told = BTreeMap<(u32, u64), (OrderId, Option<i64>)>;

    fn agree(orders: &Orders, told: &Told) {
        for (router, id) in (0..3).flat_map(|router| (0..600).map(move |id| (router, id))) {
            let found = orders.find(RouterId(router), ClOrdId::from_number(id));
            assert_eq!(told.get(&(router, id)).map(|(order, _)| *order), found, "{router} {id}");
            let Some(known) = found.and_then(|order| orders.get(order)) else { continue };
            for qty in 1..9 {
                let is_first = told[&(router, id)].1 == Some(qty);
                assert_eq!(is_first, orders.was_sent_as(known, &order(router, id, qty)), "{router} {id} {qty}");
            }
        }
    }

    #[test]
    fn every_id_of_the_day_is_known_through_replaces_and_day_rolls() {
        let mut orders = Orders::new(1, 600, Seeded(7));
        (0..3).for_each(|_| orders.add_router());
        let (mut told, mut seed, mut open) = (Told::new(), 7_u64, Vec::new());
        for step in 0..3_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (router, id, qty) = ((seed >> 33) as u32 % 3, (seed >> 40) % 600, (seed >> 50) as i64 % 8 + 1);
            let key = (router, id);
            let some = open.get((seed >> 20) as usize % open.len().max(1)).copied();
            match (seed >> 60, some) {
                (0..6, _) if !told.contains_key(&key) && orders.has_room() => {
                    let order = order(router, id, qty);
                    let hash = orders.hash(order.router, &order.cl_ord_id);
                    let id = add(&mut orders, &order, hash);
                    told.insert(key, (id, Some(qty)));
                    open.push((router, id));
                }
                (6..11, Some((router, order))) if !told.contains_key(&(router, id)) && orders.has_room() => {
                    // Half of them are refused, and their ids are used up even so.
                    let pending = replace(id, qty);
                    orders.begin_replace(order, RouterId(router), pending);
                    if qty % 2 == 0 {
                        orders.put_in_force(order, &pending).unwrap();
                    }
                    orders.end_replace(order).unwrap();
                    told.insert((router, id), (order, None));
                }
                (11..16, Some((_, order))) => {
                    orders.get_mut(order).unwrap().status = Status::Canceled;
                    orders.close(order);
                    open.retain(|(_, other)| *other != order);
                }
                _ => {}
            }
            if step % 500 == 499 {
                // Of each open order only the id it has now.
                told.retain(|(_, id), (order, _)| {
                    let order = orders.get(*order).unwrap();
                    order.is_open() && order.cl_ord_id == ClOrdId::from_number(*id)
                });
                orders.day_roll();
            }
            if step % 100 == 99 {
                agree(&orders, &told);
            }
        }
        assert!(told.len() > 20, "{}", told.len());
    }

    #[test]
    fn ids_of_one_hash_are_told_apart_by_the_orders_that_have_them() {
        let mut orders = Orders::new(1, 8, Seeded(7));
        orders.add_router();
        for id in 1..4 {
            add(&mut orders, &order(0, id, 1), IdHash(u64::MAX));
        }
        let find = |id| orders.find_hashed(IdHash(u64::MAX), RouterId(0), &ClOrdId::from_number(id));

        assert_eq!([Some(1), Some(2), Some(3), None], [1, 2, 3, 4].map(|id| find(id).map(|order| order.n())));
    }
}
