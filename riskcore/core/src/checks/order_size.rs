//! Q1: the largest quantity of one order. Source: Rule 15c3-5(c)(1)(ii); RTS 6 Art. 15(1)(c); FIA 1.1.

use super::{Check, Measure, Verdict, id};
use crate::candidate::Candidate;
use crate::limits::{Action, Judges, LimitDef, kinds};
use crate::outcome::Unit;
use crate::reasons::Reason;
use crate::scopes::ScopeKind;
use crate::state::State;

/// The reason, which has the limit's name.
pub mod reason {
    use crate::reasons::reasons;

    reasons! { REASONS:
        MAX_ORDER_QTY = 170, 26, "The order's quantity is above the largest allowed for one order.";
    }
}

/// The largest order.
pub static MAX_ORDER_QTY: LimitDef = LimitDef {
    code: 20,
    name: "max_order_qty",
    unit: Unit::Quantity,
    settable_at: kinds(&ScopeKind::ALL),
    required_at: kinds(&[ScopeKind::Symbol]),
    min: 0,
    judges: Judges::Orders,
    action: Action::Reject,
    doc: "Quantity of one order, new or replaced.",
};

/// See the module.
#[derive(Default)]
pub struct OrderSize;

impl Check for OrderSize {
    const REASONS: &'static [Reason] = reason::REASONS;

    #[inline(always)]
    fn check(&self, candidate: &Candidate, state: &State) -> Verdict {
        // Within the tightest, within all.
        if candidate.qty.0 <= candidate.bounds.order_qty { Ok(()) } else { self.check_each(candidate, state) }
    }

    #[inline(always)]
    fn measure(&self, candidate: &Candidate, state: &State, see: &mut impl FnMut(Measure) -> bool) {
        let (limit, value) = (id::MAX_ORDER_QTY, i128::from(candidate.qty.0));
        for ix in candidate.touched.among(candidate.bounds.places(limit)) {
            let bound = state.limits.at(ix).value(limit);
            if !see(Measure { ix, limit, bound, value, reason: &reason::MAX_ORDER_QTY }) {
                return;
            }
        }
    }
}
