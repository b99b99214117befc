//! X1: net position, worst case - position plus everything open on the order's side. Source: FIA 1.2; rules.md X1.
//!
//! Each side is measured on its own: a reducing order passes while the other side is over its limit, and an order that
//! flips through zero is measured on the far side.

use super::{Check, Measure, id};
use crate::candidate::Candidate;
use crate::headroom::Lane;
use crate::limits::{Action, Judges, LimitDef, LimitId, kinds};
use crate::outcome::Unit;
use crate::reasons::{Reason, reasons};
use crate::scopes::{ScopeIx, ScopeKind};
use crate::state::State;

reasons! { REASONS:
    POSITION_LIMIT = 200, 3, "If everything open filled, the position would be beyond its limit.";
}

const CELLS: u8 = kinds(&[ScopeKind::Symbol, ScopeKind::AccountSymbol, ScopeKind::RouterSymbol]);

/// The largest long position.
pub static MAX_LONG_POSITION: LimitDef = LimitDef {
    code: 40,
    name: "max_long_position",
    unit: Unit::Quantity,
    settable_at: CELLS,
    required_at: kinds(&[ScopeKind::AccountSymbol]),
    min: 0,
    judges: Judges::Orders,
    action: Action::Reject,
    doc: "Position plus open buys.",
};

/// The largest short position.
pub static MAX_SHORT_POSITION: LimitDef = LimitDef {
    code: 41,
    name: "max_short_position",
    unit: Unit::Quantity,
    settable_at: CELLS,
    required_at: kinds(&[ScopeKind::AccountSymbol]),
    min: 0,
    judges: Judges::Orders,
    action: Action::Reject,
    doc: "Open sells minus position, as a positive number.",
};

/// See the module.
#[derive(Default)]
pub struct NetPosition;

impl Check for NetPosition {
    const REASONS: &'static [Reason] = REASONS;

    fn grows(limit: LimitId) -> Option<Lane> {
        matches!(limit, id::MAX_LONG_POSITION | id::MAX_SHORT_POSITION).then_some(Lane::Qty)
    }

    #[inline(always)]
    fn asks(&self, _candidate: &Candidate, _state: &State) -> bool {
        false
    }

    #[inline(always)]
    fn measure(&self, candidate: &Candidate, state: &State, see: &mut impl FnMut(Measure) -> bool) {
        if candidate.added <= 0 {
            return;
        }
        let is_buy = candidate.side.is_buy();
        let limit = if is_buy { id::MAX_LONG_POSITION } else { id::MAX_SHORT_POSITION };
        for ix in candidate.touched.among(candidate.bounds.places(limit)) {
            let bound = state.limits.at(ix).value(limit);
            let book = &state.books[ix.at()];
            let value = i128::from(candidate.added) + if is_buy { book.worst_long() } else { -book.worst_short() };
            if !see(Measure { ix, limit, bound, value, reason: &POSITION_LIMIT }) {
                return;
            }
        }
    }

    fn used(&self, limit: LimitId, ix: ScopeIx, state: &State) -> Option<i128> {
        match limit {
            id::MAX_LONG_POSITION => Some(state.books[ix.at()].worst_long()),
            id::MAX_SHORT_POSITION => Some(-state.books[ix.at()].worst_short()),
            _ => None,
        }
    }
}
