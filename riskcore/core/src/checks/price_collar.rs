//! P1: the price collar, in every phase. Source: Rule 15c3-5(c)(1)(ii); RTS 6 Art. 15(1)(a); FIA 1.3; rules.md P1.
//!
//! A buy is measured against the best bid and a sell against the best offer - the nearer reference is the tighter one -
//! and the bound itself passes: `(px - ref) * 10,000 <= bps * ref`, cross-multiplied, never rounded open. It has no off
//! hours: Knight's collar did not apply before the open, to the very 212 orders (34-70694 ¶21). While orders are only
//! collected a scope may have a collar of its own for that; where it has none, the continuous one holds.

use super::{Breach, Check, Measure, Verdict, id};
use crate::candidate::Candidate;
use crate::limits::{Action, Judges, LimitDef, LimitId, ScopeLimits, kinds};
use crate::outcome::{Reject, Unit};
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

/// The collar in force at a scope, in the phase the instrument is in.
pub fn in_force(limits: &ScopeLimits, collecting: bool) -> Option<i128> {
    let own = if collecting { limits.get(id::PRICE_COLLAR_AUCTION_BPS) } else { None };
    own.or_else(|| limits.get(id::PRICE_COLLAR_BPS))
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
        match each(candidate, collecting).find(|(ix, limit)| is_over(state, *ix, *limit, through)) {
            Some((ix, limit)) => Err(refusal(candidate, state, ix, limit, through)),
            None => Ok(()),
        }
    }

    fn measure(&self, candidate: &Candidate, state: &State, see: &mut impl FnMut(Measure) -> bool) {
        let Some(through) = through(candidate, state) else { return };
        for (ix, limit) in each(candidate, state.collecting(candidate.symbol)) {
            if !see(measure(state, ix, limit, through)) {
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
    // Both prices are positive, so their difference fits.
    let distance = (price.0 - reference.0) * candidate.side.sign();
    (distance > 0).then_some(Through { distance, reference })
}

/// The collar of each scope that has one.
fn each(candidate: &Candidate, collecting: bool) -> impl Iterator<Item = (ScopeIx, LimitId)> + '_ {
    let auction = if collecting { candidate.bounds.places(id::PRICE_COLLAR_AUCTION_BPS) } else { 0 };
    let all = auction | candidate.bounds.places(id::PRICE_COLLAR_BPS);
    candidate.touched.places_among(all).map(move |(place, ix)| {
        let own = auction >> place & 1 == 1;
        (ix, if own { id::PRICE_COLLAR_AUCTION_BPS } else { id::PRICE_COLLAR_BPS })
    })
}

/// A collar of more than i64::MAX basis points is none.
fn room(state: &State, ix: ScopeIx, limit: LimitId, through: Through) -> i128 {
    let bps = i64::try_from(state.limits.at(ix).value(limit)).unwrap_or(i64::MAX);
    widening_mul(bps, through.reference.0)
}

fn is_over(state: &State, ix: ScopeIx, limit: LimitId, through: Through) -> bool {
    widening_mul(through.distance, BPS) > room(state, ix, limit, through)
}

/// In basis points, rounded up: more than a whole bound exactly if the price is beyond it.
fn measure(state: &State, ix: ScopeIx, limit: LimitId, through: Through) -> Measure {
    let reference = i128::from(through.reference.0);
    let value = (widening_mul(through.distance, BPS) + reference - 1) / reference;
    Measure { ix, limit, bound: state.limits.at(ix).value(limit), value, reason: &PRICE_COLLAR }
}

/// For people: the last price that passes, and the one asked for.
#[cold]
fn refusal(candidate: &Candidate, state: &State, ix: ScopeIx, limit: LimitId, through: Through) -> Breach {
    let room = room(state, ix, limit, through) / i128::from(BPS) * i128::from(candidate.side.sign());
    let (limit_price, value) = (i128::from(through.reference.0) + room, candidate.price.map_or(0, |price| price.0.into()));
    let breach = measure(state, ix, limit, through).breach(state);
    Breach { reject: Reject { limit: limit_price, value, unit: Unit::Price, ..breach.reject }, ..breach }
}
