//! Suspense: executions that no order of ours explains - of orders we never sent, and beyond what was ordered (rules.md U1).
//!
//! Such an execution counts in positions and losses like any other. Here it is kept apart as well, by router, parent and
//! instrument and with the time it was first seen, so that nobody has to take a mixed account to pieces to find its source.
//! What is known of an execution decides its row: an excess of one of our orders knows its router and parent, an execution
//! of a foreign order its instrument alone.

use alloc::vec::Vec;
use core::hash::Hasher;
use hashbrown::HashMap;

use crate::hash::{FoldHasher, Seeded};
use crate::ids::{ClOrdId, OrderId, RouterId, SymbolId};
use crate::scopes::ScopeIx;
use crate::units::{Nanos, saturating_sum};

/// Rows of a day. Executions that would need a further one count in every total and in `unlisted`.
const MAX_ROWS: usize = 4_096;

/// Where an execution without an order belongs, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The router whose order was filled beyond its quantity.
    pub router: Option<RouterId>,
    /// The parent of that order.
    pub parent: Option<ClOrdId>,
    /// Instrument.
    pub symbol: SymbolId,
    /// Of an order of an earlier epoch of this gateway, whose orders it does not remember.
    pub earlier_run: bool,
}

/// Unmatched executions of one origin.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The origin.
    pub origin: Origin,
    /// Quantity bought.
    pub bought: i64,
    /// Quantity sold.
    pub sold: i64,
    /// Notional, buys plus sells.
    pub notional: i128,
    /// How many executions.
    pub executions: u64,
    /// The first of them.
    pub first_seen: Nanos,
    /// The last of them.
    pub last_seen: Nanos,
}

/// An amount of unmatched executions.
#[derive(Clone, Copy, Debug, Default)]
pub struct Amount {
    /// Quantity; negative if sold.
    pub signed_qty: i64,
    /// Notional; positive.
    pub notional: i128,
}

/// What of an order has been booked here.
#[derive(Clone, Copy, Debug, Default)]
struct Excess {
    qty: i64,
    notional: i128,
}

/// All unmatched executions of the day.
pub struct Suspense {
    rows: Vec<Row>,
    places: HashMap<Origin, usize, Seeded>,
    /// Per order of ours that was filled beyond its quantity.
    excess: HashMap<OrderId, Excess, Seeded>,
    /// Per scope: notional, never netted.
    totals: Vec<i128>,
    /// Executions without a row of their own.
    pub unlisted: u64,
}

impl Suspense {
    /// Nothing yet.
    pub fn new(seed: Seeded) -> Suspense {
        Suspense {
            rows: Vec::new(),
            places: HashMap::with_hasher(seed),
            excess: HashMap::with_hasher(seed),
            totals: Vec::new(),
            unlisted: 0,
        }
    }

    /// Every row, in the order in which they were first seen.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Unmatched notional of a scope; that of earlier runs is listed and not counted.
    pub fn total(&self, ix: ScopeIx) -> i128 {
        self.totals.get(ix.at()).copied().unwrap_or(0)
    }

    /// Books an execution.
    pub fn add(&mut self, origin: Origin, scopes: impl Iterator<Item = ScopeIx>, amount: Amount, now: Nanos) {
        if !origin.earlier_run {
            for ix in scopes {
                self.add_to_total(ix, amount.notional);
            }
        }
        let Some(row) = self.row(origin, now) else {
            self.unlisted += 1;
            return;
        };
        row.change(amount);
        row.executions += 1;
        row.last_seen = now;
    }

    fn add_to_total(&mut self, ix: ScopeIx, notional: i128) {
        if self.totals.len() <= ix.at() {
            self.totals.resize(ix.at() + 1, 0);
        }
        let total = &mut self.totals[ix.at()];
        *total = saturating_sum(*total, notional).max(0);
    }

    fn row(&mut self, origin: Origin, now: Nanos) -> Option<&mut Row> {
        let place = match self.places.get(&origin) {
            Some(place) => *place,
            None if self.rows.len() < MAX_ROWS => {
                self.places.insert(origin, self.rows.len());
                let (bought, sold, notional, executions) = (0, 0, 0, 0);
                self.rows.push(Row { origin, bought, sold, notional, executions, first_seen: now, last_seen: now });
                self.rows.len() - 1
            }
            None => return None,
        };
        self.rows.get_mut(place)
    }

    /// What of an order is booked here.
    pub fn excess_of(&self, order: OrderId) -> i64 {
        if self.excess.is_empty() { 0 } else { self.excess.get(&order).map_or(0, |excess| excess.qty) }
    }

    /// An order of ours has been filled so much further beyond its quantity.
    pub fn exceeded(
        &mut self,
        order: OrderId,
        origin: Origin,
        scopes: impl Iterator<Item = ScopeIx>,
        amount: Amount,
        now: Nanos,
    ) {
        let excess = self.excess.entry(order).or_default();
        excess.qty = excess.qty.saturating_add(amount.signed_qty.saturating_abs());
        excess.notional = saturating_sum(excess.notional, amount.notional);
        self.add(origin, scopes, amount, now);
    }

    /// A bust has left only so much of an order's excess. Its notional goes back in proportion: which of its executions
    /// was the excess, nobody can say.
    pub fn shrunk(
        &mut self,
        order: OrderId,
        origin: Origin,
        scopes: impl Iterator<Item = ScopeIx>,
        sign: i64,
        left: i64,
    ) {
        let Some(excess) = self.excess.get_mut(&order) else { return };
        let back = excess.qty - left;
        let product = excess.notional.checked_mul(i128::from(back));
        let notional = product.map_or(0, |product| product / i128::from(excess.qty.max(1)));
        *excess = Excess { qty: left, notional: excess.notional - notional };
        for ix in scopes {
            self.add_to_total(ix, -notional);
        }
        if let Some(row) = self.places.get(&origin).and_then(|place| self.rows.get_mut(*place)) {
            let bought = if sign > 0 { back } else { 0 };
            row.bought = row.bought.saturating_sub(bought);
            row.sold = row.sold.saturating_sub(back - bought);
            row.notional = saturating_sum(row.notional, -notional);
        }
    }

    /// A new day begins without any: what is still open is a matter of the books of the day before.
    pub fn day_roll(&mut self) {
        self.rows.clear();
        self.places.clear();
        self.excess.clear();
        self.totals.fill(0);
        self.unlisted = 0;
    }

    /// Feeds the state hash.
    pub fn digest(&self, hasher: &mut FoldHasher) {
        for total in &self.totals {
            hasher.write_u64(*total as u64);
        }
        for row in &self.rows {
            hasher.write_u32(row.origin.symbol.0);
            hasher.write_u64(row.bought as u64);
            hasher.write_u64(row.sold as u64);
            hasher.write_u64(row.notional as u64);
            hasher.write_u64(row.first_seen.0 as u64);
        }
    }
}

impl Row {
    fn change(&mut self, amount: Amount) {
        if amount.signed_qty > 0 {
            self.bought = self.bought.saturating_add(amount.signed_qty);
        } else {
            self.sold = self.sold.saturating_sub(amount.signed_qty);
        }
        self.notional = saturating_sum(self.notional, amount.notional);
    }
}
