//! Q1: one order against what its instrument trades on an average day. Source: FIA 1.1; RTS 6 Art. 15(1)(c); rules.md Q1.
//!
//! The average is reference data that the firm brings in the morning. Where the limit is set and the average is not known,
//! the order is refused: what nobody has looked up is not liquid.

use super::{Check, Measure, Verdict, id};
use crate::candidate::Candidate;
use crate::limits::{Action, Judges, LimitDef, kinds};
use crate::outcome::Unit;
use crate::reasons::{OTHER, Reason, reasons};
use crate::scopes::ScopeKind;
use crate::state::State;
use crate::units::{BPS, of_whole_bps, widening_mul};

reasons! { REASONS:
    ORDER_ABOVE_ADV = 240, 3, "The order's quantity is too large a part of the instrument's average daily volume.";
    ADV_UNKNOWN = 241, OTHER, "A limit in parts of the average daily volume is set, and the instrument's volume is not given.";
}

/// The largest part.
pub static MAX_ORDER_ADV_BPS: LimitDef = LimitDef {
    code: 100,
    name: "max_order_adv_bps",
    unit: Unit::Bps,
    settable_at: kinds(&ScopeKind::ALL),
    required_at: 0,
    min: 0,
    judges: Judges::Orders,
    action: Action::Reject,
    doc: "Quantity of one order, new or replaced, as a part of the instrument's average daily volume (`adv`).",
};

/// See the module.
#[derive(Default)]
pub struct AverageVolume;

impl Check for AverageVolume {
    const REASONS: &'static [Reason] = REASONS;

    #[inline(always)]
    fn check(&self, candidate: &Candidate, state: &State) -> Verdict {
        let volume = state.average_volumes[candidate.symbol.index()].unwrap_or_default();
        // Within the tightest, within all.
        if widening_mul(candidate.qty.0, BPS) <= widening_mul(candidate.bounds.order_adv_bps, volume.0) {
            return Ok(());
        }
        self.check_each(candidate, state)
    }

    #[inline(always)]
    fn measure(&self, candidate: &Candidate, state: &State, see: &mut impl FnMut(Measure) -> bool) {
        let limit = id::MAX_ORDER_ADV_BPS;
        let places = candidate.bounds.places(limit);
        if places == 0 {
            return;
        }
        let (value, reason) = match state.average_volumes[candidate.symbol.index()] {
            Some(volume) => (of_whole_bps(candidate.qty.0.into(), volume.0.into()), &ORDER_ABOVE_ADV),
            None => (i128::MAX, &ADV_UNKNOWN),
        };
        for ix in candidate.touched.among(places) {
            let bound = state.limits.at(ix).value(limit);
            if !see(Measure { ix, limit, bound, value, reason }) {
                return;
            }
        }
    }
}
