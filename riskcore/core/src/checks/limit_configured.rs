//! V2: no limit configured, no order. A missing limit is not "unlimited". Source: FIA 1.1.

use super::{Breach, Check, Verdict};
use crate::candidate::Candidate;
use crate::outcome::{Reject, Unit};
use crate::reasons::{OTHER, Reason, reasons};
use crate::state::State;

reasons! { REASONS:
    NO_LIMIT_CONFIGURED = 140, OTHER,
        "A limit that every order needs is not set at this scope, nor as its kind's default; a risk officer sets it.";
}

/// See the module.
#[derive(Default)]
pub struct LimitConfigured;

impl Check for LimitConfigured {
    const REASONS: &'static [Reason] = REASONS;

    #[inline(always)]
    fn asks(&self, _candidate: &Candidate, _state: &State) -> bool {
        false
    }

    #[inline(always)]
    fn check(&self, candidate: &Candidate, state: &State) -> Verdict {
        if !candidate.bounds.missing {
            return Ok(());
        }
        for ix in candidate.touched.iter() {
            let scope = state.scopes.at(ix);
            if let Some(limit) = state.limits.missing(ix, scope.kind()) {
                // The value names the limit by its stable code.
                return Err(Breach::reject(Reject {
                    reason: &NO_LIMIT_CONFIGURED,
                    scope: Some(scope),
                    limit: 0,
                    value: limit.def().code.into(),
                    unit: Unit::None,
                }));
            }
        }
        Ok(())
    }
}
