//! A6: at the open something was red, and nobody has decided yet; see `readiness.rs` for when the gate holds.

use super::{Breach, Check, Verdict};
use crate::candidate::Candidate;
use crate::outcome::Reject;
use crate::reasons::{ALGORITHM_RISK_THRESHOLD, Reason, reasons};
use crate::state::State;

reasons! { REASONS:
    NOT_READY = 390, ALGORITHM_RISK_THRESHOLD,
        "At the open something was not as it must be; `riskgate readiness` shows what. Cancels pass.";
}

/// See the module.
#[derive(Default)]
pub struct Readiness;

impl Check for Readiness {
    const REASONS: &'static [Reason] = REASONS;

    #[inline(always)]
    fn check(&self, _candidate: &Candidate, state: &State) -> Verdict {
        if state.readiness.holds() { Err(Breach::reject(Reject::plain(&NOT_READY))) } else { Ok(()) }
    }
}
