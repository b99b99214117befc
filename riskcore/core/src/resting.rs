//! Own orders that may rest at the venue, best price first, per self-match group and instrument (rules.md P4).
//!
//! One queue for each side. An order that ends, or is repriced, leaves its entry behind; entries of that kind are dropped when
//! they come to the front, so that the first of a queue is always an order that is open. They are swept out, too, before a
//! queue would grow: it never holds more than a small multiple of the orders that were open at once. An order that reaches
//! as far as any goes on a stack, which costs nothing; one behind goes in a heap and costs a logarithm. Looking at the first
//! one costs nothing, and a warm queue allocates nothing.

use alloc::collections::BinaryHeap;
use alloc::vec::Vec;

use crate::events::{Side, TimeInForce};
use crate::ids::{AccountId, OrderId, SymbolId};
use crate::orders::{Order, Orders};
use crate::partners::Partners;
use crate::units::Price;

/// Room of either part of a queue from the start.
const ROOM: usize = 32;

/// A group of accounts whose orders must not meet (FIX SelfMatchPreventionID 2362).
pub type GroupId = u32;

/// How far an order is willing to go, the larger the farther: a buyer's price, a seller's price turned round.
#[inline(always)]
pub fn reach(is_buy: bool, price: Option<Price>) -> i64 {
    match price {
        // Whoever names no price takes any.
        None => i64::MAX,
        Some(price) if is_buy => price.0,
        Some(price) => price.0.saturating_neg(),
    }
}

/// An order and its reach, in one number: one comparison tells which reaches farther, the newer of equals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry(i128);

impl Entry {
    fn new(reach: i64, id: OrderId) -> Entry {
        Entry(i128::from(reach) << 64 | i128::from(id.0))
    }

    fn reach(self) -> i64 {
        (self.0 >> 64) as i64
    }

    fn id(self) -> OrderId {
        OrderId(self.0 as u64)
    }
}

/// One side of one instrument in one group, whoever reaches farthest first.
#[derive(Clone, Debug)]
struct Queue {
    /// In rising order: each reaches farther than all that were here when it came.
    rising: Vec<Entry>,
    others: BinaryHeap<Entry>,
    first: Option<Entry>,
}

impl Queue {
    fn new() -> Queue {
        Queue { rising: Vec::with_capacity(ROOM), others: BinaryHeap::with_capacity(ROOM), first: None }
    }

    /// An order that is open.
    #[inline(always)]
    fn push(&mut self, orders: &Orders, reach: i64, id: OrderId) {
        let entry = Entry::new(reach, id);
        // Whoever reaches farther than the first does so than all.
        if self.first.is_none_or(|first| first < entry) && self.rising.len() < self.rising.capacity() {
            self.rising.push(entry);
            self.first = Some(entry);
        } else {
            self.push_behind(orders, entry);
        }
    }

    #[inline(never)]
    fn push_behind(&mut self, orders: &Orders, entry: Entry) {
        if self.rising.len() == self.rising.capacity() || self.others.len() == self.others.capacity() {
            self.make_room(orders);
        }
        if self.rising.last().is_none_or(|last| *last < entry) {
            self.rising.push(entry);
        } else {
            self.others.push(entry);
        }
        if self.first.is_none_or(|first| first < entry) {
            self.first = Some(entry);
        } else {
            self.trim(orders);
        }
    }

    #[cold]
    fn make_room(&mut self, orders: &Orders) {
        if self.rising.len() == self.rising.capacity() {
            sweep(&mut self.rising, orders);
        }
        if self.others.len() == self.others.capacity() {
            let mut others = core::mem::take(&mut self.others).into_vec();
            sweep(&mut others, orders);
            self.others = others.into();
        }
        self.first = self.farthest();
    }

    fn farthest(&self) -> Option<Entry> {
        self.rising.last().copied().max(self.others.peek().copied())
    }

    /// Whatever is first is open afterwards.
    fn trim(&mut self, orders: &Orders) {
        while let Some(first) = self.first.filter(|entry| !is_open(orders, *entry)) {
            if self.rising.last() == Some(&first) {
                self.rising.pop();
            } else {
                self.others.pop();
            }
            self.first = self.farthest();
        }
    }
}

/// Sweeps out the orders that are not open. Half full of those that are, the list may grow; else it was the rest that filled
/// it.
fn sweep(list: &mut Vec<Entry>, orders: &Orders) {
    list.retain(|entry| is_open(orders, *entry));
    if list.len() * 2 >= list.capacity() {
        list.reserve(list.len().max(ROOM));
    }
}

/// Whether an entry is that of an open order, at the price it has or is about to have.
fn is_open(orders: &Orders, entry: Entry) -> bool {
    let (reach_of, id) = (entry.reach(), entry.id());
    let Some(order) = orders.get(id).filter(|order| order.is_open()) else { return false };
    let is_buy = order.side.is_buy();
    let is_pending = || orders.pending_replace(id).is_some_and(|pending| reach(is_buy, pending.price) == reach_of);
    reach(is_buy, order.price) == reach_of || is_pending()
}

/// See the module.
#[derive(Debug)]
pub struct Resting {
    /// Per account: its group.
    groups: Vec<Option<GroupId>>,
    /// Buys and sells of each pair of group and instrument, in order of its first order.
    books: Vec<[Queue; 2]>,
    places: Partners,
}

impl Resting {
    /// Nothing, with room for so many pairs of group and instrument.
    pub fn new(pairs: usize) -> Resting {
        let mut places = Partners::default();
        places.reserve(pairs, pairs);
        Resting { groups: Vec::new(), books: Vec::new(), places }
    }

    /// A new account is in no group.
    pub fn add_account(&mut self) {
        self.groups.push(None);
    }

    /// Each account's group.
    pub fn groups(&self) -> &[Option<GroupId>] {
        &self.groups
    }

    /// Puts an account into a group, with its orders that are open already. `false` if there is no such account.
    pub fn join(&mut self, orders: &Orders, account: AccountId, group: Option<GroupId>) -> bool {
        let Some(slot) = self.groups.get_mut(account.index()) else { return false };
        *slot = group;
        for order in orders.iter().filter(|order| order.account == account && order.is_open()) {
            self.add(orders, order);
        }
        true
    }

    /// An order was accepted: from now on it may rest. One that is immediate or nothing never does.
    #[inline(always)]
    pub fn add(&mut self, orders: &Orders, order: &Order) {
        self.put(orders, order, order.price);
    }

    /// An order may soon rest at another price.
    #[inline]
    pub fn reprice(&mut self, orders: &Orders, order: &Order, price: Option<Price>) {
        if price != order.price {
            self.put(orders, order, price);
        }
    }

    /// An order ended, or its price is settled.
    #[inline]
    pub fn settle(&mut self, orders: &Orders, order: &Order) {
        if let Some(queue) = self.queue(order.account, order.symbol, order.side.is_buy()) {
            queue.trim(orders);
        }
    }

    /// How far the order reaches that one of this account, instrument and side would meet first: they meet if what both
    /// reach adds up to nothing or more.
    #[inline(always)]
    pub fn opposite_reach(&self, account: AccountId, symbol: SymbolId, side: Side) -> Option<i64> {
        self.first_opposite(account, symbol, side).map(Entry::reach)
    }

    #[inline(always)]
    fn first_opposite(&self, account: AccountId, symbol: SymbolId, side: Side) -> Option<Entry> {
        let group = (*self.groups.get(account.index())?)?;
        let place = self.places.get(symbol.0, group)?;
        let [sells, buys] = self.books.get(place as usize)?;
        if side.is_buy() { sells.first } else { buys.first }
    }

    /// The price of that order and its id.
    pub fn opposite(&self, account: AccountId, symbol: SymbolId, side: Side) -> Option<(Option<Price>, OrderId)> {
        let (entry, theirs_buy) = (self.first_opposite(account, symbol, side)?, !side.is_buy());
        let reach = entry.reach();
        let price = if theirs_buy { reach } else { reach.saturating_neg() };
        Some(((reach != i64::MAX).then_some(Price(price)), entry.id()))
    }

    fn queue(&mut self, account: AccountId, symbol: SymbolId, is_buy: bool) -> Option<&mut Queue> {
        let group = (*self.groups.get(account.index())?)?;
        let place = self.places.get(symbol.0, group)?;
        Some(&mut self.books[place as usize][usize::from(is_buy)])
    }

    #[inline(always)]
    fn put(&mut self, orders: &Orders, order: &Order, price: Option<Price>) {
        let Some(group) = self.groups[order.account.index()] else { return };
        if matches!(order.tif, TimeInForce::ImmediateOrCancel | TimeInForce::FillOrKill) {
            return;
        }
        let place = match self.places.get(order.symbol.0, group) {
            Some(place) => place,
            None => self.open_book(order.symbol, group),
        };
        let (is_buy, [sells, buys]) = (order.side.is_buy(), &mut self.books[place as usize]);
        let queue = if is_buy { buys } else { sells };
        queue.push(orders, reach(is_buy, price), order.id);
    }

    #[cold]
    fn open_book(&mut self, symbol: SymbolId, group: GroupId) -> u32 {
        let next = self.books.len() as u32;
        self.places.insert(symbol.0, group, next);
        self.books.push(core::array::from_fn(|_| Queue::new()));
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Seeded;

    #[test]
    fn a_queue_of_ended_orders_never_grows() {
        let orders = Orders::new(1, 16, Seeded(0));
        for falls in [1, -1] {
            let mut queue = Queue::new();
            let room = (queue.rising.capacity(), queue.others.capacity());

            for n in 0..10_000 {
                queue.push(&orders, falls * n, OrderId(n as u64));
            }
            queue.trim(&orders);

            assert_eq!((queue.rising.capacity(), queue.others.capacity()), room);
            assert_eq!(queue.first, None);
        }
    }

    #[test]
    fn whoever_reaches_farther_comes_first_and_the_newer_of_equals() {
        let entries = [(i64::MIN, 9), (-5, u64::MAX), (0, 0), (0, 1), (7, 3), (i64::MAX, 0)];
        let entries = entries.map(|(reach, id)| Entry::new(reach, OrderId(id)));

        assert!(entries.is_sorted());
        assert_eq!((-5, OrderId(u64::MAX)), (entries[1].reach(), entries[1].id()));
        assert_eq!((i64::MIN, OrderId(9)), (entries[0].reach(), entries[0].id()));
    }
}
