//! P1: the price collar, in every phase. Source: Rule 15c3-5(c)(1)(ii); RTS 6 Art. 15(1)(a); FIA 1.3; rules.md P1.
//!
//! A buy is measured against the best bid and a sell against the best offer - the nearer reference is the tighter one -
//! and the bound itself passes: `(px - ref) * 10,000 <= bps * ref`, cross-multiplied, never rounded open. It has no off
//! hours: Knight's collar did not apply before the open, to the very 212 orders (34-70694 ¶21). While orders are only
//! collected a scope may have a collar of its own for that; where it has none, the continuous one holds.

use super::{Check, Measure, Verdict, id};
use crate::candidate::Candidate;
use crate::limits::{Action, Judges, LimitDef, LimitId, ScopeLimits, kinds};
use crate::outcome::Unit;
use crate::reasons::{Reason, reasons};
use crate::scopes::{ScopeIx, ScopeKind};
use crate::state::State;
use crate::units::{BPS, Price, widening_mul};

reasons! { REASONS:
    PRICE_COLLAR = 190, 16, "The price is too far through the market.";
}

const SCOPES: u8 = kinds(&[ScopeKind::Firm, ScopeKind::Account, ScopeKind::Router, ScopeKind::Symbol]);

/// The collar.
pub static PRICE_COLLAR_BPS: LimitDef = LimitDef {
    code: 31,
    name: "price_collar_bps",
    unit: Unit::Bps,
    settable_at: SCOPES,
    required_at: kinds(&[ScopeKind::Symbol]),
    min: 0,
    judges: Judges::Orders,
    action: Action::Reject,
    doc: "How far a buy may be above the best bid, a sell below the best offer; also what a market order is valued at.",
};

/// The collar while orders are collected.
pub static PRICE_COLLAR_AUCTION_BPS: LimitDef = LimitDef {
    code: 160,
    name: "price_collar_auction_bps",
    unit: Unit::Bps,
    settable_at: SCOPES,
    required_at: 0,
    min: 0,
    judges: Judges::Orders,
    action: Action::Reject,
    doc: "The same before the open and in auctions; where it is not set, `price_collar_bps` holds there, too.",
};

/// The collar in force at a scope, in the phase the instrument is in. One on trial is not in force.
pub fn in_force(limits: &ScopeLimits, collecting: bool) -> Option<i128> {
    let own = if collecting { limits.blocks(id::PRICE_COLLAR_AUCTION_BPS) } else { None };
    own.or_else(|| limits.blocks(id::PRICE_COLLAR_BPS))
}

/// See the module.
#[derive(Default)]
pub struct PriceCollar;

/// How far a price is through the market, and the reference it is measured against.
#[derive(Clone, Copy)]
struct Through {
    distance: i64,
    reference: Price,
}

impl Check for PriceCollar {
    const REASONS: &'static [Reason] = REASONS;

    #[inline(always)]
    fn check(&self, candidate: &Candidate, state: &State) -> Verdict {
        let Some(through) = through(candidate, state) else { return Ok(()) };
        let collecting = state.collecting(candidate.symbol);
        let tightest = if collecting { candidate.bounds.collar_auction_bps } else { candidate.bounds.collar_bps };
        // Within the tightest, within all.
        if widening_mul(through.distance, BPS) <= widening_mul(tightest, through.reference.0) {
            return Ok(());
        }
        self.check_each(candidate, state)
    }

    /// In basis points, rounded up: more than a whole bound exactly if the price is beyond it.
    #[inline(always)]
    fn measure(&self, candidate: &Candidate, state: &State, see: &mut impl FnMut(Measure) -> bool) {
        let Some(Through { distance, reference }) = through(candidate, state) else { return };
        let reference = i128::from(reference.0);
        let value = (widening_mul(distance, BPS) + reference - 1) / reference;
        for (ix, limit) in each(candidate, state, state.collecting(candidate.symbol)) {
            let bound = state.limits.at(ix).value(limit);
            if !see(Measure { ix, limit, bound, value, reason: &PRICE_COLLAR }) {
                return;
            }
        }
    }
}

/// `None`: a market order, or a price that is not through the market at all. Without any quote only a reducing limit order
/// came this far.
#[inline(always)]
fn through(candidate: &Candidate, state: &State) -> Option<Through> {
    let price = candidate.price?;
    let (bid, ask) = state.markets[candidate.symbol.index()].touch()?;
    let reference = if candidate.side.is_buy() { bid } else { ask };
    let is_through = if candidate.side.is_buy() { price > reference } else { price < reference };
    if !is_through {
        return None;
    }
    // Both prices are positive, so their difference fits.
    Some(Through { distance: (price.0 - reference.0).abs(), reference })
}

/// The collar of each scope that has one. Where that for auctions is in force, the other one is not: not even while two
/// people have waived the one that is.
fn each(candidate: &Candidate, state: &State, collecting: bool) -> impl Iterator<Item = (ScopeIx, LimitId)> {
    let auction = if collecting { candidate.bounds.places(id::PRICE_COLLAR_AUCTION_BPS) } else { 0 };
    let all = auction | candidate.bounds.places(id::PRICE_COLLAR_BPS);
    candidate.touched.places_among(all).filter_map(move |(place, ix)| {
        if auction >> place & 1 == 1 {
            return Some((ix, id::PRICE_COLLAR_AUCTION_BPS));
        }
        let replaced = collecting && state.limits.at(ix).blocks(id::PRICE_COLLAR_AUCTION_BPS).is_some();
        (!replaced).then_some((ix, id::PRICE_COLLAR_BPS))
    })
}
