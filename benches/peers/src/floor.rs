//! What an accepted order costs without any check: the floor under every figure of `accept`.
//!
//! Its id must be new and is kept, its record is written, and at each of its six scopes four sums are held against a bound
//! and raised. That is less than any of the checks needs; what it takes is this machine's memory and arithmetic.

use std::hash::{BuildHasher, Hasher};
use std::hint::black_box;

use riskcore::events::NewOrder;
use riskcore::hash::Seeded;
use riskcore::orders::Order;
use riskcore_bench::firm::Limits;
use riskcore_bench::series::Round;
use riskcore_bench::world::{Size, World};

use crate::Side;

const SCOPES: usize = 6;
const SUMS: usize = 4;
const NOBODY: u32 = u32::MAX;

type Record = [u8; size_of::<Order>()];

/// The tables, and the world whose orders they take.
pub struct Floor {
    world: World,
    /// Places of orders by the hash of their id; a power of two, at most half full.
    ids: Vec<(u32, u32)>,
    orders: Vec<Record>,
    sums: [[i64; SUMS]; SCOPES],
    bounds: [[i64; SUMS]; SCOPES],
}

impl Floor {
    /// Room for so many orders, mapped.
    pub fn new(orders: usize) -> Floor {
        let mut records = vec![[1; size_of::<Order>()]; orders];
        records.clear();
        Floor {
            world: World::new(Limits::Usual, Size { orders: 1, symbols: 1, routers: 1 }, 1),
            ids: vec![(0, NOBODY); (2 * orders).next_power_of_two()],
            orders: records,
            sums: [[0; SUMS]; SCOPES],
            bounds: [[i64::MAX / 2; SUMS]; SCOPES],
        }
    }

    /// Whether it fits; if so it is kept.
    #[inline(never)]
    fn accept(&mut self, order: &NewOrder) -> bool {
        let Some(slot) = self.free_slot(order) else { return false };
        let added = [1, order.qty.0, order.price.map_or(0, |price| price.0), order.qty.0];
        for (sums, bounds) in self.sums.iter().zip(&self.bounds) {
            for ((sum, bound), added) in sums.iter().zip(bounds).zip(added) {
                if sum.checked_add(added).is_none_or(|after| after > *bound) {
                    return false;
                }
            }
        }
        for sums in &mut self.sums {
            for (sum, added) in sums.iter_mut().zip(added) {
                *sum += added;
            }
        }
        self.ids[slot].1 = self.orders.len() as u32;
        self.orders.push(record(order));
        true
    }

    fn free_slot(&mut self, order: &NewOrder) -> Option<usize> {
        let mut hasher = Seeded(0).build_hasher();
        hasher.write_u32(order.router.0);
        hasher.write(order.cl_ord_id.as_bytes());
        let (hash, mask) = (hasher.finish(), self.ids.len() - 1);
        let tag = (hash >> 32) as u32;
        let mut slot = hash as usize & mask;
        while self.ids[slot].1 != NOBODY {
            let (known, place) = self.ids[slot];
            if known == tag && self.orders[place as usize].starts_with(order.cl_ord_id.as_bytes()) {
                return None;
            }
            slot = (slot + 1) & mask;
        }
        self.ids[slot].0 = tag;
        Some(slot)
    }
}

impl Side for Floor {
    fn name(&self) -> &'static str {
        "no check at all"
    }

    fn ran(&self) -> &'static str {
        "the floor: an order's id is new and kept, its record written as riskcore's, four sums held against bounds and raised \
         at each of six scopes"
    }

    fn round(&mut self, batch: usize) -> Round {
        let orders: Vec<_> = (0..batch).map(|_| self.world.order()).collect();
        let mut times = Round::default();
        for order in &orders {
            assert!(times.time(|| self.accept(black_box(order))), "no bound is near, and every id is new");
        }
        times
    }
}

fn record(order: &NewOrder) -> Record {
    let mut record = [0; size_of::<Order>()];
    let id = order.cl_ord_id.as_bytes();
    record[..id.len()].copy_from_slice(id);
    record[40..48].copy_from_slice(&order.qty.0.to_le_bytes());
    record
}
