//! P3: a sell marked long is covered by the position. Source: Regulation SHO Rule 200(g)(1), 200(c); rules.md P3.
//!
//! Rule 200(g) lets an order be marked long only if its seller is long as much, net. What is open on the sell side is
//! counted as if it had all been executed before: `open sells + q <= position`. The rule binds the mark "long" alone: a sell
//! marked short by somebody who is long obeys the stricter rules (locate, Rule 201) and passes.

use super::{Breach, Check, Verdict};
use crate::candidate::Candidate;
use crate::events::Side;
use crate::outcome::{Reject, Unit};
use crate::reasons::{OTHER, Reason, reasons};
use crate::state::State;

reasons! { REASONS:
    MISMARKED_SELL = 308, OTHER,
        "The order is marked long and sells more than the account's long position less its open sells; mark it short.";
}

/// See the module.
#[derive(Default)]
pub struct SellMarking;

impl Check for SellMarking {
    const REASONS: &'static [Reason] = REASONS;

    #[inline(always)]
    fn check(&self, candidate: &Candidate, state: &State) -> Verdict {
        if candidate.side != Side::Sell || candidate.added <= 0 {
            return Ok(());
        }
        if !state.securities[candidate.symbol.index()].rules.reg_sho {
            return Ok(());
        }
        let ix = candidate.touched.account_symbol();
        let book = &state.books[ix.at()];
        let (long, sold) = (i128::from(book.position).max(0), i128::from(book.open_sell) + i128::from(candidate.added));
        if sold <= long {
            return Ok(());
        }
        let scope = Some(state.scopes.at(ix));
        Err(Breach::reject(Reject { reason: &MISMARKED_SELL, scope, limit: long, value: sold, unit: Unit::Quantity }))
    }
}
