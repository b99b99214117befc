//! X4: gross turnover - what was executed plus what is open, buys plus sells, never netted; per day and per window.
//! Source: Rule 15c3-5(c)(1)(i); rules.md X4. Knight's $2M limit on the 33 Account, wired to order entry, would have
//! stopped the morning after 0.76 s. The order that would cross the bound is refused and halts the scope.

use super::{Check, Measure, Released, id};
use crate::amounts::Amounts;
use crate::candidate::Candidate;
use crate::events::NewOrder;
use crate::hash::FoldHasher;
use crate::headroom::Lane;
use crate::limits::{Action, Judges, LimitDef, LimitId, ScopeLimits, kinds};
use crate::orders::Touched;
use crate::outcome::Unit;
use crate::reasons::{Reason, reasons};
use crate::scopes::{ScopeIx, ScopeKind};
use crate::state::State;
use crate::units::{Nanos, saturating_sum};

reasons! { REASONS:
    TURNOVER_LIMIT = 220, 25, "With what is executed and open, the order would exceed the turnover allowed; the scope is halted.";
}

const ANY: u8 =
    kinds(&[ScopeKind::Firm, ScopeKind::Account, ScopeKind::Router, ScopeKind::Strategy, ScopeKind::Symbol]);

/// Turnover of the day.
pub static MAX_TURNOVER_DAY: LimitDef = LimitDef {
    code: 60,
    name: "max_turnover_day",
    unit: Unit::Money,
    settable_at: ANY,
    required_at: kinds(&[ScopeKind::Firm]),
    min: 0,
    judges: Judges::Orders,
    action: Action::Halt,
    doc: "Notional executed today plus open notional, buys plus sells.",
};

/// Turnover of a window.
pub static MAX_TURNOVER_WINDOW: LimitDef = LimitDef {
    code: 61,
    name: "max_turnover_window",
    unit: Unit::Money,
    settable_at: ANY,
    required_at: 0,
    min: 0,
    judges: Judges::Orders,
    action: Action::Halt,
    doc: "Notional accepted within `turnover_window`, less what was cancelled unfilled.",
};

/// The window.
pub static TURNOVER_WINDOW: LimitDef = LimitDef {
    code: 62,
    name: "turnover_window",
    unit: Unit::Nanos,
    settable_at: ANY,
    required_at: 0,
    min: 1,
    judges: Judges::Nothing,
    action: Action::Reject,
    doc: "Length of the window of `max_turnover_window`; 60 s if not set. An amount may count up to 1/64 of it longer.",
};

const DEFAULT_WINDOW: Nanos = Nanos::from_secs(60);

/// Per scope: the window, if it has a limit.
#[derive(Default)]
pub struct Turnover {
    windows: Amounts,
}

impl Check for Turnover {
    const REASONS: &'static [Reason] = REASONS;

    fn grows(limit: LimitId) -> Option<Lane> {
        matches!(limit, id::MAX_TURNOVER_DAY | id::MAX_TURNOVER_WINDOW).then_some(Lane::Notional)
    }

    #[inline(always)]
    fn asks(&self, _candidate: &Candidate, _state: &State) -> bool {
        false
    }

    fn limits_changed(&mut self, ix: ScopeIx, limits: &ScopeLimits) {
        self.windows.limits_changed(ix, limits, id::MAX_TURNOVER_WINDOW, id::TURNOVER_WINDOW, DEFAULT_WINDOW);
    }

    fn ahead(&self, _order: &NewOrder, touched: &Touched) -> u64 {
        self.windows.ahead(touched.symbol())
    }

    #[inline(always)]
    fn measure(&self, candidate: &Candidate, state: &State, see: &mut impl FnMut(Measure) -> bool) {
        if candidate.added_notional <= 0 {
            return;
        }
        let (day, short) = (candidate.bounds.places(id::MAX_TURNOVER_DAY), candidate.bounds.places(id::MAX_TURNOVER_WINDOW));
        for (place, ix) in candidate.touched.places_among(day | short) {
            if day >> place & 1 == 1 {
                let bound = state.limits.at(ix).value(id::MAX_TURNOVER_DAY);
                let value = saturating_sum(state.books[ix.at()].turnover(), candidate.added_notional);
                if !see(Measure { ix, limit: id::MAX_TURNOVER_DAY, bound, value, reason: &TURNOVER_LIMIT }) {
                    return;
                }
            }
            if short >> place & 1 == 1
                && let Some(total) = self.windows.total_at(ix, candidate.now)
            {
                let bound = state.limits.at(ix).value(id::MAX_TURNOVER_WINDOW);
                let value = saturating_sum(total, candidate.added_notional);
                if !see(Measure { ix, limit: id::MAX_TURNOVER_WINDOW, bound, value, reason: &TURNOVER_LIMIT }) {
                    return;
                }
            }
        }
    }

    #[inline(always)]
    fn reserve(&mut self, candidate: &Candidate, _state: &State) {
        let (now, amount) = (candidate.now, candidate.added_notional.max(0));
        if !candidate.bounds.waived {
            return self.windows.add_to_all(&candidate.touched, now, amount);
        }
        for ix in candidate.touched.among(candidate.bounds.places(id::MAX_TURNOVER_WINDOW)) {
            self.windows.add(ix, now, amount);
        }
    }

    fn released(&mut self, released: &Released<'_>, state: &State) {
        for ix in released.touched.iter() {
            if released.notional < 0 {
                // Executed beyond what was reserved.
                self.windows.add(ix, state.now, -released.notional);
            } else {
                self.windows.take_back(ix, state.now, released.accepted_at, released.notional);
            }
        }
    }

    fn used(&self, limit: LimitId, ix: ScopeIx, state: &State) -> Option<i128> {
        match limit {
            id::MAX_TURNOVER_DAY => Some(state.books[ix.at()].turnover()),
            id::MAX_TURNOVER_WINDOW => self.windows.total_at(ix, state.now),
            _ => None,
        }
    }

    fn digest(&self, hasher: &mut FoldHasher) {
        self.windows.digest(hasher);
    }
}
