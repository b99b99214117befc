//! X3: gross notional, worst case - the sum over instruments of the larger of long and short worst case at a conservative
//! mark. Source: Rule 15c3-5(c)(1)(i); rules.md X3.

use super::{Check, Look, Measure, id};
use crate::books::Book;
use crate::candidate::Candidate;
use crate::headroom::Lane;
use crate::limits::{Action, Judges, LimitDef, LimitId, kinds};
use crate::orders::Touched;
use crate::outcome::Unit;
use crate::reasons::{Reason, reasons};
use crate::scopes::{ScopeIx, ScopeKind};
use crate::state::State;
use crate::units::{Qty, saturating_sum};
use crate::watchlist::Causes;

reasons! { REASONS:
    GROSS_LIMIT = 210, 25, "If everything open filled, the gross notional would be beyond its limit.";
}

/// The largest gross notional.
pub static MAX_GROSS_NOTIONAL: LimitDef = LimitDef {
    code: 50,
    name: "max_gross_notional",
    unit: Unit::Money,
    settable_at: kinds(&[ScopeKind::Firm, ScopeKind::Account, ScopeKind::Router]),
    required_at: kinds(&[ScopeKind::Firm, ScopeKind::Account]),
    min: 0,
    judges: Judges::Orders,
    action: Action::Reject,
    doc: "Sum over instruments of the worst-case position, long or short, at the worse of offer and slow reference.",
};

/// The router, whose cells are others than those of account and firm.
const ROUTER: u8 = 1 << Touched::ROUTER;

/// See the module.
#[derive(Default)]
pub struct GrossNotional;

impl Check for GrossNotional {
    const REASONS: &'static [Reason] = REASONS;
    const WATCHES: Causes = Causes::WIDENED;

    fn grows(limit: LimitId) -> Option<Lane> {
        (limit == id::MAX_GROSS_NOTIONAL).then_some(Lane::Gross)
    }

    /// An order that does not widen the worst case says nothing of what is held.
    fn room(&self, measure: &Measure, state: &State) -> i128 {
        measure.bound.saturating_sub(state.books[measure.ix.at()].gross)
    }

    #[inline(always)]
    fn asks(&self, _candidate: &Candidate, _state: &State) -> bool {
        false
    }

    #[inline(always)]
    fn measure(&self, candidate: &Candidate, state: &State, see: &mut impl FnMut(Measure) -> bool) {
        let (touched, limit) = (&candidate.touched, id::MAX_GROSS_NOTIONAL);
        let places = candidate.bounds.places(limit);
        let mut held = |at: u8, added: Option<i128>| {
            for ix in touched.among(places & at) {
                let bound = state.limits.at(ix).value(limit);
                // What does not fit is beyond every bound.
                let added = added.unwrap_or(i128::MAX);
                // An order that does not widen the worst case passes even while a move of the market holds the scope over.
                let value = if added > 0 { saturating_sum(state.books[ix.at()].gross, added) } else { 0 };
                if !see(Measure { ix, limit, bound, value, reason: &GROSS_LIMIT }) {
                    return false;
                }
            }
            true
        };
        if places & !ROUTER != 0 && !held(!ROUTER, added_gross(candidate, state, touched.account_symbol())) {
            return;
        }
        if places & ROUTER != 0 {
            held(ROUTER, added_gross(candidate, state, touched.router_symbol()));
        }
    }

    /// Where the setting halts, a move of the market or an execution that brings the scope over its bound does so too: until
    /// people have looked it may only reduce.
    #[inline]
    fn happened(&mut self, look: &Look<'_>) -> bool {
        look.limits.get(id::MAX_GROSS_NOTIONAL).is_some_and(|bound| look.book.gross > bound)
    }

    fn watch(&self, look: &Look<'_>, see: &mut impl FnMut(Measure)) {
        let limit = id::MAX_GROSS_NOTIONAL;
        let Look { ix, limits, book, .. } = *look;
        let Some(bound) = limits.get(limit) else { return };
        let value = book.gross;
        if value > bound && limits.action(limit).halts().is_some() {
            see(Measure { ix, limit, bound, value, reason: &GROSS_LIMIT });
        }
    }

    fn used(&self, limit: LimitId, ix: ScopeIx, state: &State) -> Option<i128> {
        (limit == id::MAX_GROSS_NOTIONAL).then(|| state.books[ix.at()].gross)
    }
}

/// What the order adds to a cell's worst-case notional; `None` on overflow.
#[inline(always)]
pub(crate) fn added_gross(candidate: &Candidate, state: &State, cell: ScopeIx) -> Option<i128> {
    let book = &state.books[cell.at()];
    let (buy, sell) = if candidate.side.is_buy() { (candidate.added, 0) } else { (0, candidate.added) };
    let (before, worst) = (book.worst_with(0, 0), book.worst_with(buy, sell));
    // Of two that do not fit, neither is told to be the wider.
    if worst.is_some() && before.is_none() || worst.is_some() && worst <= before {
        return Some(0);
    }
    if worst.is_none() && before.is_none() {
        return added_beyond(candidate, book);
    }
    // Reducing orders may come without a market; they never widen the worst case and have returned above.
    let mark = state.markets[candidate.symbol.index()].short_mark()?.max(candidate.px_risk?);
    state.notional(candidate.symbol, mark, Qty(worst?), candidate.fx)?.0.checked_sub(book.gross)
}

/// The same where the worst case does not fit in 64 bits before or after: nothing, or too much.
#[cold]
fn added_beyond(candidate: &Candidate, book: &Book) -> Option<i128> {
    let added = i128::from(candidate.added);
    let (long, short) = if candidate.side.is_buy() {
        (book.worst_long() + added, book.worst_short())
    } else {
        (book.worst_long(), book.worst_short() - added)
    };
    (long.abs().max(short.abs()) <= book.worst()).then_some(0)
}
