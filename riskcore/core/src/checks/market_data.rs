//! D1: no decision on old prices. Source: FIA 3.1; rules.md D1.
//!
//! A limit-priced order that can only reduce the position passes: staleness closes for opening, not for getting out.

use super::{Breach, Check, Verdict, id};
use crate::candidate::{Bound, Candidate};
use crate::limits::{Action, LimitDef, kinds};
use crate::outcome::{Reject, Unit};
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
    action: Action::Reject,
    doc: "Age of the instrument's newest usable quote.",
};

/// See the module.
#[derive(Default)]
pub struct MarketData;

impl Check for MarketData {
    const REASONS: &'static [Reason] = REASONS;

    fn check(&self, candidate: &Candidate, state: &State) -> Verdict {
        if candidate.reduces && candidate.price.is_some() {
            return Ok(());
        }
        let market = &state.markets[candidate.symbol.index()];
        let Some(age) = market.age(candidate.now) else {
            return Err(Breach::reject(Reject::plain(&REFERENCE_PRICE_NOT_AVAILABLE)));
        };
        let symbol = candidate.touched.symbol();
        let Some(limit) = state.limits.at(symbol).get(id::MARKET_DATA_MAX_AGE) else { return Ok(()) };
        if i128::from(age.0) <= limit {
            return Ok(());
        }
        let bound = Bound { limit, value: age.0.into(), unit: Unit::Nanos };
        Err(Breach::reject(candidate.breach(state, &MARKET_DATA_STALE, symbol, bound)))
    }
}
