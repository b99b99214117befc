//! X2: what may be open at once - orders, their quantity, their notional. Source: Rule 15c3-5(c)(1)(i); RTS 6
//! Art. 15(2); rules.md X2.
//!
//! Open is what is accepted and not final, so an order counts from before it leaves until the venue has said that it can fill
//! no more. Buys and sells add up. A quantity is a number of one instrument: only cells bound it. A replace is no further
//! order and is measured by what it adds; one that adds nothing passes, as does every cancel, also where a lowered limit
//! holds the scope over.

use super::{Check, Measure, id};
use crate::books::Book;
use crate::candidate::Candidate;
use crate::headroom::Lane;
use crate::limits::{Action, Judges, LimitDef, LimitId, kinds};
use crate::outcome::Unit;
use crate::reasons::Reason;
use crate::scopes::{ScopeIx, ScopeKind};
use crate::state::State;
use crate::units::saturating_sum;

/// The reasons, which have the limits' names.
pub mod reason {
    use crate::reasons::reasons;

    reasons! { REASONS:
        MAX_OPEN_ORDERS = 243, 3, "As many orders are open as may be; wait for one to end, or cancel one.";
        MAX_OPEN_QTY = 244, 3, "With what is open, the order would exceed the quantity that may be open.";
        MAX_OPEN_NOTIONAL = 245, 3, "With what is open, the order would exceed the notional that may be open.";
    }
}

/// The most open orders.
pub static MAX_OPEN_ORDERS: LimitDef = LimitDef {
    code: 103,
    name: "max_open_orders",
    unit: Unit::Count,
    settable_at: kinds(&ScopeKind::ALL),
    required_at: 0,
    min: 0,
    judges: Judges::Orders,
    action: Action::Reject,
    doc: "Orders that are open at once.",
};

/// The largest open quantity.
pub static MAX_OPEN_QTY: LimitDef = LimitDef {
    code: 104,
    name: "max_open_qty",
    unit: Unit::Quantity,
    settable_at: kinds(&[ScopeKind::Symbol, ScopeKind::AccountSymbol, ScopeKind::RouterSymbol]),
    required_at: 0,
    min: 0,
    judges: Judges::Orders,
    action: Action::Reject,
    doc: "Open buys plus open sells.",
};

/// The largest open notional.
pub static MAX_OPEN_NOTIONAL: LimitDef = LimitDef {
    code: 105,
    name: "max_open_notional",
    unit: Unit::Money,
    settable_at: kinds(&ScopeKind::ALL),
    required_at: 0,
    min: 0,
    judges: Judges::Orders,
    action: Action::Reject,
    doc: "Open buys plus open sells, at their risk prices.",
};

/// See the module.
#[derive(Default)]
pub struct OpenOrders;

impl Check for OpenOrders {
    const REASONS: &'static [Reason] = reason::REASONS;

    fn grows(limit: LimitId) -> Option<Lane> {
        match limit {
            id::MAX_OPEN_ORDERS => Some(Lane::Orders),
            id::MAX_OPEN_QTY => Some(Lane::Qty),
            id::MAX_OPEN_NOTIONAL => Some(Lane::Notional),
            _ => None,
        }
    }

    #[inline(always)]
    fn asks(&self, _candidate: &Candidate, _state: &State) -> bool {
        false
    }

    #[inline(always)]
    fn measure(&self, candidate: &Candidate, state: &State, see: &mut impl FnMut(Measure) -> bool) {
        let orders = if candidate.replaces.is_none() { candidate.bounds.places(id::MAX_OPEN_ORDERS) } else { 0 };
        let qty = if candidate.added > 0 { candidate.bounds.places(id::MAX_OPEN_QTY) } else { 0 };
        let notional = if candidate.added_notional > 0 { candidate.bounds.places(id::MAX_OPEN_NOTIONAL) } else { 0 };
        for (place, ix) in candidate.touched.places_among(orders | qty | notional) {
            let (limits, book) = (state.limits.at(ix), &state.books[ix.at()]);
            let held = [
                (orders, id::MAX_OPEN_ORDERS, &reason::MAX_OPEN_ORDERS, 1),
                (qty, id::MAX_OPEN_QTY, &reason::MAX_OPEN_QTY, i128::from(candidate.added)),
                (notional, id::MAX_OPEN_NOTIONAL, &reason::MAX_OPEN_NOTIONAL, candidate.added_notional),
            ];
            for (places, limit, reason, added) in held {
                if places >> place & 1 == 0 {
                    continue;
                }
                let (bound, value) = (limits.value(limit), saturating_sum(open(book, limit), added));
                if !see(Measure { ix, limit, bound, value, reason }) {
                    return;
                }
            }
        }
    }

    fn used(&self, limit: LimitId, ix: ScopeIx, state: &State) -> Option<i128> {
        let mine = matches!(limit, id::MAX_OPEN_ORDERS | id::MAX_OPEN_QTY | id::MAX_OPEN_NOTIONAL);
        mine.then(|| open(&state.books[ix.at()], limit))
    }
}

/// What is open, in the unit of a limit.
fn open(book: &Book, limit: LimitId) -> i128 {
    match limit {
        id::MAX_OPEN_ORDERS => book.open_orders.into(),
        id::MAX_OPEN_QTY => i128::from(book.open_buy) + i128::from(book.open_sell),
        _ => book.open_notional,
    }
}
