//! A3: an order carries only flags that are registered, in use, and known to the build that sends them. Source: SEC
//! 34-70694, paragraphs 13-16: a flag with a new meaning reached one server whose code knew the old one.
//!
//! Without a registry of flags nothing is asked. With one, a router that has not said what it knows knows nothing.

use super::{Breach, Check, Verdict};
use crate::candidate::Candidate;
use crate::outcome::{Reject, Unit};
use crate::reasons::{OTHER, Reason, reasons};
use crate::state::State;

reasons! { REASONS:
    FLAG_UNKNOWN = 370, OTHER, "The order has a flag that is not in the registry; register the bit with its meaning, or do not send it.";
    FLAG_RETIRED = 371, OTHER, "The order has a flag that has been retired; code that still sends it is older than its registry.";
    FLAG_NOT_ATTESTED = 372, OTHER,
        "The order has a flag whose meaning the router's build does not know, by what it attested at logon: deploy the build that does.";
}

/// See the module.
#[derive(Default)]
pub struct OrderFlags;

impl Check for OrderFlags {
    const REASONS: &'static [Reason] = REASONS;

    #[inline(always)]
    fn check(&self, candidate: &Candidate, state: &State) -> Verdict {
        if candidate.flags == 0 {
            return Ok(());
        }
        let Some(registry) = state.fleet.flags() else { return Ok(()) };
        let known = state.fleet.known_flags(candidate.router);
        if candidate.flags & !(registry.registered & known) == 0 { Ok(()) } else { refuse(candidate, state) }
    }
}

/// The refusal by the lowest bit at fault, of the faults that come first.
#[cold]
fn refuse(candidate: &Candidate, state: &State) -> Verdict {
    let registry = state.fleet.flags().copied().unwrap_or_default();
    let unknown = candidate.flags & !(registry.registered | registry.retired);
    let retired = candidate.flags & registry.retired;
    let not_attested = candidate.flags & registry.registered & !state.fleet.known_flags(candidate.router);
    let faults = [(unknown, &FLAG_UNKNOWN), (retired, &FLAG_RETIRED), (not_attested, &FLAG_NOT_ATTESTED)];
    for (bits, reason) in faults {
        if bits != 0 {
            let (scope, value) = (Some(candidate.router_scope()), bits.trailing_zeros().into());
            return Err(Breach::reject(Reject { reason, scope, limit: 0, value, unit: Unit::None }));
        }
    }
    Ok(())
}
