//! V4: permissions and the restricted list. Source: Rule 15c3-5(c)(2)(ii)-(iii); RTS 6 Art. 15(5); rules.md V4.
//!
//! An account, a router or a strategy may have a list of the symbols it may trade; without one it may trade all that are
//! configured. The restricted list is the firm's: while a symbol is on it, the orders that it names are refused, for everybody.
//! The usual entry stops what could open a position and lets through what only reduces one, so that nobody is locked in.
//! What rests when a symbol is entered stays: people cancel it, or halt the symbol with `CANCEL_ONLY`.

use super::{Breach, Check, Verdict};
use crate::candidate::Candidate;
use crate::outcome::{Reject, Unit};
use crate::reasons::{OTHER, Reason, reasons};
use crate::scopes::Scope;
use crate::state::State;

reasons! { REASONS:
    SYMBOL_NOT_PERMITTED = 248, OTHER, "The symbol is not on the list of those that this scope may trade.";
    RESTRICTED = 249, OTHER, "The symbol is on the firm's restricted list, and this order is among those that are stopped.";
}

/// See the module.
#[derive(Default)]
pub struct Permission;

impl Check for Permission {
    const REASONS: &'static [Reason] = REASONS;

    /// Some orders may pass a restriction that stops others. A strategy and a symbol are no pair: both may have headroom from
    /// orders that had not both.
    #[inline(always)]
    fn asks(&self, candidate: &Candidate, _state: &State) -> bool {
        candidate.bounds.restricted.is_some() || candidate.bounds.not_permitted.is_some()
    }

    #[inline(always)]
    fn check(&self, candidate: &Candidate, state: &State) -> Verdict {
        if let Some(ix) = candidate.bounds.not_permitted {
            return refuse(&SYMBOL_NOT_PERMITTED, state.scopes.at(ix));
        }
        match candidate.bounds.restricted {
            Some(stops) if stops.stops(candidate.side, candidate.reduces) => {
                refuse(&RESTRICTED, Scope::Symbol(candidate.symbol))
            }
            _ => Ok(()),
        }
    }
}

fn refuse(reason: Reason, scope: Scope) -> Verdict {
    Err(Breach::reject(Reject { reason, scope: Some(scope), limit: 0, value: 0, unit: Unit::None }))
}
