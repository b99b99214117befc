//! P4: own orders must not meet. Source: FIA 3.5; FIX SelfMatchPreventionInstruction (2964) = 1, cancel aggressive; rules.md P4.
//!
//! An order that would cross a resting order of its own self-match group is refused. Everything open on the other side counts
//! until the venue has confirmed its end; while a replace is in flight the order counts at both prices. A market order could
//! reach any of them.

use super::{Breach, Check, Verdict};
use crate::candidate::Candidate;
use crate::ids::OrderId;
use crate::outcome::{Reject, Unit};
use crate::reasons::{OTHER, Reason, reasons};
use crate::resting::reach;
use crate::state::State;

reasons! { REASONS:
    SELF_MATCH = 309, OTHER,
        "The order would trade with a resting order of its own self-match group; cancel that one first, or price this one away.";
}

/// See the module.
#[derive(Default)]
pub struct SelfMatch;

impl Check for SelfMatch {
    const REASONS: &'static [Reason] = REASONS;

    #[inline(always)]
    fn check(&self, candidate: &Candidate, state: &State) -> Verdict {
        let Some(theirs) = state.resting.opposite_reach(candidate.account, candidate.symbol, candidate.side) else {
            return Ok(());
        };
        let ours = reach(candidate.side.is_buy(), candidate.price);
        if ours.saturating_add(theirs) >= 0 { refuse(candidate, state) } else { Ok(()) }
    }
}

#[cold]
fn refuse(candidate: &Candidate, state: &State) -> Verdict {
    let theirs = state.resting.opposite(candidate.account, candidate.symbol, candidate.side);
    let (theirs, id) = theirs.unwrap_or((None, OrderId(0)));
    // The price of an order of another account is not for this one's eyes.
    let own = state.orders.get(id).is_some_and(|order| order.account == candidate.account);
    let limit = theirs.filter(|_| own).map_or(0, |price| price.0.into());
    let value = candidate.price.map_or(0, |price| price.0.into());
    let scope = Some(state.scopes.at(candidate.touched.account_symbol()));
    Err(Breach::reject(Reject { reason: &SELF_MATCH, scope, limit, value, unit: Unit::Price }))
}
