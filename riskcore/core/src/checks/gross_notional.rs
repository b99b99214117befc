//! X3: gross notional, worst case - the sum over instruments of the larger of long and short worst case at a conservative
//! mark. Source: Rule 15c3-5(c)(1)(i); rules.md X3.

use super::{Breach, Check, Verdict, id};
use crate::candidate::{Bound, Candidate};
use crate::limits::{Action, LimitDef, LimitId, kinds};
use crate::outcome::{Reject, Unit};
use crate::reasons::{ARITHMETIC_OVERFLOW, Reason, reasons};
use crate::scopes::{ScopeIx, ScopeKind};
use crate::state::State;

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
    action: Action::Reject,
    doc: "Sum over instruments of the worst-case position, long or short, at the worse of offer and slow reference.",
};

/// See the module.
#[derive(Default)]
pub struct GrossNotional;

impl Check for GrossNotional {
    const REASONS: &'static [Reason] = REASONS;

    fn check(&self, candidate: &Candidate, state: &State) -> Verdict {
        let touched = &candidate.touched;
        let (account_cell, router_cell) = (touched.account_symbol(), touched.router_symbol());
        for (total, cell) in
            [(ScopeIx::FIRM, account_cell), (touched.account(), account_cell), (touched.router(), router_cell)]
        {
            let Some(limit) = state.limits.at(total).get(id::MAX_GROSS_NOTIONAL) else { continue };
            let Some(added) = added_gross(candidate, state, cell) else {
                return Err(Breach::reject(Reject::plain(&ARITHMETIC_OVERFLOW)));
            };
            let value = state.books[total.at()].gross.saturating_add(added);
            // An order that does not widen the worst case passes even while a move of the market holds the scope over.
            if added > 0 && value > limit {
                let bound = Bound { limit, value, unit: Unit::Money };
                return Err(Breach::reject(candidate.breach(state, &GROSS_LIMIT, total, bound)));
            }
        }
        Ok(())
    }

    fn used(&self, limit: LimitId, ix: ScopeIx, state: &State) -> Option<i128> {
        (limit == id::MAX_GROSS_NOTIONAL).then(|| state.books[ix.at()].gross)
    }
}

/// What the order adds to a cell's worst-case notional; `None` on overflow.
fn added_gross(candidate: &Candidate, state: &State, cell: ScopeIx) -> Option<i128> {
    let book = &state.books[cell.at()];
    let added = i128::from(candidate.added);
    let (long, short) = if candidate.side.is_buy() {
        (book.worst_long() + added, book.worst_short())
    } else {
        (book.worst_long(), book.worst_short() - added)
    };
    let worst = long.abs().max(short.abs());
    if worst <= book.worst() {
        return Some(0);
    }
    // Reducing orders may come without a market; they never widen the worst case and have returned above.
    let mark = state.markets[candidate.symbol.index()].short_mark()?.max(candidate.px_risk?);
    let multiplier = i128::from(state.multiplier(candidate.symbol));
    worst.checked_mul(i128::from(mark.0))?.checked_mul(multiplier)?.checked_sub(book.gross)
}
