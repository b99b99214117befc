//! X5: concentration - how much of what the firm or an account may hold can be in one instrument. Source: Rule
//! 15c3-5(c)(1)(i) (finer than the aggregate where apt); rules.md X5.
//!
//! A symbol is held against the firm's `max_gross_notional`, an account's position in it against the account's. Against what
//! may be held and not against what is held: the first order of the day is always all of it. The worst case is that of X3;
//! an order that does not widen it passes, whatever a move of the market has made of it meanwhile.

use super::gross_notional::added_gross;
use super::{Check, Measure, id};
use crate::candidate::Candidate;
use crate::headroom::Lane;
use crate::limits::{Action, Judges, LimitDef, LimitId, kinds};
use crate::outcome::Unit;
use crate::reasons::{Reason, reasons};
use crate::scopes::{Scope, ScopeIx, ScopeKind};
use crate::state::State;
use crate::units::{of_whole_bps, part_of_bps, saturating_sum};

reasons! { REASONS:
    CONCENTRATION_LIMIT = 246, 3,
        "If everything open filled, too much of the gross notional allowed would be in this one instrument.";
}

/// The largest part.
pub static MAX_CONCENTRATION_BPS: LimitDef = LimitDef {
    code: 106,
    name: "max_concentration_bps",
    unit: Unit::Bps,
    settable_at: kinds(&[ScopeKind::Symbol, ScopeKind::AccountSymbol]),
    required_at: 0,
    min: 0,
    judges: Judges::Orders,
    action: Action::Reject,
    doc: "Worst-case notional in the instrument: at a symbol as a part of the firm's `max_gross_notional`, at \
          account_symbol as a part of the account's.",
};

/// See the module.
#[derive(Default)]
pub struct Concentration;

impl Check for Concentration {
    const REASONS: &'static [Reason] = REASONS;

    fn grows(limit: LimitId) -> Option<Lane> {
        (limit == id::MAX_CONCENTRATION_BPS).then_some(Lane::Gross)
    }

    fn room(&self, measure: &Measure, state: &State) -> i128 {
        let most = whole_of(measure.ix, state).map_or(0, |whole| part_of_bps(measure.bound, allowed(whole, state)));
        most.saturating_sub(state.books[measure.ix.at()].gross)
    }

    #[inline(always)]
    fn asks(&self, _candidate: &Candidate, _state: &State) -> bool {
        false
    }

    #[inline(always)]
    fn measure(&self, candidate: &Candidate, state: &State, see: &mut impl FnMut(Measure) -> bool) {
        let limit = id::MAX_CONCENTRATION_BPS;
        for ix in candidate.touched.among(candidate.bounds.places(limit)) {
            let bound = state.limits.at(ix).value(limit);
            let whole = if ix == candidate.touched.symbol() { ScopeIx::FIRM } else { candidate.touched.account() };
            let value = match added_gross(candidate, state, ix) {
                Some(added) if added <= 0 => 0,
                Some(added) => part(state, ix, whole, added),
                // What does not fit is beyond every bound.
                None => i128::MAX,
            };
            if !see(Measure { ix, limit, bound, value, reason: &CONCENTRATION_LIMIT }) {
                return;
            }
        }
    }

    fn used(&self, limit: LimitId, ix: ScopeIx, state: &State) -> Option<i128> {
        let whole = whole_of(ix, state)?;
        (limit == id::MAX_CONCENTRATION_BPS).then(|| part(state, ix, whole, 0))
    }
}

/// What an instrument is held against.
fn whole_of(ix: ScopeIx, state: &State) -> Option<ScopeIx> {
    match state.scopes.at(ix) {
        Scope::Symbol(_) => Some(ScopeIx::FIRM),
        Scope::AccountSymbol(account, _) => state.scopes.find(Scope::Account(account)),
        _ => None,
    }
}

/// Both are required limits: without one no order comes this far, and any part of nothing is too much.
fn allowed(whole: ScopeIx, state: &State) -> i128 {
    state.limits.at(whole).get(id::MAX_GROSS_NOTIONAL).unwrap_or(0)
}

/// The part of `whole`'s gross notional allowed that a cell takes with so much more.
fn part(state: &State, cell: ScopeIx, whole: ScopeIx, added: i128) -> i128 {
    of_whole_bps(saturating_sum(state.books[cell.at()].gross, added), allowed(whole, state))
}
