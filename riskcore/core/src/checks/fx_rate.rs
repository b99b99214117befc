//! D2: no decision on an old rate. An order in another currency than the firm's is held against limits in the base
//! currency; a rate that is too old says as little of it as a price that is too old. Source: FIA 3.1, as for quotes; rules.md
//! D2.
//!
//! Without any rate no order of the currency gets this far (`place.rs`). A limit-priced order that can only reduce the
//! position passes on an old rate: staleness closes for opening, not for getting out. The limit is required of instruments
//! in another currency and of no other.

use super::limit_configured::NO_LIMIT_CONFIGURED;
use super::{Breach, Check, Measure, Verdict, id};
use crate::candidate::Candidate;
use crate::limits::{Action, Judges, LimitDef, kinds};
use crate::outcome::{Reject, Unit};
use crate::reasons::{Reason, reasons};
use crate::scopes::ScopeKind;
use crate::state::State;

reasons! { REASONS:
    FX_RATE_STALE = 112, 19, "The newest rate of the instrument's currency is too old to decide on; wait for the feed.";
    FX_RATE_NOT_AVAILABLE = 113, 19, "There has been no rate of the instrument's currency yet.";
}

/// The oldest rate to decide on.
pub static FX_RATE_MAX_AGE: LimitDef = LimitDef {
    code: 90,
    name: "fx_rate_max_age",
    unit: Unit::Nanos,
    settable_at: kinds(&[ScopeKind::Symbol]),
    required_at: 0,
    min: 1,
    judges: Judges::Orders,
    action: Action::Reject,
    doc: "Age of the newest rate of the instrument's currency. Without it no order of an instrument in another currency \
          than the base currency passes.",
};

/// See the module.
#[derive(Default)]
pub struct FxRate;

impl Check for FxRate {
    const REASONS: &'static [Reason] = REASONS;

    /// A rate grows old.
    #[inline(always)]
    fn asks(&self, candidate: &Candidate, state: &State) -> bool {
        state.currency(candidate.symbol).is_some()
    }

    #[inline(always)]
    fn check(&self, candidate: &Candidate, state: &State) -> Verdict {
        if state.currency(candidate.symbol).is_none() { Ok(()) } else { self.check_rate(candidate, state) }
    }

    fn measure(&self, candidate: &Candidate, state: &State, see: &mut impl FnMut(Measure) -> bool) {
        let Some(currency) = state.currency(candidate.symbol) else { return };
        if gets_out(candidate) {
            return;
        }
        let (ix, limit) = (candidate.touched.symbol(), id::FX_RATE_MAX_AGE);
        if candidate.bounds.places(limit) == 0 {
            return;
        }
        let bound = state.limits.at(ix).value(limit);
        let value = state.currencies.age(currency, candidate.now).map_or(i128::MAX, |age| age.0.into());
        see(Measure { ix, limit, bound, value, reason: &FX_RATE_STALE });
    }
}

impl FxRate {
    #[cold]
    fn check_rate(&self, candidate: &Candidate, state: &State) -> Verdict {
        let (ix, limit) = (candidate.touched.symbol(), id::FX_RATE_MAX_AGE);
        if !gets_out(candidate) && state.limits.at(ix).blocks(limit).is_none() {
            // The value names the limit by its stable code.
            let (scope, value) = (Some(state.scopes.at(ix)), limit.def().code.into());
            let reject = Reject { reason: &NO_LIMIT_CONFIGURED, scope, limit: 0, value, unit: Unit::None };
            return Err(Breach::reject(reject));
        }
        self.check_each(candidate, state)
    }
}

/// Whether the order can only reduce the position, at a price of its own.
fn gets_out(candidate: &Candidate) -> bool {
    candidate.reduces && candidate.price.is_some()
}
