//! The venue must be there. What cannot be sent now is refused now: nothing is queued for later.

use super::{Breach, Check, Verdict};
use crate::candidate::Candidate;
use crate::outcome::Reject;
use crate::reasons::{OTHER, Reason, reasons};
use crate::state::State;

reasons! { REASONS:
    VENUE_NOT_CONNECTED = 120, OTHER,
        "The venue link is down, or not yet reconciled after a loss; send again when it is up.";
}

/// See the module.
#[derive(Default)]
pub struct VenueLink;

impl Check for VenueLink {
    const REASONS: &'static [Reason] = REASONS;

    #[inline(always)]
    fn asks(&self, _candidate: &Candidate, _state: &State) -> bool {
        false
    }

    #[inline(always)]
    fn check(&self, _candidate: &Candidate, state: &State) -> Verdict {
        if state.venue.up && state.venue.reconciled {
            return Ok(());
        }
        Err(Breach::reject(Reject::plain(&VENUE_NOT_CONNECTED)))
    }
}
