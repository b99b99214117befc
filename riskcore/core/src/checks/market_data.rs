//! D1: no decision on old prices. Source: FIA 3.1; rules.md D1.
//!
//! A limit-priced order that can only reduce the position passes: staleness closes for opening, not for getting out.

use super::{Check, Measure, Verdict, id};
use crate::candidate::Candidate;
use crate::limits::{Action, Judges, LimitDef, kinds};
use crate::outcome::Unit;
use crate::reasons::{Reason, reasons};
use crate::scopes::ScopeKind;
use crate::state::State;

reasons! { REASONS:
    MARKET_DATA_STALE = 180, 19, "The instrument's newest quote is too old to decide on; wait for the feed.";
    REFERENCE_PRICE_NOT_AVAILABLE = 181, 19, "There has been no usable quote of the instrument yet.";
}

/// The oldest quote to decide on.
pub static MARKET_DATA_MAX_AGE: LimitDef = LimitDef {
    code: 30,
    name: "market_data_max_age",
    unit: Unit::Nanos,
    settable_at: kinds(&[ScopeKind::Symbol]),
    required_at: kinds(&[ScopeKind::Symbol]),
    min: 1,
    judges: Judges::Orders,
    action: Action::Reject,
    doc: "Age of the instrument's newest usable quote.",
};

/// See the module.
#[derive(Default)]
pub struct MarketData;

impl Check for MarketData {
    const REASONS: &'static [Reason] = REASONS;

    #[inline(always)]
    fn check(&self, candidate: &Candidate, state: &State) -> Verdict {
        match state.markets[candidate.symbol.index()].age(candidate.now) {
            Some(age) if age.0 <= candidate.bounds.market_data_age => Ok(()),
            _ => self.check_each(candidate, state),
        }
    }

    #[inline(always)]
    fn measure(&self, candidate: &Candidate, state: &State, see: &mut impl FnMut(Measure) -> bool) {
        if candidate.reduces && candidate.price.is_some() {
            return;
        }
        let (ix, limit) = (candidate.touched.symbol(), id::MARKET_DATA_MAX_AGE);
        if candidate.bounds.places(limit) == 0 {
            return;
        }
        let bound = state.limits.at(ix).value(limit);
        // Without any usable quote yet, the age is without bound.
        let age = state.markets[candidate.symbol.index()].age(candidate.now);
        let (value, reason) = match age {
            Some(age) => (i128::from(age.0), &MARKET_DATA_STALE),
            None => (i128::MAX, &REFERENCE_PRICE_NOT_AVAILABLE),
        };
        see(Measure { ix, limit, bound, value, reason });
    }
}
