//! K2: shares leaving against shares entering, per trading day; at a router, or where the OMS says they go. Source: SEC 34-70694 ¶21 (no control compared the
//! orders leaving SMARS with those that had entered it); rules.md K2.
//!
//! *Leaving* is what the router's orders ask for: all of it while an order is open - with a replace in flight the larger of
//! the two quantities - and what was filled once it is final. So what is cancelled, refused or expires is given back on the
//! venue's word, as is a bust; what the venue fills beyond an order's quantity is the venue's doing and not counted here.
//!
//! *Entering a router*: the OMS does not say which router works a parent, so a parent enters a router with the first order
//! that the router sends for it; once, and in full, because the rest of it may follow. A parent that two routers work enters
//! both: how the two share it is what K1 bounds, exactly and per parent. K2 is the coarse line behind it that needs no trust
//! in any single parent's count: whatever a router believes, it cannot send more than all that it works, plus a tolerance. A
//! parent's quantity is that of the router's latest order for it, so an amendment counts from the next order on.
//!
//! *Entering the firm, an account, a symbol or their pair*: there the OMS does say. A parent enters when it is registered,
//! with what it is amended to, whoever works it and whether or not an order ever names it. Set at account_symbol this holds
//! even where orders name no parent at all: what leaves an account in an instrument is held against what its clients
//! ordered in it.
//!
//! *Orders without a parent* (accounts that need none) leave and never enter. A router that sends any needs
//! `unparented_allowance_qty`, the quantity a day it may send so; only what is beyond it counts, and it covers nothing else.
//! Without an allowance the first such order trips: children that have lost their parents are how Knight's went out. So it is
//! with an account that trades for itself.
//!
//! Quantities of different instruments add up at a router; at the pair with a symbol each stands for itself. What leaves is
//! counted from the moment the limit is set, or the day begins: orders from before neither leave nor give back.

use alloc::vec::Vec;
use core::hash::Hasher;
use hashbrown::HashMap;

use super::{Check, Measure, id};
use crate::candidate::Candidate;
use crate::events::NewOrder;
use crate::hash::{FoldHasher, Seeded};
use crate::ids::{AccountId, OrderId, ParentId, SymbolId};
use crate::headroom::Lane;
use crate::limits::{Action, Judges, LimitDef, LimitId, ScopeLimits, kinds};
use crate::orders::{Order, Status, Touched};
use crate::outcome::Unit;
use crate::per_parent::PerParent;
use crate::per_scope::PerScope;
use crate::reasons::{ALGORITHM_RISK_THRESHOLD, Reason, reasons};
use crate::parents::Parent;
use crate::scopes::{Scope, ScopeIx, ScopeKind};
use crate::state::State;
use crate::units::{of_whole_bps, part_of_bps};

reasons! { REASONS:
    LEAVING_LIMIT = 247, ALGORITHM_RISK_THRESHOLD,
        "More would leave than the parents amount to, tolerance included.";
}

const AT: u8 = kinds(&[
    ScopeKind::Firm,
    ScopeKind::Account,
    ScopeKind::Router,
    ScopeKind::Symbol,
    ScopeKind::AccountSymbol,
    ScopeKind::RouterSymbol,
]);

/// The tolerance.
pub static MAX_EXCESS_LEAVING_BPS: LimitDef = LimitDef {
    code: 107,
    name: "max_excess_leaving_bps",
    unit: Unit::Bps,
    settable_at: AT,
    required_at: 0,
    min: 0,
    judges: Judges::Orders,
    action: Action::Halt,
    doc: "Quantity that leaves today beyond that of the parents, as a part of theirs: at a router and its pair with a symbol \
          of the parents it works, elsewhere of those that the OMS has registered.",
};

/// What may leave without a parent.
pub static UNPARENTED_ALLOWANCE_QTY: LimitDef = LimitDef {
    code: 108,
    name: "unparented_allowance_qty",
    unit: Unit::Quantity,
    settable_at: AT,
    required_at: 0,
    min: 0,
    judges: Judges::Nothing,
    action: Action::Reject,
    doc: "Quantity a day that may leave without a parent before it counts for `max_excess_leaving_bps`; 0 if not set.",
};

/// No order: later than all.
const NEVER: OrderId = OrderId(u64::MAX);

/// What has left and entered at one scope.
#[derive(Clone, Copy)]
struct Flow {
    /// The first order that counts.
    since: OrderId,
    /// Left, for a parent.
    parented: i128,
    /// Left without one.
    bare: i128,
    /// Entered a router; elsewhere what the OMS registered stands in its place.
    entered: i128,
}

impl Default for Flow {
    fn default() -> Flow {
        Flow { since: NEVER, parented: 0, bare: 0, entered: 0 }
    }
}

impl Flow {
    /// What left beyond what entered, in parts of it. Anything is too much of nothing.
    fn excess(&self, allowance: i128) -> i128 {
        of_whole_bps(self.left(allowance) - self.entered, self.entered)
    }

    /// Sums of at most 2^40 orders of less than 2^63 each.
    fn left(&self, allowance: i128) -> i128 {
        self.parented + (self.bare - allowance).max(0)
    }
}

/// A parent's quantity as it has entered a scope.
#[derive(Clone, Copy)]
struct Entered {
    qty: i64,
    /// The flow it entered; a limit that was removed and set again begins another.
    since: OrderId,
}

impl Default for Entered {
    fn default() -> Entered {
        Entered { qty: 0, since: NEVER }
    }
}

/// What the OMS registered today; no part of the state hash, because the parents themselves are.
#[derive(Default)]
struct Registered {
    firm: i128,
    accounts: Vec<i128>,
    symbols: Vec<i128>,
    pairs: HashMap<(AccountId, SymbolId), i128, Seeded>,
}

impl Registered {
    /// Sums of at most 2^32 parents of less than 2^63 each.
    fn add(&mut self, account: AccountId, symbol: SymbolId, change: i128) {
        self.firm += change;
        for (sums, at) in [(&mut self.accounts, account.index()), (&mut self.symbols, symbol.index())] {
            if sums.len() <= at {
                sums.resize(at + 1, 0);
            }
            sums[at] += change;
        }
        *self.pairs.entry((account, symbol)).or_default() += change;
    }

    /// `None` where parents enter with a router's orders, or not at all.
    fn at(&self, scope: Scope) -> Option<i128> {
        Some(match scope {
            Scope::Firm => self.firm,
            Scope::Account(account) => self.accounts.get(account.index()).copied().unwrap_or(0),
            Scope::Symbol(symbol) => self.symbols.get(symbol.index()).copied().unwrap_or(0),
            Scope::AccountSymbol(account, symbol) => self.pairs.get(&(account, symbol)).copied().unwrap_or(0),
            Scope::Router(_) | Scope::RouterSymbol(..) | Scope::Strategy(_) => return None,
        })
    }
}

/// Per scope where the limit is set.
#[derive(Default)]
pub struct Leaving {
    flows: PerScope<Flow>,
    entered: PerParent<Entered>,
    registered: Registered,
    /// A parent was reduced today: it may yet enter a router with less than it entered with before.
    reduced: bool,
}

impl Leaving {
    /// What has left a scope and entered it since its limit was set, or the day began.
    pub fn quantities(&self, ix: ScopeIx, state: &State) -> Option<(i128, i128)> {
        self.flow(ix, state).map(|flow| (flow.parented + flow.bare, flow.entered))
    }

    /// The flow of a scope, with what has entered it.
    fn flow(&self, ix: ScopeIx, state: &State) -> Option<Flow> {
        let flow = *self.flows.get(ix)?;
        Some(Flow { entered: self.registered.at(state.scopes.at(ix)).unwrap_or(flow.entered), ..flow })
    }

    /// What has yet to enter a router for a parent: all of it at first, later what it was amended by.
    fn entering(&self, ix: ScopeIx, flow: &Flow, parent: ParentId, state: &State) -> i64 {
        let qty = state.parents.get(parent).map_or(0, |parent| parent.qty.0);
        let entered = self.entered.get(ix, parent).filter(|entered| entered.since == flow.since && flow.since != NEVER);
        qty - entered.map_or(0, |entered| entered.qty)
    }

    /// The parent of an order enters its router, and the pair of that with the instrument.
    #[inline(always)]
    fn enter_both(&mut self, parent: ParentId, order: &Order, state: &State) {
        let qty = state.parents.get(parent).map_or(0, |parent| parent.qty.0);
        self.enter(order.touched.router(), parent, qty, order);
        self.enter(order.touched.router_symbol(), parent, qty, order);
    }

    /// The parent of an order enters a scope of its router, with its quantity as it is now.
    #[inline(always)]
    fn enter(&mut self, ix: ScopeIx, parent: ParentId, qty: i64, order: &Order) {
        let Some(flow) = self.flows.get_mut(ix) else { return };
        if order.id < flow.since {
            return;
        }
        let entered = self.entered.entry(ix, parent);
        let before = if entered.since == flow.since { entered.qty } else { 0 };
        flow.entered += i128::from(qty - before);
        *entered = Entered { qty, since: flow.since };
    }
}

impl Check for Leaving {
    const REASONS: &'static [Reason] = REASONS;

    fn grows(limit: LimitId) -> Option<Lane> {
        (limit == id::MAX_EXCESS_LEAVING_BPS).then_some(Lane::Qty)
    }

    /// Quantity that may leave before anything more has entered.
    fn room(&self, measure: &Measure, state: &State) -> i128 {
        let Some(flow) = self.flow(measure.ix, state) else { return 0 };
        let left = flow.left(allowance(state.limits.at(measure.ix)));
        flow.entered.saturating_add(part_of_bps(measure.bound, flow.entered)).saturating_sub(left)
    }

    /// Nothing else shrinks what has entered.
    #[inline(always)]
    fn asks(&self, _candidate: &Candidate, _state: &State) -> bool {
        self.reduced
    }

    fn limits_changed(&mut self, ix: ScopeIx, limits: &ScopeLimits) {
        if limits.get(id::MAX_EXCESS_LEAVING_BPS).is_none() {
            return self.flows.remove(ix);
        }
        self.flows.add(ix);
        self.entered.reserve();
    }

    fn ahead(&self, order: &NewOrder, touched: &Touched) -> u64 {
        let entered = order.parent.known().and_then(|parent| self.entered.get(touched.router(), parent));
        let flows = touched.cells().iter().filter_map(|cell| self.flows.get(*cell));
        flows.fold(entered.map_or(0, |entered| entered.qty as u64), |words, flow| words ^ flow.parented as u64)
    }

    #[inline(always)]
    fn measure(&self, candidate: &Candidate, state: &State, see: &mut impl FnMut(Measure) -> bool) {
        let limit = id::MAX_EXCESS_LEAVING_BPS;
        let places = candidate.bounds.places(limit);
        if places == 0 {
            return;
        }
        let asked = asked(candidate, state);
        if asked <= 0 {
            return;
        }
        for ix in candidate.touched.among(places) {
            let Some(mut flow) = self.flow(ix, state) else { continue };
            match candidate.parent.known() {
                Some(parent) => {
                    if is_routers(state.scopes.at(ix)) {
                        flow.entered += i128::from(self.entering(ix, &flow, parent, state));
                    }
                    flow.parented += asked;
                }
                None => flow.bare += asked,
            }
            let limits = state.limits.at(ix);
            let (bound, value) = (limits.value(limit), flow.excess(allowance(limits)));
            if !see(Measure { ix, limit, bound, value, reason: &LEAVING_LIMIT }) {
                return;
            }
        }
    }

    #[inline(always)]
    fn placed(&mut self, order: &Order, state: &State) {
        if self.flows.is_empty() {
            return;
        }
        let (qty, parent) = (i128::from(order.asked.0), order.parent);
        let ([firm, account, router, symbol], [_, account_symbol, router_symbol]) =
            (order.touched.of_one_name(), *order.touched.cells());
        self.flows.each_mut([firm, account, router, symbol, account_symbol, router_symbol], |flow| {
            // A flow begins with the first order after its limit was set, and every later one counts.
            if flow.since == NEVER {
                flow.since = order.id;
            }
            *(if parent.is_some() { &mut flow.parented } else { &mut flow.bare }) += qty;
        });
        if let Some(parent) = parent.filter(|_| order.asked.0 > 0) {
            self.enter_both(parent, order, state);
        }
    }

    #[inline]
    fn asked(&mut self, order: &Order, change: i64, state: &State) {
        let since = if is_new(order, change) { order.id } else { NEVER };
        for ix in order.touched.iter() {
            let Some(flow) = self.flows.get_mut(ix) else { continue };
            if flow.since == NEVER {
                flow.since = since;
            }
            if order.id < flow.since {
                continue;
            }
            let sum = if order.parent.is_some() { &mut flow.parented } else { &mut flow.bare };
            *sum += i128::from(change);
        }
        if change > 0
            && let Some(parent) = order.parent
        {
            self.enter_both(parent, order, state);
        }
    }

    fn registered(&mut self, parent: &Parent, change: i64) {
        self.reduced |= change < 0;
        self.registered.add(parent.account, parent.symbol, change.into());
    }

    fn used(&self, limit: LimitId, ix: ScopeIx, state: &State) -> Option<i128> {
        let flow = self.flow(ix, state).filter(|_| limit == id::MAX_EXCESS_LEAVING_BPS)?;
        Some(flow.excess(allowance(state.limits.at(ix))))
    }

    fn day_roll(&mut self) {
        self.flows.reset();
        self.entered.clear();
        self.registered = Registered::default();
        self.reduced = false;
    }

    fn digest(&self, hasher: &mut FoldHasher) {
        for flow in self.flows.iter() {
            hasher.write_u64(if flow.since == NEVER { 0 } else { flow.since.0 });
            [flow.parented, flow.bare, flow.entered].into_iter().for_each(|sum| hasher.write_u64(sum as u64));
        }
        for entered in self.entered.iter() {
            hasher.write_u64(entered.qty as u64);
        }
    }
}

/// Whether a scope is a router's: parents enter it with its orders.
fn is_routers(scope: Scope) -> bool {
    matches!(scope, Scope::Router(_) | Scope::RouterSymbol(..))
}

fn allowance(limits: &ScopeLimits) -> i128 {
    limits.get(id::UNPARENTED_ALLOWANCE_QTY).unwrap_or(0)
}

/// What a candidate asks for beyond what its router has asked for before.
fn asked(candidate: &Candidate, state: &State) -> i128 {
    let before = candidate.replaces.and_then(|id| state.orders.get(id)).map_or(0, |order| order.qty.0);
    i128::from(candidate.qty.0) - i128::from(before)
}

/// Whether an order has just been accepted: all that it asks for is new.
fn is_new(order: &Order, change: i64) -> bool {
    order.status == Status::PendingNew && change == order.asked.0
}
