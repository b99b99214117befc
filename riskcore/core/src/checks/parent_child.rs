//! K1: parent/child conservation - `cum + leaves of children + q <= parent quantity`.
//!
//! This is the control whose absence the SEC names (34-70694 ¶21): the fleet cannot send more than the client ordered,
//! whatever its routers believe. A router that tries again and again has lost count: it is halted.

use alloc::vec::Vec;
use core::hash::Hasher;

use super::{Breach, Check, Verdict, id};
use crate::candidate::{Bound, Candidate};
use crate::hash::FoldHasher;
use crate::ids::{Ref, RouterId};
use crate::limits::{Action, Judges, LimitDef, LimitId, kinds};
use crate::outcome::{Reject, Unit};
use crate::reasons::{ALGORITHM_RISK_THRESHOLD, OTHER, Reason, reasons};
use crate::scopes::{ScopeIx, ScopeKind};
use crate::state::State;

reasons! { REASONS:
    UNKNOWN_PARENT = 150, OTHER, "The OMS has not registered this parent today; register it, then route it.";
    PARENT_REQUIRED = 151, OTHER, "Orders of this account must name their parent.";
    PARENT_MISMATCH = 152, OTHER, "Account, symbol or side differ from the parent's.";
    PARENT_CLOSED = 153, OTHER, "The OMS has closed this parent.";
    PARENT_FROZEN = 154, OTHER, "The parent was amended below what is filled or resting; it takes no further child.";
    PARENT_OVERFILL = 155, ALGORITHM_RISK_THRESHOLD,
        "With what is filled and resting, the order exceeds its parent's quantity.";
}

/// Attempts a router has to lose count.
pub static PARENT_OVERFILL_HALT_AFTER: LimitDef = LimitDef {
    code: 1,
    name: "parent_overfill_halt_after",
    unit: Unit::Count,
    settable_at: kinds(&[ScopeKind::Router]),
    required_at: 0,
    min: 1,
    judges: Judges::Events,
    action: Action::Halt,
    doc: "The router is halted by this many orders of the day that exceed their parent; each one is refused.",
};

/// Per router: orders that exceeded their parent.
#[derive(Default)]
pub struct ParentChild {
    attempts: Vec<u32>,
}

impl ParentChild {
    /// Orders of a router that exceeded their parent, since the day began or it was reinstated.
    pub fn attempts(&self, router: RouterId) -> u32 {
        self.attempts.get(router.index()).copied().unwrap_or(0)
    }

    fn overfill(&self, candidate: &Candidate, state: &State, bound: Bound) -> Breach {
        let router = candidate.touched.router();
        let reject = candidate.breach(state, &PARENT_OVERFILL, router, bound);
        // A new price for what was asked before is refused where the venue may put it on top of what has filled, but it
        // is no sign that the router has lost count.
        if !candidate.asks_more {
            return Breach::reject(reject);
        }
        let attempt = i128::from(self.attempts(candidate.router)) + 1;
        let halt = state
            .limits
            .at(router)
            .setting(id::PARENT_OVERFILL_HALT_AFTER)
            .filter(|after| attempt >= after.value)
            .and_then(|after| Some((candidate.router_scope(), after.action.halts()?)));
        Breach { halt, ..Breach::reject(reject) }
    }
}

impl Check for ParentChild {
    const REASONS: &'static [Reason] = REASONS;

    #[inline(always)]
    fn check(&self, candidate: &Candidate, state: &State) -> Verdict {
        let parent = match candidate.parent {
            Ref::Absent if !state.parent_required[candidate.account.index()] => return Ok(()),
            Ref::Absent => return refuse(&PARENT_REQUIRED),
            Ref::Unknown => return refuse(&UNKNOWN_PARENT),
            Ref::Known(parent) => parent,
        };
        let Some(parent) = state.parents.get(parent) else { return refuse(&UNKNOWN_PARENT) };
        let same_direction = parent.side.is_buy() == candidate.side.is_buy();
        if parent.account != candidate.account || parent.symbol != candidate.symbol || !same_direction {
            return refuse(&PARENT_MISMATCH);
        }
        if parent.closed {
            return refuse(&PARENT_CLOSED);
        }
        if candidate.added <= 0 {
            return Ok(());
        }
        if parent.frozen {
            return refuse(&PARENT_FROZEN);
        }
        let asked = parent.cum.0.checked_add(parent.leaves.0).and_then(|asked| asked.checked_add(candidate.added));
        if asked.is_some_and(|asked| asked <= parent.qty.0) {
            return Ok(());
        }
        let value = i128::from(parent.qty.0) - parent.headroom() + i128::from(candidate.added);
        let bound = Bound { limit: parent.qty.0.into(), value, unit: Unit::Quantity };
        Err(self.overfill(candidate, state, bound))
    }

    fn refused(&mut self, candidate: &Candidate, reject: &Reject) {
        // Only an excess counts: the other refusals of this check are mistakes of address, not of counting.
        if reject.reason.code != PARENT_OVERFILL.code || !candidate.asks_more {
            return;
        }
        let at = candidate.router.index();
        if self.attempts.len() <= at {
            self.attempts.resize(at + 1, 0);
        }
        self.attempts[at] = self.attempts[at].saturating_add(1);
    }

    fn used(&self, limit: LimitId, ix: ScopeIx, state: &State) -> Option<i128> {
        match state.scopes.at(ix) {
            crate::scopes::Scope::Router(router) if limit == id::PARENT_OVERFILL_HALT_AFTER => {
                Some(self.attempts(router).into())
            }
            _ => None,
        }
    }

    fn reinstated(&mut self, _ix: ScopeIx, router: Option<RouterId>) {
        if let Some(attempts) = router.and_then(|router| self.attempts.get_mut(router.index())) {
            *attempts = 0;
        }
    }

    fn day_roll(&mut self) {
        self.attempts.fill(0);
    }

    fn digest(&self, hasher: &mut FoldHasher) {
        self.attempts.iter().for_each(|n| hasher.write_u32(*n));
    }
}

fn refuse(reason: Reason) -> Verdict {
    Err(Breach::reject(Reject::plain(reason)))
}
