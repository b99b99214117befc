//! R4: notional velocity - how fast a scope commits money. Source: FIA 3.4; FIX RiskLimitType 14 (volume per time period);
//! rules.md R4.
//!
//! Counted is the gross notional of what was accepted within a window, at its risk price: buys plus sells, and of a replace
//! what it adds. Nothing is ever given back. That is the difference from X4's `max_turnover_window`, which bounds what a
//! window may come to cost and therefore forgets what was cancelled unfilled: a router that places and cancels without end
//! never meets X4 and meets this. So its window is short and its bound a pace, not a budget.
//!
//! It is asked late: a single order that is too large is that order's own fault and refused as such (Q1, Q2), not the pace of
//! a router that must be halted.
//!
//! What is refused does not count: in a window shared with others a runaway must not use up its peers' pace.

use super::{Check, Measure, id};
use crate::amounts::Amounts;
use crate::candidate::Candidate;
use crate::events::NewOrder;
use crate::hash::FoldHasher;
use crate::headroom::Lane;
use crate::limits::{Action, Judges, LimitDef, LimitId, ScopeLimits, kinds};
use crate::orders::Touched;
use crate::outcome::Unit;
use crate::reasons::{ALGORITHM_RISK_THRESHOLD, Reason, reasons};
use crate::scopes::{ScopeIx, ScopeKind};
use crate::state::State;
use crate::units::{Nanos, saturating_sum};

reasons! { REASONS:
    NOTIONAL_VELOCITY = 272, ALGORITHM_RISK_THRESHOLD,
        "With this order more notional would have been accepted in a short time than the scope may commit; it is halted, unless \
         its limit says otherwise.";
}

const AT: u8 =
    kinds(&[ScopeKind::Firm, ScopeKind::Account, ScopeKind::Router, ScopeKind::Strategy, ScopeKind::Symbol]);

/// Notional per window.
pub static MAX_NOTIONAL_VELOCITY: LimitDef = LimitDef {
    code: 135,
    name: "max_notional_velocity",
    unit: Unit::Money,
    settable_at: AT,
    required_at: 0,
    min: 0,
    judges: Judges::Orders,
    action: Action::Halt,
    doc: "Notional accepted within `notional_velocity_window`, buys plus sells, cancelled or not.",
};

/// The window.
pub static NOTIONAL_VELOCITY_WINDOW: LimitDef = LimitDef {
    code: 136,
    name: "notional_velocity_window",
    unit: Unit::Nanos,
    settable_at: AT,
    required_at: 0,
    min: 1,
    judges: Judges::Nothing,
    action: Action::Reject,
    doc: "Length of the window of `max_notional_velocity`; one second if not set. An amount may count up to 1/64 of it longer.",
};

const DEFAULT_WINDOW: Nanos = Nanos::from_secs(1);

/// Per scope: the window, if it has a limit.
#[derive(Default)]
pub struct NotionalVelocity {
    windows: Amounts,
}

impl Check for NotionalVelocity {
    const REASONS: &'static [Reason] = REASONS;

    fn grows(limit: LimitId) -> Option<Lane> {
        (limit == id::MAX_NOTIONAL_VELOCITY).then_some(Lane::Notional)
    }

    #[inline(always)]
    fn asks(&self, _candidate: &Candidate, _state: &State) -> bool {
        false
    }

    fn limits_changed(&mut self, ix: ScopeIx, limits: &ScopeLimits) {
        self.windows.limits_changed(ix, limits, id::MAX_NOTIONAL_VELOCITY, id::NOTIONAL_VELOCITY_WINDOW, DEFAULT_WINDOW);
    }

    fn ahead(&self, _order: &NewOrder, touched: &Touched) -> u64 {
        self.windows.ahead(touched.symbol())
    }

    #[inline(always)]
    fn measure(&self, candidate: &Candidate, state: &State, see: &mut impl FnMut(Measure) -> bool) {
        if candidate.added_notional <= 0 {
            return;
        }
        let limit = id::MAX_NOTIONAL_VELOCITY;
        for ix in candidate.touched.among(candidate.bounds.places(limit)) {
            let Some(total) = self.windows.total_at(ix, candidate.now) else { continue };
            let bound = state.limits.at(ix).value(limit);
            let value = saturating_sum(total, candidate.added_notional);
            if !see(Measure { ix, limit, bound, value, reason: &NOTIONAL_VELOCITY }) {
                return;
            }
        }
    }

    #[inline(always)]
    fn reserve(&mut self, candidate: &Candidate, _state: &State) {
        let (now, amount) = (candidate.now, candidate.added_notional.max(0));
        if !candidate.bounds.waived {
            return self.windows.add_to_all(&candidate.touched, now, amount);
        }
        for ix in candidate.touched.among(candidate.bounds.places(id::MAX_NOTIONAL_VELOCITY)) {
            self.windows.add(ix, now, amount);
        }
    }

    fn used(&self, limit: LimitId, ix: ScopeIx, state: &State) -> Option<i128> {
        if limit == id::MAX_NOTIONAL_VELOCITY { self.windows.total_at(ix, state.now) } else { None }
    }

    fn digest(&self, hasher: &mut FoldHasher) {
        self.windows.digest(hasher);
    }
}
