//! P1: the price collar. Source: Rule 15c3-5(c)(1)(ii); RTS 6 Art. 15(1)(a); FIA 1.3; rules.md P1.
//!
//! A buy is measured against the best bid and a sell against the best offer - the nearer reference is the tighter one -
//! and the bound itself passes: `(px - ref) * 10,000 <= bps * ref`, cross-multiplied, never rounded open. It has no off
//! hours: Knight's collar did not apply before the open, to the very 212 orders (34-70694 ¶21).

use super::{Breach, Check, Verdict, id};
use crate::candidate::{Bound, Candidate};
use crate::limits::{Action, LimitDef, kinds};
use crate::outcome::Unit;
use crate::reasons::{Reason, reasons};
use crate::scopes::ScopeKind;
use crate::state::State;
use crate::units::{BPS, widening_mul};

reasons! { REASONS:
    PRICE_COLLAR = 190, 16, "The price is too far through the market.";
}

/// The collar.
pub static PRICE_COLLAR_BPS: LimitDef = LimitDef {
    code: 31,
    name: "price_collar_bps",
    unit: Unit::Bps,
    settable_at: kinds(&[ScopeKind::Firm, ScopeKind::Account, ScopeKind::Router, ScopeKind::Symbol]),
    required_at: kinds(&[ScopeKind::Symbol]),
    min: 0,
    action: Action::Reject,
    doc: "How far a buy may be above the best bid, a sell below the best offer; also what a market order is valued at.",
};

/// See the module.
#[derive(Default)]
pub struct PriceCollar;

impl Check for PriceCollar {
    const REASONS: &'static [Reason] = REASONS;

    #[inline(always)]
    fn check(&self, candidate: &Candidate, state: &State) -> Verdict {
        let Some(price) = candidate.price else { return Ok(()) };
        // Without any quote only a reducing limit order came this far.
        let Some((bid, ask)) = state.markets[candidate.symbol.index()].touch() else { return Ok(()) };
        let reference = if candidate.side.is_buy() { bid } else { ask };
        // Both prices are positive, so their difference fits.
        let through = (price.0 - reference.0) * candidate.side.sign();
        if through <= 0 {
            return Ok(());
        }
        // Within the tightest, within all.
        let asked = widening_mul(through, BPS);
        if asked <= widening_mul(candidate.bounds.collar_bps, reference.0) {
            return Ok(());
        }
        for ix in candidate.touched.among(candidate.bounds.places(id::PRICE_COLLAR_BPS)) {
            let bps = state.limits.at(ix).value(id::PRICE_COLLAR_BPS);
            // A collar of more than i64::MAX basis points is none.
            let room = widening_mul(i64::try_from(bps).unwrap_or(i64::MAX), reference.0);
            if asked > room {
                // For people: the last price that passes, and the one asked for.
                let last = i128::from(reference.0) + room / i128::from(BPS) * i128::from(candidate.side.sign());
                let bound = Bound { limit: last, value: price.0.into(), unit: Unit::Price };
                return Err(Breach::reject(candidate.breach(state, &PRICE_COLLAR, ix, bound)));
            }
        }
        Ok(())
    }
}
