//! L1: the day's loss, realized and unrealized - `sum(cash + position * mark) <= -L` halts.
//! Source: RTS 6 Art. 15(4)-(5); rules.md L1.
//!
//! The mark is the worse of the touch and a slow reference: a runaway buyer lifts the touch and looks profitable there, so a
//! loss limit marked at the touch never trips. It is the last line of defence, not the first.

use super::{Check, Look, Measure, id};
use crate::candidate::Candidate;
use crate::limits::{Action, Judges, LimitDef, LimitId, kinds};
use crate::outcome::Unit;
use crate::reasons::{ALGORITHM_RISK_THRESHOLD, Reason, reasons};
use crate::scopes::{ScopeIx, ScopeKind};
use crate::state::State;
use crate::units::saturating_sum;
use crate::watchlist::Causes;

reasons! { REASONS:
    LOSS_LIMIT = 230, ALGORITHM_RISK_THRESHOLD,
        "The day's loss has reached its limit, or cannot be told for want of a price; the scope takes no new risk.";
}

/// The largest loss of the day.
pub static MAX_DAY_LOSS: LimitDef = LimitDef {
    code: 70,
    name: "max_day_loss",
    unit: Unit::Money,
    settable_at: kinds(&[
        ScopeKind::Firm,
        ScopeKind::Account,
        ScopeKind::Router,
        ScopeKind::Symbol,
        ScopeKind::AccountSymbol,
        ScopeKind::RouterSymbol,
    ]),
    required_at: kinds(&[ScopeKind::Firm, ScopeKind::Account]),
    min: 1,
    judges: Judges::Events,
    action: Action::Halt,
    doc: "Loss of the day, as a positive number; reaching it halts the scope.",
};

/// The window of the slow reference.
pub static LOSS_MARK_WINDOW: LimitDef = LimitDef {
    code: 71,
    name: "loss_mark_window",
    unit: Unit::Nanos,
    settable_at: kinds(&[ScopeKind::Symbol]),
    required_at: 0,
    min: 1,
    judges: Judges::Nothing,
    action: Action::Reject,
    doc: "Window of the time-weighted mean that positions are marked against besides the touch; 15 min if not set.",
};

/// Whether a loss is as large as its bound: reaching it is enough.
#[inline]
fn is_reached(bound: i128, pnl: i128) -> bool {
    saturating_sum(pnl, bound) <= 0
}

/// See the module.
#[derive(Default)]
pub struct DayLoss;

impl Check for DayLoss {
    const REASONS: &'static [Reason] = REASONS;
    const WATCHES: Causes = Causes::VALUED;

    /// A position that loses its price makes all headroom void.
    #[inline(always)]
    fn asks(&self, _candidate: &Candidate, _state: &State) -> bool {
        false
    }

    /// A loss halts where it arises (`watch`); an order meets this only while a position has no price at all.
    #[inline(always)]
    fn measure(&self, candidate: &Candidate, state: &State, see: &mut impl FnMut(Measure) -> bool) {
        if candidate.reduces {
            return;
        }
        let limit = id::MAX_DAY_LOSS;
        for ix in candidate.touched.among(candidate.bounds.places(limit)) {
            let (book, bound) = (&state.books[ix.at()], state.limits.at(ix).value(limit));
            // What cannot be told is taken for more than any bound.
            let value = if book.unvalued > 0 { i128::MAX } else { book.pnl.saturating_neg().min(bound) };
            if !see(Measure { ix, limit, bound, value, reason: &LOSS_LIMIT }) {
                return;
            }
        }
    }

    #[inline]
    fn happened(&mut self, look: &Look<'_>) -> bool {
        look.limits.get(id::MAX_DAY_LOSS).is_some_and(|bound| is_reached(bound, look.book.pnl))
    }

    fn watch(&self, look: &Look<'_>, see: &mut impl FnMut(Measure)) {
        let limit = id::MAX_DAY_LOSS;
        let Look { ix, limits, book, .. } = *look;
        let Some(bound) = limits.get(limit) else { return };
        if is_reached(bound, book.pnl) {
            see(Measure { ix, limit, bound, value: book.pnl.saturating_neg(), reason: &LOSS_LIMIT });
        }
    }

    fn used(&self, limit: LimitId, ix: ScopeIx, state: &State) -> Option<i128> {
        (limit == id::MAX_DAY_LOSS).then(|| state.books[ix.at()].pnl.saturating_neg())
    }
}
