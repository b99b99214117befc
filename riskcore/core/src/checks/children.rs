//! K3: children per parent - a parent needs only so many orders. Source: SEC 34-70694 (Power Peg sent children for each
//! parent without end, because nothing told it that they had filled); rules.md K3.
//!
//! K1 bounds what the children may fill. It does not bound how many of them are sent, cancelled and sent again: each of them
//! is an order that may trade, and a router that needs thousands for one client order has lost its way. What a parent needs
//! is `ceil(quantity / min_child_qty)` orders; `max_children_factor` times as many are allowed.
//!
//! Counted are orders that were accepted, not replaces, and nothing is given back when one ends. At the firm, an account, a
//! symbol and their pair all children of the parent count; at a router and its pair the router's own, so that a halt meets
//! the one that sent too many and not the one that came after it. Those are counted while the limit is set there.

use core::hash::Hasher;

use super::{Check, Measure, Verdict, id};
use crate::candidate::Candidate;
use crate::events::NewOrder;
use crate::hash::FoldHasher;
use crate::ids::{ParentId, Ref};
use crate::limits::{Action, Judges, LimitDef, ScopeLimits, kinds};
use crate::orders::Touched;
use crate::outcome::Unit;
use crate::parents::Parent;
use crate::per_parent::PerParent;
use crate::reasons::{ALGORITHM_RISK_THRESHOLD, Reason, reasons};
use crate::scopes::{ScopeIx, ScopeKind};
use crate::state::State;
use crate::units::widening_mul;

reasons! { REASONS:
    TOO_MANY_CHILDREN = 242, ALGORITHM_RISK_THRESHOLD,
        "More orders have been sent for this parent than its quantity can need.";
}

const AT: u8 = kinds(&[
    ScopeKind::Firm,
    ScopeKind::Account,
    ScopeKind::Router,
    ScopeKind::Symbol,
    ScopeKind::AccountSymbol,
    ScopeKind::RouterSymbol,
]);

/// How many times as many as needed.
pub static MAX_CHILDREN_FACTOR: LimitDef = LimitDef {
    code: 101,
    name: "max_children_factor",
    unit: Unit::Count,
    settable_at: AT,
    required_at: 0,
    min: 1,
    judges: Judges::Orders,
    action: Action::Reject,
    doc: "Orders for one parent: at most this many times its quantity / `min_child_qty`, rounded up. At a router and its \
          pair with a symbol its own orders count, elsewhere all.",
};

/// The smallest order that a parent is cut into.
pub static MIN_CHILD_QTY: LimitDef = LimitDef {
    code: 102,
    name: "min_child_qty",
    unit: Unit::Quantity,
    settable_at: AT,
    required_at: 0,
    min: 1,
    judges: Judges::Nothing,
    action: Action::Reject,
    doc: "What `max_children_factor` at the same scope takes for the smallest useful order; the instrument's lot if not set.",
};

/// Per router, or router and symbol, and parent: orders sent.
#[derive(Default)]
pub struct Children {
    sent: PerParent<u32>,
}

impl Children {
    #[inline(always)]
    fn count(&mut self, ix: ScopeIx, parent: ParentId) {
        let sent = self.sent.entry(ix, parent);
        *sent = sent.saturating_add(1);
    }

    /// The parent's orders that count at a scope.
    fn sent(&self, ix: ScopeIx, candidate: &Candidate, parent: &Parent) -> u32 {
        match candidate.parent.known() {
            Some(id) if is_routers(ix, candidate) => self.sent.get(ix, id).copied().unwrap_or(0),
            _ => parent.children,
        }
    }
}

impl Check for Children {
    const REASONS: &'static [Reason] = REASONS;

    fn limits_changed(&mut self, _ix: ScopeIx, limits: &ScopeLimits) {
        if limits.get(id::MAX_CHILDREN_FACTOR).is_some() {
            self.sent.reserve();
        }
    }

    fn ahead(&self, order: &NewOrder, touched: &Touched) -> u64 {
        let sent = order.parent.known().and_then(|parent| self.sent.get(touched.router(), parent));
        sent.map_or(0, |sent| u64::from(*sent))
    }

    /// A parent with so few orders that they are within the tightest bound, taken for the largest child, is within all.
    #[inline(always)]
    fn check(&self, candidate: &Candidate, state: &State) -> Verdict {
        let bounds = &candidate.bounds;
        if bounds.places(id::MAX_CHILDREN_FACTOR) == 0 {
            return Ok(());
        }
        if let Some(parent) = candidate.parent.known().and_then(|parent| state.parents.get(parent)) {
            // A router has never sent more of them than all routers together.
            let (orders, factor) = (i64::from(parent.children) + 1, bounds.children_factor);
            let smallest = bounds.smallest_child.max(lot(candidate, state)).max(1);
            // `qty / smallest`, rounded down, is no less than `(qty - smallest + 1) / smallest`: no division.
            let whole = parent.qty.0.saturating_sub(smallest - 1);
            if orders <= factor || widening_mul(orders, smallest) <= widening_mul(factor, whole) {
                return Ok(());
            }
        }
        self.check_each(candidate, state)
    }

    #[inline(always)]
    fn measure(&self, candidate: &Candidate, state: &State, see: &mut impl FnMut(Measure) -> bool) {
        let limit = id::MAX_CHILDREN_FACTOR;
        let places = candidate.bounds.places(limit);
        if places == 0 || candidate.replaces.is_some() {
            return;
        }
        // What names no parent, or an unknown one, is K1's affair.
        let Ref::Known(parent) = candidate.parent else { return };
        let Some(parent) = state.parents.get(parent) else { return };
        for ix in candidate.touched.among(places) {
            let bound = allowed(ix, candidate, parent, state);
            let value = i128::from(self.sent(ix, candidate, parent)) + 1;
            if !see(Measure { ix, limit, bound, value, reason: &TOO_MANY_CHILDREN }) {
                return;
            }
        }
    }

    #[inline(always)]
    fn reserve(&mut self, candidate: &Candidate, state: &State) {
        let (bounds, touched) = (&candidate.bounds, &candidate.touched);
        let places = bounds.places(id::MAX_CHILDREN_FACTOR);
        if places == 0 {
            return;
        }
        let (Ref::Known(parent), None) = (candidate.parent, candidate.replaces) else { return };
        // What was passed over for once counts even so.
        let set = |place: u8, ix: ScopeIx| {
            places >> place & 1 == 1 || bounds.waived && state.limits.at(ix).get(id::MAX_CHILDREN_FACTOR).is_some()
        };
        if set(Touched::ROUTER, touched.router()) {
            self.count(touched.router(), parent);
        }
        if set(Touched::ROUTER_SYMBOL, touched.router_symbol()) {
            self.count(touched.router_symbol(), parent);
        }
    }

    fn day_roll(&mut self) {
        self.sent.clear();
    }

    fn digest(&self, hasher: &mut FoldHasher) {
        self.sent.iter().for_each(|n| hasher.write_u32(*n));
    }
}

/// Whether a scope belongs to the order's router alone.
fn is_routers(ix: ScopeIx, candidate: &Candidate) -> bool {
    ix == candidate.touched.router() || ix == candidate.touched.router_symbol()
}

fn lot(candidate: &Candidate, state: &State) -> i64 {
    state.instruments[candidate.symbol.index()].map_or(1, |instrument| instrument.lot.0)
}

/// How many orders the parent may have.
fn allowed(ix: ScopeIx, candidate: &Candidate, parent: &Parent, state: &State) -> i128 {
    let limits = state.limits.at(ix);
    let smallest = limits.get(id::MIN_CHILD_QTY).unwrap_or_else(|| lot(candidate, state).into()).max(1);
    let qty = i128::from(parent.qty.0);
    let needed = qty / smallest + i128::from(qty % smallest != 0);
    needed.saturating_mul(limits.value(id::MAX_CHILDREN_FACTOR))
}
