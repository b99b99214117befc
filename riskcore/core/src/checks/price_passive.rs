//! P1: a price absurdly far on the passive side. Source: Rule 15c3-5(c)(1)(ii); FIA 1.3; rules.md P1.
//!
//! A buy far below the bid, or a sell far above the offer, would not trade now, and is a mistake all the same: an order at one
//! dollar that nobody meant rests until the market comes to it. The bound itself passes, `(ref - px) * 10,000 <= bps * ref`
//! for a buy, and it holds in every phase. Without the limit nothing is far.

use super::{Check, Measure, Verdict, id};
use crate::candidate::Candidate;
use crate::limits::{Action, Judges, LimitDef, kinds};
use crate::outcome::Unit;
use crate::reasons::{Reason, reasons};
use crate::scopes::ScopeKind;
use crate::state::State;
use crate::units::{BPS, widening_mul};

reasons! { REASONS:
    PRICE_FAR_PASSIVE = 311, 16, "The price is absurdly far from the market, on the side where it would not trade.";
}

/// How far is absurd.
pub static PRICE_COLLAR_PASSIVE_BPS: LimitDef = LimitDef {
    code: 161,
    name: "price_collar_passive_bps",
    unit: Unit::Bps,
    settable_at: kinds(&[ScopeKind::Firm, ScopeKind::Account, ScopeKind::Router, ScopeKind::Symbol]),
    required_at: 0,
    min: 0,
    judges: Judges::Orders,
    action: Action::Reject,
    doc: "How far a buy may be below the best bid, a sell above the best offer.",
};

/// See the module.
#[derive(Default)]
pub struct PricePassive;

impl Check for PricePassive {
    const REASONS: &'static [Reason] = REASONS;

    #[inline(always)]
    fn check(&self, candidate: &Candidate, state: &State) -> Verdict {
        match away(candidate, state) {
            // Within the tightest, within all.
            Some((away, reference))
                if widening_mul(away, BPS) > widening_mul(candidate.bounds.passive_bps, reference) =>
            {
                self.check_each(candidate, state)
            }
            _ => Ok(()),
        }
    }

    #[inline(always)]
    fn measure(&self, candidate: &Candidate, state: &State, see: &mut impl FnMut(Measure) -> bool) {
        let limit = id::PRICE_COLLAR_PASSIVE_BPS;
        let Some((away, reference)) = away(candidate, state) else { return };
        // Rounded up: more than a whole bound exactly if the price is beyond it.
        let value = (widening_mul(away, BPS) + i128::from(reference) - 1) / i128::from(reference);
        for ix in candidate.touched.among(candidate.bounds.places(limit)) {
            let bound = state.limits.at(ix).value(limit);
            if !see(Measure { ix, limit, bound, value, reason: &PRICE_FAR_PASSIVE }) {
                return;
            }
        }
    }
}

/// How far a price is from the market on the passive side, and the reference it is measured against; `None` if it is not
/// there, or there is no price.
#[inline(always)]
fn away(candidate: &Candidate, state: &State) -> Option<(i64, i64)> {
    let (bid, ask) = state.markets[candidate.symbol.index()].touch()?;
    let reference = if candidate.side.is_buy() { bid.0 } else { ask.0 };
    let price = candidate.price?.0;
    let is_away = if candidate.side.is_buy() { price < reference } else { price > reference };
    if !is_away {
        return None;
    }
    // Both prices are positive, so their difference fits.
    Some(((reference - price).abs(), reference))
}
