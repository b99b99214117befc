//! P3: no short sale without a locate. Source: Regulation SHO Rule 203(b)(1); rules.md P3.
//!
//! What was located for the day is a limit of the account and the instrument, and every short sale uses it up: what was sold
//! short today, covered again or not, and what is open short. It ends with the day. Where the instrument needs a locate and
//! none is set, nothing may be sold short. Exempt short sales need one, too: the exemption is from Rule 201.

use alloc::vec::Vec;
use core::hash::Hasher;

use super::{Breach, Check, Fill, Measure, Verdict, id};
use crate::candidate::Candidate;
use crate::hash::FoldHasher;
use crate::limits::{Action, Judges, LimitDef, LimitId, ScopeLimits, kinds};
use crate::outcome::{Reject, Unit};
use crate::reasons::{Reason, reasons};
use crate::scopes::{ScopeIx, ScopeKind};
use crate::state::State;

reasons! { REASONS:
    NO_LOCATE = 307, 24, "The short sale needs more than what was located for the account; locate more before it is sent.";
}

/// What was located.
pub static SHORT_LOCATE: LimitDef = LimitDef {
    code: 164,
    name: "short_locate",
    unit: Unit::Quantity,
    settable_at: kinds(&[ScopeKind::AccountSymbol]),
    required_at: 0,
    min: 0,
    judges: Judges::Orders,
    action: Action::Reject,
    doc: "Quantity located for short sales of the day; needed under `reg_sho` unless the instrument is easy to borrow.",
};

/// See the module.
#[derive(Default)]
pub struct Locate {
    /// Per scope: sold short today. Only cells of an account and an instrument are used.
    sold: Vec<i64>,
}

impl Locate {
    /// What is used up, if what an order adds were sold, too.
    #[inline]
    fn used_with(&self, ix: ScopeIx, added: i64, state: &State) -> i128 {
        let sold = self.sold.get(ix.at()).copied().unwrap_or(0);
        i128::from(sold) + i128::from(state.books[ix.at()].open_short) + i128::from(added)
    }
}

/// Whether the check has anything to say of an order.
#[inline(always)]
fn concerns(candidate: &Candidate, state: &State) -> bool {
    candidate.side.is_short()
        && candidate.added > 0
        && state.securities[candidate.symbol.index()].needs_locate()
}

impl Check for Locate {
    const REASONS: &'static [Reason] = REASONS;

    fn limits_changed(&mut self, ix: ScopeIx, _limits: &ScopeLimits) {
        if self.sold.len() <= ix.at() {
            self.sold.resize(ix.at() + 1, 0);
        }
    }

    #[inline(always)]
    fn check(&self, candidate: &Candidate, state: &State) -> Verdict {
        if !concerns(candidate, state) {
            return Ok(());
        }
        let ix = candidate.touched.account_symbol();
        if candidate.bounds.places(id::SHORT_LOCATE) != 0
            && self.used_with(ix, candidate.added, state) <= state.limits.at(ix).value(id::SHORT_LOCATE)
        {
            return Ok(());
        }
        // One on trial is none; one that two people have waived for this order is one.
        if state.limits.at(ix).blocks(id::SHORT_LOCATE).is_none() {
            let (scope, value) = (Some(state.scopes.at(ix)), self.used_with(ix, candidate.added, state));
            return Err(Breach::reject(Reject { reason: &NO_LOCATE, scope, limit: 0, value, unit: Unit::Quantity }));
        }
        self.check_each(candidate, state)
    }

    #[inline(always)]
    fn measure(&self, candidate: &Candidate, state: &State, see: &mut impl FnMut(Measure) -> bool) {
        let limit = id::SHORT_LOCATE;
        if !concerns(candidate, state) || candidate.bounds.places(limit) == 0 {
            return;
        }
        let ix = candidate.touched.account_symbol();
        let (bound, value) = (state.limits.at(ix).value(limit), self.used_with(ix, candidate.added, state));
        see(Measure { ix, limit, bound, value, reason: &NO_LOCATE });
    }

    /// A short sale that is taken back gives its locate back.
    fn executed(&mut self, fill: &Fill<'_>, _state: &State) -> u8 {
        if fill.order.side.is_short()
            && let Some(sold) = self.sold.get_mut(fill.order.touched.account_symbol().at())
        {
            *sold = sold.saturating_add(fill.qty);
        }
        0
    }

    fn used(&self, limit: LimitId, ix: ScopeIx, state: &State) -> Option<i128> {
        (limit == id::SHORT_LOCATE).then(|| self.used_with(ix, 0, state))
    }

    fn day_roll(&mut self) {
        self.sold.fill(0);
    }

    fn digest(&self, hasher: &mut FoldHasher) {
        self.sold.iter().for_each(|sold| hasher.write_u64(*sold as u64));
    }
}
