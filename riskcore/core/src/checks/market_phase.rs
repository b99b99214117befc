//! P3: no order while the instrument does not trade. Source: Rule 15c3-5(c)(2)(i); FINRA Rule 5260; rules.md P3.
//!
//! Orders are collected before the open and taken in auctions and in continuous trading; the collar holds in all of them.
//! A venue that is configured to publish phases and has not said this one's takes none: unknown is not open. Cancels, and
//! replaces that only reduce, still pass.

use super::{Breach, Check, Verdict};
use crate::candidate::Candidate;
use crate::outcome::{Reject, Unit};
use crate::reasons::{Reason, reasons};
use crate::scopes::Scope;
use crate::security::Phase;
use crate::state::State;

reasons! { REASONS:
    MARKET_PHASE_UNKNOWN = 300, 2,
        "The venue has not said whether the instrument trades, or its feed was lost; wait until it says so.";
    MARKET_CLOSED = 301, 2, "The instrument's market is closed; send again when it opens.";
    INSTRUMENT_HALTED = 302, 2, "Trading in the instrument, or in the whole market, is halted; only cancels pass.";
}

/// See the module.
#[derive(Default)]
pub struct MarketPhase;

impl Check for MarketPhase {
    const REASONS: &'static [Reason] = REASONS;

    #[inline(always)]
    fn asks(&self, _candidate: &Candidate, _state: &State) -> bool {
        false
    }

    #[inline(always)]
    fn check(&self, candidate: &Candidate, state: &State) -> Verdict {
        match state.phase(candidate.symbol) {
            Some(Phase::Continuous | Phase::PreOpen | Phase::Auction) => Ok(()),
            Some(Phase::Halted) => refuse(candidate, &INSTRUMENT_HALTED),
            Some(Phase::Closed | Phase::PostClose) => refuse(candidate, &MARKET_CLOSED),
            None => refuse(candidate, &MARKET_PHASE_UNKNOWN),
        }
    }
}

#[cold]
fn refuse(candidate: &Candidate, reason: Reason) -> Verdict {
    let scope = Some(Scope::Symbol(candidate.symbol));
    Err(Breach::reject(Reject { reason, scope, limit: 0, value: 0, unit: Unit::None }))
}
