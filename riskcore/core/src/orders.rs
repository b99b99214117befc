//! The orders of the trading day: their life cycle (FIX OrdStatus), and the exposure each one reserves.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use hashbrown::HashMap;

use crate::events::{NewOrder, OrdType, Side, TimeInForce};
use crate::hash::Seeded;
use crate::ids::{AccountId, ClOrdId, OrderId, ParentId, RouterId, StrategyId, SymbolId};
use crate::order_ids::{IdHash, OrderIds, OtherId, Owner};
use crate::scopes::ScopeIx;
use crate::terms::Terms;
use crate::units::{Nanos, Price, Qty, Rate};

/// FIX 39, without the pending states: those are kept beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// Sent, not yet acknowledged.
    PendingNew,
    /// At the venue.
    New,
    /// Partially filled.
    PartiallyFilled,
    /// Filled.
    Filled,
    /// Cancelled.
    Canceled,
    /// Refused by the venue.
    Rejected,
    /// Its time in force ended.
    Expired,
    /// Done for day.
    DoneForDay,
}

impl Status {
    /// Whether nothing of the order can rest at the venue any more.
    pub fn is_final(self) -> bool {
        !matches!(self, Status::PendingNew | Status::New | Status::PartiallyFilled)
    }
}

/// The scopes an order touches, by their places: firm, account, router, symbol, account×symbol, router×symbol and,
/// where it names one, its strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touched {
    /// Padded with the firm to a power of two, so that a place of three bits is always in it.
    list: [ScopeIx; 8],
}

impl Touched {
    /// The six that every order touches, and the strategy.
    pub fn new(six: [ScopeIx; 6], strategy: Option<ScopeIx>) -> Touched {
        let [firm, account, router, symbol, account_symbol, router_symbol] = six;
        let last = strategy.unwrap_or(ScopeIx::FIRM);
        Touched { list: [firm, account, router, symbol, account_symbol, router_symbol, last, ScopeIx::FIRM] }
    }

    /// No order's.
    pub const NONE: Touched = Touched { list: [ScopeIx::FIRM; 8] };

    /// The places of some among them.
    pub const FIRM: u8 = 0;
    /// See `FIRM`.
    pub const ACCOUNT: u8 = 1;
    /// See `FIRM`.
    pub const ROUTER: u8 = 2;
    /// See `FIRM`.
    pub const SYMBOL: u8 = 3;
    /// See `FIRM`.
    pub const STRATEGY: u8 = 6;

    /// The place of its pair with the symbol.
    pub const ROUTER_SYMBOL: u8 = 5;

    /// In the order in which a halt is looked for: the first of the most severe is the one that is named.
    #[inline]
    pub fn latch_order(&self) -> impl Iterator<Item = ScopeIx> + '_ {
        let [firm, account, router, symbol, account_symbol, router_symbol, strategy, _] = self.list;
        // Without a strategy its place holds the firm again, which changes nothing.
        [firm, router, account, strategy, symbol, account_symbol, router_symbol].into_iter()
    }

    /// The strategy, if the order names one.
    #[inline]
    pub fn strategy(&self) -> Option<ScopeIx> {
        (self.list[6] != ScopeIx::FIRM).then_some(self.list[6])
    }

    /// Those that are cells, of one instrument: symbol, account×symbol and router×symbol.
    #[inline]
    pub fn cells(&self) -> &[ScopeIx; 3] {
        let [_, _, _, cells @ .., _, _] = &self.list;
        cells
    }

    /// Those whose place is in a set of bits, in order.
    #[inline]
    pub fn among(&self, places: u8) -> impl Iterator<Item = ScopeIx> + '_ {
        self.places_among(places).map(|(_, ix)| ix)
    }

    /// The same, each with its place.
    #[inline]
    pub fn places_among(&self, mut places: u8) -> impl Iterator<Item = (usize, ScopeIx)> + '_ {
        core::iter::from_fn(move || {
            let place = (places != 0).then(|| places.trailing_zeros() as usize & 7)?;
            places &= places - 1;
            Some((place, self.list[place]))
        })
    }

    /// Those that are not of a pair: the firm, the account, the router and the symbol; the strategy is apart.
    #[inline(always)]
    pub fn of_one_name(&self) -> [ScopeIx; 4] {
        let [firm, account, router, symbol, ..] = self.list;
        [firm, account, router, symbol]
    }

    /// All of them.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = ScopeIx> + '_ {
        let len = if self.list[6] == ScopeIx::FIRM { 6 } else { 7 };
        self.list[..len].iter().copied()
    }

    /// All of them, each with whether it is a cell (of one instrument) or a total.
    #[inline]
    pub fn with_kind(&self) -> impl Iterator<Item = (ScopeIx, bool)> + '_ {
        self.iter().enumerate().map(|(n, ix)| (ix, (3..=5).contains(&n)))
    }

    /// The account.
    pub fn account(&self) -> ScopeIx {
        self.list[1]
    }

    /// The router.
    pub fn router(&self) -> ScopeIx {
        self.list[2]
    }

    /// The symbol.
    pub fn symbol(&self) -> ScopeIx {
        self.list[3]
    }

    /// The account×symbol cell.
    pub fn account_symbol(&self) -> ScopeIx {
        self.list[4]
    }

    /// The router×symbol cell.
    pub fn router_symbol(&self) -> ScopeIx {
        self.list[5]
    }
}

/// A replace that the venue has not answered yet.
#[derive(Clone, Copy, Debug)]
pub struct PendingReplace {
    /// The order's id once it is in force.
    pub cl_ord_id: ClOrdId,
    /// New total quantity.
    pub qty: Qty,
    /// New price.
    pub price: Option<Price>,
    /// The price its exposure is valued at.
    pub px_risk: Price,
    /// The price its exposure was valued at before.
    pub px_before: Price,
    /// The rate its exposure is valued at.
    pub fx_risk: Rate,
    /// The rate its exposure was valued at before; never higher.
    pub fx_before: Rate,
    /// The router's sequence number of the request.
    pub client_seq: u64,
}

/// No order, in the links of a router's list.
const NONE: u32 = u32::MAX;

/// No time at which a cancel was asked for.
const NEVER: Nanos = Nanos(i64::MIN);

const _: () = assert!(size_of::<Order>() == 256, "an order is four cache lines");

/// One order: four cache lines, ordered by who needs them. What few orders have is kept beside it (`OrderIds`,
/// `Orders::pending_replace`).
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub struct Order {
    // What every answer of the venue needs.
    /// Our id.
    pub id: OrderId,
    /// The scopes it counts in.
    pub touched: Touched,
    /// Instrument.
    pub symbol: SymbolId,
    /// Router.
    pub router: RouterId,
    /// Parent.
    pub parent: Option<ParentId>,
    /// Side.
    pub side: Side,
    /// Status.
    pub status: Status,
    /// It counts among the open orders of its scopes.
    pub counted: bool,
    /// It has been executed, if only by what was taken back since.
    pub executed: bool,
    /// Its fate at the venue is not known: the link was lost before an answer.
    pub unknown: bool,
    /// Its id or its terms are not those it was first sent with.
    changed: bool,
    /// Type.
    pub ord_type: OrdType,
    /// Lifetime.
    pub tif: TimeInForce,

    // What an execution or an end changes.
    /// Sum of last price times last quantity, for the average price; without multiplier.
    pub cum_px_qty: i128,
    /// Total quantity.
    pub qty: Qty,
    /// Filled.
    pub cum: Qty,
    /// What it reserves: quantity that could still fill, worst case.
    pub reserved: Qty,
    /// What its router has asked the venue for with it, less what the venue has said will not be filled: all of it while it
    /// is open, with a replace in flight the larger quantity; once it is final what was filled of it.
    pub asked: Qty,
    /// The price that quantity is valued at.
    pub px_risk: Price,
    /// The rate that value is converted at: that of the moment it was accepted, or a higher one of a replace.
    pub fx_risk: Rate,

    // What they read beside it.
    /// The rate its executions count at: that of the moment it was accepted, so that a bust takes back what was counted.
    pub fx: Rate,
    /// When it was accepted.
    pub accepted_at: Nanos,
    next_open: u32,
    prev_open: u32,
    /// Limit price.
    pub price: Option<Price>,
    /// See `cancel_requested`.
    cancel_at: Nanos,
    /// The router's sequence number of the order.
    pub client_seq: u64,
    /// The venue link's sequence number of the last order message sent for it.
    pub venue_client_seq: u64,

    // What is needed to tell of it.
    /// Flags as sent.
    pub flags: u64,
    /// Account.
    pub account: AccountId,
    /// The last reconciliation whose mass status showed it.
    pub seen_in: u32,
    /// Strategy.
    pub strategy: Option<StrategyId>,
    /// The router's id; changes when a replace takes effect.
    pub cl_ord_id: ClOrdId,
}

impl Order {
    /// What a page is touched with.
    fn blank() -> Order {
        let id = ClOrdId::from_number(0);
        Order {
            id: OrderId(0),
            cl_ord_id: id,
            client_seq: 0,
            venue_client_seq: 0,
            router: RouterId(0),
            account: AccountId(0),
            symbol: SymbolId(0),
            strategy: None,
            parent: None,
            side: Side::Buy,
            ord_type: OrdType::Limit,
            tif: TimeInForce::Day,
            qty: Qty::ZERO,
            price: None,
            cum: Qty::ZERO,
            executed: false,
            cum_px_qty: 0,
            status: Status::Rejected,
            unknown: false,
            seen_in: 0,
            changed: false,
            cancel_at: NEVER,
            reserved: Qty::ZERO,
            asked: Qty::ZERO,
            px_risk: Price(0),
            fx_risk: Rate::ONE,
            fx: Rate::ONE,
            counted: false,
            accepted_at: Nanos(0),
            flags: 0,
            touched: Touched::NONE,
            next_open: NONE,
            prev_open: NONE,
        }
    }

    /// A cancel is at the venue, or waits for its link: since when.
    #[inline]
    pub fn cancel_requested(&self) -> Option<Nanos> {
        (self.cancel_at != NEVER).then_some(self.cancel_at)
    }

    /// A cancel is asked for at this time, or not any more.
    #[inline]
    pub fn set_cancel_requested(&mut self, at: Option<Nanos>) {
        self.cancel_at = at.unwrap_or(NEVER);
    }

    /// FIX LeavesQty: what may still fill. Zero once final.
    pub fn leaves(&self) -> Qty {
        if self.status.is_final() { Qty::ZERO } else { Qty((self.qty.0 - self.cum.0).max(0)) }
    }

    /// Whether it can still fill.
    pub fn is_open(&self) -> bool {
        !self.status.is_final()
    }
}

/// What an accepted order is stored from.
pub struct Accepted<'a> {
    /// The order as sent.
    pub order: &'a NewOrder,
    /// Account, known.
    pub account: AccountId,
    /// Instrument, known.
    pub symbol: SymbolId,
    /// The scopes.
    pub touched: Touched,
    /// Risk price.
    pub px_risk: Price,
    /// Rate of the instrument's currency.
    pub fx: Rate,
    /// Hash of its id; no order has the id yet.
    pub id_hash: IdHash,
    /// Time.
    pub now: Nanos,
    /// Sequence on the venue link.
    pub venue_client_seq: u64,
}

/// All orders. Those of the day are in a table by the counter in their id; those that outlived a day roll are carried in a
/// map beside it.
pub struct Orders {
    epoch: u32,
    /// The counter of the first order of `day`.
    base: u64,
    day: Vec<Order>,
    carried: BTreeMap<OrderId, Order>,
    ids: OrderIds,
    pending_replaces: HashMap<OrderId, PendingReplace, Seeded>,
    /// Cancels that overtook their order on the cancel lane.
    tombstones: HashMap<(RouterId, ClOrdId), Nanos, Seeded>,
    open_lists: Vec<u32>,
    capacity: usize,
    open: u32,
}

/// Cancels that may wait for their orders at once, over all routers.
const MAX_TOMBSTONES: usize = 4_096;

impl Orders {
    /// Room for `capacity` orders a day.
    pub fn new(epoch: u32, capacity: usize, seed: Seeded) -> Orders {
        Orders {
            epoch,
            base: 1,
            day: Vec::with_capacity(capacity),
            carried: BTreeMap::new(),
            ids: OrderIds::new(capacity, seed),
            pending_replaces: HashMap::with_capacity_and_hasher(1_024, seed),
            tombstones: HashMap::with_hasher(seed),
            open_lists: Vec::new(),
            capacity,
            open: 0,
        }
    }

    /// A router's list of open orders begins empty.
    pub fn add_router(&mut self) {
        self.open_lists.push(NONE);
    }

    /// Writes to every page of the tables once, so that the operating system maps them now and not under the orders of the
    /// day: a first touch costs more than the decision. Before the first order only.
    pub fn touch_pages(&mut self) {
        if !self.day.is_empty() || !self.ids.is_empty() {
            return;
        }
        self.day.resize(self.capacity, Order::blank());
        self.day.clear();
        self.ids.touch_pages();
    }

    /// Whether one more order, or one more id, fits.
    pub fn has_room(&self) -> bool {
        self.day.len() < self.capacity && self.ids.len() < self.capacity
    }

    /// The order of this id.
    #[inline]
    pub fn get(&self, id: OrderId) -> Option<&Order> {
        match self.slot(id) {
            Some(slot) => self.day.get(slot),
            None => self.carried_order(id),
        }
    }

    /// The order that was accepted last.
    #[inline]
    pub fn newest(&self) -> Option<&Order> {
        self.day.last()
    }

    /// The order of this id, to change it.
    #[inline]
    pub fn get_mut(&mut self, id: OrderId) -> Option<&mut Order> {
        match self.slot(id) {
            Some(slot) => self.day.get_mut(slot),
            None => self.carried_order_mut(id),
        }
    }

    #[cold]
    fn carried_order(&self, id: OrderId) -> Option<&Order> {
        self.carried.get(&id)
    }

    #[cold]
    fn carried_order_mut(&mut self, id: OrderId) -> Option<&mut Order> {
        self.carried.get_mut(&id)
    }

    /// The place of an order of the day; those of another epoch are before it or beyond its end.
    #[inline(always)]
    fn slot(&self, id: OrderId) -> Option<usize> {
        let slot = id.0.wrapping_sub(OrderId::new(self.epoch, self.base).0) as usize;
        (slot < self.day.len()).then_some(slot)
    }

    /// The order a router knows by this id.
    #[inline]
    pub fn find(&self, router: RouterId, cl_ord_id: ClOrdId) -> Option<OrderId> {
        self.find_hashed(self.hash(router, &cl_ord_id), router, &cl_ord_id)
    }

    /// The hash of a router's id, for `find_hashed` and `Accepted`.
    #[inline]
    pub fn hash(&self, router: RouterId, cl_ord_id: &ClOrdId) -> IdHash {
        self.ids.hash(router, cl_ord_id)
    }

    /// `find`, with the hash of the id.
    #[inline]
    pub fn find_hashed(&self, hash: IdHash, router: RouterId, cl_ord_id: &ClOrdId) -> Option<OrderId> {
        match self.ids.find(hash, router, cl_ord_id, &self.day)? {
            Owner::Slot(slot) => self.day.get(slot).map(|order| order.id),
            Owner::Other(other) => Some(other.order),
        }
    }

    /// Whether an order that is known by the id of this one was first sent under it, and with the same terms.
    pub fn was_sent_as(&self, known: &Order, order: &NewOrder) -> bool {
        let terms = Terms::sent(order);
        if !known.changed {
            return known.cl_ord_id == order.cl_ord_id && Terms::now(known) == terms;
        }
        self.first_terms(known.id, order.router, &order.cl_ord_id) == Some(terms.hash())
    }

    /// The hash of the terms with which an order was first sent under this id, if it was and has other ones now.
    fn first_terms(&self, id: OrderId, router: RouterId, cl_ord_id: &ClOrdId) -> Option<u64> {
        match self.ids.find(self.hash(router, cl_ord_id), router, cl_ord_id, &self.day)? {
            Owner::Other(other) if other.order == id => other.first_terms,
            _ => None,
        }
    }

    /// The id the next order gets.
    pub fn next_id(&self) -> OrderId {
        OrderId::new(self.epoch, self.base + self.day.len() as u64)
    }

    /// Stores an accepted order. The caller has asked `has_room`.
    #[inline]
    pub fn add(&mut self, accepted: &Accepted<'_>) -> OrderId {
        let id = self.next_id();
        let order = accepted.order;
        self.ids.insert_new(accepted.id_hash, self.day.len());
        self.day.push(Order {
            id,
            cl_ord_id: order.cl_ord_id,
            client_seq: order.client_seq,
            venue_client_seq: accepted.venue_client_seq,
            router: order.router,
            account: accepted.account,
            symbol: accepted.symbol,
            strategy: order.strategy.known(),
            parent: order.parent.known(),
            side: order.side,
            ord_type: order.ord_type,
            tif: order.tif,
            qty: order.qty,
            price: order.price,
            cum: Qty::ZERO,
            executed: false,
            cum_px_qty: 0,
            status: Status::PendingNew,
            unknown: false,
            seen_in: 0,
            changed: false,
            cancel_at: NEVER,
            reserved: Qty(order.qty.0.max(0)),
            asked: Qty(order.qty.0.max(0)),
            counted: true,
            px_risk: accepted.px_risk,
            fx_risk: accepted.fx,
            fx: accepted.fx,
            accepted_at: accepted.now,
            flags: order.flags,
            touched: accepted.touched,
            next_open: NONE,
            prev_open: NONE,
        });
        self.link(self.day.len() - 1);
        id
    }

    fn link(&mut self, slot: usize) {
        self.open += 1;
        let head = &mut self.open_lists[self.day[slot].router.index()];
        let next = core::mem::replace(head, slot as u32);
        self.day[slot].next_open = next;
        if next != NONE {
            self.day[next as usize].prev_open = slot as u32;
        }
    }

    /// Takes a final order off its router's list of open orders.
    pub fn close(&mut self, id: OrderId) {
        self.open = self.open.saturating_sub(1);
        self.end_replace(id);
        let Some(slot) = self.slot(id).filter(|slot| *slot < self.day.len()) else { return };
        let Order { router, next_open, prev_open, .. } = self.day[slot];
        if prev_open == NONE {
            self.open_lists[router.index()] = next_open;
        } else {
            self.day[prev_open as usize].next_open = next_open;
        }
        if next_open != NONE {
            self.day[next_open as usize].prev_open = prev_open;
        }
        let order = &mut self.day[slot];
        (order.next_open, order.prev_open) = (NONE, NONE);
    }

    /// A router's open orders, newest first; those carried over a day roll last.
    pub fn open_of(&self, router: RouterId) -> impl Iterator<Item = &Order> + '_ {
        let mut at = self.open_lists.get(router.index()).copied().unwrap_or(NONE);
        let of_day = core::iter::from_fn(move || {
            let order = self.day.get(at as usize)?;
            at = order.next_open;
            Some(order)
        });
        of_day.chain(self.carried.values().filter(move |order| order.router == router && order.is_open()))
    }

    /// All orders there are, carried ones last.
    pub fn iter(&self) -> impl Iterator<Item = &Order> + '_ {
        self.day.iter().chain(self.carried.values())
    }

    /// The orders of the day, newest first, then the carried ones.
    pub fn newest_first(&self) -> impl Iterator<Item = &Order> + '_ {
        self.day.iter().rev().chain(self.carried.values())
    }

    /// Whether an id was given by an earlier epoch of this gateway, whose orders are not here.
    pub fn is_of_earlier_run(&self, id: OrderId) -> bool {
        id.0 >> OrderId::COUNTER_BITS < u64::from(self.epoch)
    }

    /// Whether an order was open when the day began.
    pub fn is_carried(&self, id: OrderId) -> bool {
        self.carried.contains_key(&id)
    }

    /// How many orders are open.
    pub fn open(&self) -> u32 {
        self.open
    }

    /// The replace that is pending for an order.
    pub fn pending_replace(&self, id: OrderId) -> Option<&PendingReplace> {
        // Hashing costs more than all else here, and replaces are rare.
        if self.pending_replaces.is_empty() { None } else { self.pending_replaces.get(&id) }
    }

    /// Notes a replace sent to the venue, and takes its id.
    pub fn begin_replace(&mut self, id: OrderId, router: RouterId, pending: PendingReplace) {
        self.ids.keep(OtherId { router, cl_ord_id: pending.cl_ord_id, order: id, first_terms: None }, &self.day);
        self.pending_replaces.insert(id, pending);
    }

    /// The pending replace is answered.
    pub fn end_replace(&mut self, id: OrderId) -> Option<PendingReplace> {
        if self.pending_replaces.is_empty() { None } else { self.pending_replaces.remove(&id) }
    }

    /// A replace is in force: the order has other terms, and a new id besides those it had.
    pub fn put_in_force(&mut self, id: OrderId, pending: &PendingReplace) -> Option<()> {
        let order = self.get(id)?;
        let (router, before) = (order.router, order.cl_ord_id);
        let first_terms = (!order.changed).then(|| Terms::now(order).hash());
        self.ids.keep(OtherId { router, cl_ord_id: before, order: id, first_terms }, &self.day);
        self.ids.keep(OtherId { router, cl_ord_id: pending.cl_ord_id, order: id, first_terms: None }, &self.day);
        let order = self.get_mut(id)?;
        order.changed = true;
        (order.cl_ord_id, order.qty, order.price) = (pending.cl_ord_id, pending.qty, pending.price);
        Some(())
    }

    /// A cancel overtook its order. When too many wait, the newest is forgotten: its order will pass and the router's
    /// cancel was answered "unknown order", as it would be without the lane.
    pub fn bury(&mut self, router: RouterId, cl_ord_id: ClOrdId, now: Nanos) {
        if self.tombstones.len() < MAX_TOMBSTONES {
            self.tombstones.insert((router, cl_ord_id), now);
        }
    }

    /// Whether a cancel waits for this order.
    pub fn is_buried(&self, router: RouterId, cl_ord_id: ClOrdId) -> bool {
        !self.tombstones.is_empty() && self.tombstones.contains_key(&(router, cl_ord_id))
    }

    /// The order came and was refused.
    pub fn unbury(&mut self, router: RouterId, cl_ord_id: ClOrdId) {
        self.tombstones.remove(&(router, cl_ord_id));
    }

    /// Forgets cancels that have waited longer than `age`.
    pub fn expire_tombstones(&mut self, now: Nanos, age: Nanos) {
        self.tombstones.retain(|_, at| now.since(*at) < age);
    }

    /// Ends the day: final orders are forgotten, open ones carried, ids free again unless their order is open.
    pub fn day_roll(&mut self) {
        let ids = self.ids_of_open();
        self.base += self.day.len() as u64;
        self.carried.retain(|_, order| order.is_open());
        for mut order in self.day.drain(..).filter(Order::is_open) {
            order.changed = true;
            order.parent = None;
            self.carried.insert(order.id, order);
        }
        self.ids.begin_with(ids);
        self.tombstones.clear();
        self.open_lists.fill(NONE);
    }

    /// The ids that open orders have, and those of replaces that may still come into force.
    fn ids_of_open(&self) -> Vec<OtherId> {
        let mut ids = Vec::new();
        for order in self.iter().filter(|order| order.is_open()) {
            let (router, cl_ord_id) = (order.router, order.cl_ord_id);
            let first_terms = if order.changed {
                self.first_terms(order.id, router, &cl_ord_id)
            } else {
                Some(Terms::now(order).hash())
            };
            let id = OtherId { router, cl_ord_id, order: order.id, first_terms };
            ids.push(id);
            if let Some(pending) = self.pending_replaces.get(&order.id) {
                ids.push(OtherId { cl_ord_id: pending.cl_ord_id, first_terms: None, ..id });
            }
        }
        ids
    }
}
