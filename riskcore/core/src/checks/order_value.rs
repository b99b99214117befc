//! Q2: the largest value of one order, at its risk price. Source: Rule 15c3-5(c)(1)(ii); RTS 6 Art. 15(1)(b).
//!
//! A market order has no price: it is valued at the collared reference, never at zero; a sell far below
//! the market is valued at the bid.

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
        MAX_ORDER_NOTIONAL = 171, 27, "The order's value is above the largest allowed for one order.";
    }
}

/// The largest value.
pub static MAX_ORDER_NOTIONAL: LimitDef = LimitDef {
    code: 21,
    name: "max_order_notional",
    unit: Unit::Money,
    settable_at: kinds(&ScopeKind::ALL),
    required_at: kinds(&[ScopeKind::Account]),
    min: 0,
    judges: Judges::Orders,
    action: Action::Reject,
    doc: "Quantity times risk price times multiplier of one order, new or replaced.",
};

/// See the module.
#[derive(Default)]
pub struct OrderValue;

impl Check for OrderValue {
    const REASONS: &'static [Reason] = reason::REASONS;

    #[inline(always)]
    fn check(&self, candidate: &Candidate, state: &State) -> Verdict {
        // Within the tightest, within all.
        if candidate.notional.0 <= candidate.bounds.order_notional {
            Ok(())
        } else {
            self.check_each(candidate, state)
        }
    }

    #[inline(always)]
    fn measure(&self, candidate: &Candidate, state: &State, see: &mut impl FnMut(Measure) -> bool) {
        let (limit, value) = (id::MAX_ORDER_NOTIONAL, candidate.notional.0);
        for ix in candidate.touched.among(candidate.bounds.places(limit)) {
            let bound = state.limits.at(ix).value(limit);
            if !see(Measure { ix, limit, bound, value, reason: &reason::MAX_ORDER_NOTIONAL }) {
                return;
            }
        }
    }
}
