//! R3: repeated automated execution - how often a strategy may be executed and enter the market again before a person looks.
//! Source: RTS 6 Art. 15(3) (after a number of repeated executions the system is disabled until designated staff re-enable it);
//! FIA 3.2; SEBI "automated execution check"; rules.md R3. Power Peg was executed four million times for 212 parents.
//!
//! What repeats is the work on one parent: a client's order is the last human act behind its children. Orders without a parent
//! repeat by strategy, symbol and side, those without a strategy by symbol and side. Each is counted by itself at every
//! scope where the limit is set - router, router_symbol or strategy - and its bound there is the same for each.
//!
//! Counted are orders that were executed, each once: an order that fills in forty pieces is one decision of its router, forty
//! orders that fill are forty. A larger quantity asked for with a replace after an execution is a new decision and counts
//! as one. An order that would make one execution more than the bound is refused; the executions of what rested reach it
//! by themselves. Either halts the scope, unless the setting says otherwise: with the action `reject` only the one parent,
//! or instrument, is closed, and everything else goes on.
//!
//! Only a reinstatement, which is a person's, or the next day starts the count again; a bust gives nothing back. The bound
//! belongs above what the largest parent needs. Work without a parent has no end, and honest work reaches any bound in the
//! end: `repeated_executions_window` counts only what was executed within it, exactly, so that the pace decides.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hash::Hasher;

use super::{Check, Fill, Look, Measure, id};
use crate::candidate::Candidate;
use crate::events::Side;
use crate::hash::FoldHasher;
use crate::ids::{ParentId, RouterId, StrategyId, SymbolId};
use crate::limits::{Action, Judges, LimitDef, LimitId, ScopeLimits, kinds};
use crate::orders::Touched;
use crate::outcome::Unit;
use crate::reasons::{ALGORITHM_RISK_THRESHOLD, Reason, reasons};
use crate::repeats::{Place, Repeats};
use crate::rows::Rows;
use crate::scopes::{ScopeIx, ScopeKind};
use crate::state::State;
use crate::units::Nanos;
use crate::watchlist::Causes;

reasons! { REASONS:
    REPEATED_EXECUTION = 271, ALGORITHM_RISK_THRESHOLD,
        "The same parent, or strategy and instrument, has been executed as often as it may be before a person looks.";
}

/// Executions.
pub static MAX_REPEATED_EXECUTIONS: LimitDef = LimitDef {
    code: 134,
    name: "max_repeated_executions",
    unit: Unit::Count,
    settable_at: kinds(&[ScopeKind::Router, ScopeKind::Strategy, ScopeKind::RouterSymbol]),
    required_at: 0,
    min: 0,
    judges: Judges::Orders,
    action: Action::Halt,
    doc: "Orders executed for one parent, or without one in one symbol and side of a strategy, since a person last \
          reinstated the scope, or the day began; with `repeated_executions_window` within it, at most 1,000.",
};

/// The window.
pub static REPEATED_EXECUTIONS_WINDOW: LimitDef = LimitDef {
    code: 137,
    name: "repeated_executions_window",
    unit: Unit::Nanos,
    // Not at pairs: there are too many of them to remember what each has executed.
    settable_at: kinds(&[ScopeKind::Router, ScopeKind::Strategy]),
    required_at: 0,
    min: 1,
    judges: Judges::Nothing,
    action: Action::Reject,
    doc: "`max_repeated_executions` counts what was executed within this time; all of the day if not set.",
};

/// Rows there is room for from the start: two scopes for each of the parents that a gateway has room for by default.
const ROOM: usize = 1 << 17;

/// Of each scope with a window: works that are remembered, the newest, and the most that is counted.
const WORKS: usize = 4_096;
const MAX_IN_WINDOW: i128 = 1_000;

/// What repeats.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Work {
    Parent(ParentId),
    Instrument(Option<StrategyId>, SymbolId, bool),
}

impl Work {
    fn of(parent: Option<ParentId>, strategy: Option<StrategyId>, symbol: SymbolId, side: Side) -> Work {
        parent.map_or(Work::Instrument(strategy, symbol, side.is_buy()), Work::Parent)
    }

    fn of_candidate(candidate: &Candidate) -> Work {
        Work::of(candidate.parent.known(), candidate.strategy, candidate.symbol, candidate.side)
    }
}

/// The executions of one work at one scope, since its arming of this number.
#[derive(Clone, Copy, Default)]
struct Row {
    arming: u32,
    executions: u32,
}

/// What was executed of late.
struct Recent {
    window: Nanos,
    works: Repeats<Work>,
    /// The work that was executed last.
    newest: Option<Place>,
}

/// A scope since a person has armed it.
#[derive(Default)]
struct Armed {
    arming: u32,
    /// The most that any work has reached.
    most: u32,
    /// From how many on each work is looked at by itself: with so many a further one would be beyond the bound.
    close: u32,
    /// Where only a window counts.
    recent: Option<Box<Recent>>,
}

impl Armed {
    fn forget(&mut self) {
        self.most = 0;
        if let Some(recent) = &mut self.recent {
            recent.works.clear();
            recent.newest = None;
        }
    }
}

/// See the module.
#[derive(Default)]
pub struct RepeatedExecution {
    scopes: Vec<Armed>,
    rows: Rows<(ScopeIx, Work), Row>,
}

impl RepeatedExecution {
    fn executions(&self, ix: ScopeIx, work: Work, now: Nanos) -> i128 {
        let Some(armed) = self.scopes.get(ix.at()) else { return 0 };
        if let Some(recent) = &armed.recent {
            return recent.works.find(&work).map_or(0, |place| recent.works.count(place, now, recent.window)) as i128;
        }
        let row = self.rows.get(&(ix, work)).filter(|row| row.arming == armed.arming);
        row.map_or(0, |row| row.executions.into())
    }

    /// The most executions of any work at a scope; with a window those of the work that was executed last.
    fn most(&self, ix: ScopeIx, now: Nanos) -> i128 {
        let Some(armed) = self.scopes.get(ix.at()) else { return 0 };
        match &armed.recent {
            Some(recent) => recent.newest.map_or(0, |place| recent.works.count(place, now, recent.window)) as i128,
            None => armed.most.into(),
        }
    }

    /// One more at each scope where the limit is set.
    fn count(&mut self, touched: &Touched, work: Work, state: &State) {
        let scopes = [Some(touched.router()), Some(touched.router_symbol()), touched.strategy()];
        for ix in scopes.into_iter().flatten() {
            if state.limits.at(ix).get(id::MAX_REPEATED_EXECUTIONS).is_none() {
                continue;
            }
            let Some(armed) = self.scopes.get_mut(ix.at()) else { continue };
            if let Some(recent) = &mut armed.recent {
                recent.newest = Some(recent.works.push(&work, state.now));
                continue;
            }
            let row = self.rows.entry((ix, work));
            if row.arming != armed.arming {
                *row = Row { arming: armed.arming, executions: 0 };
            }
            row.executions = row.executions.saturating_add(1);
            armed.most = armed.most.max(row.executions);
        }
    }
}

/// The bound at a scope where it is set.
fn bound(limits: &ScopeLimits) -> i128 {
    let bound = limits.value(id::MAX_REPEATED_EXECUTIONS);
    if limits.get(id::REPEATED_EXECUTIONS_WINDOW).is_some() { bound.min(MAX_IN_WINDOW) } else { bound }
}

impl Check for RepeatedExecution {
    const REASONS: &'static [Reason] = REASONS;
    const WATCHES: Causes = Causes::EXECUTED;

    /// Only an order whose work may have been executed as often as any.
    #[inline(always)]
    fn asks(&self, candidate: &Candidate, _state: &State) -> bool {
        for ix in candidate.touched.among(candidate.bounds.places(id::MAX_REPEATED_EXECUTIONS)) {
            if self.scopes.get(ix.at()).is_none_or(|armed| armed.most >= armed.close) {
                return true;
            }
        }
        false
    }

    fn limits_changed(&mut self, ix: ScopeIx, limits: &ScopeLimits) {
        if self.scopes.len() <= ix.at() {
            self.scopes.resize_with(ix.at() + 1, Armed::default);
        }
        let armed = &mut self.scopes[ix.at()];
        let slot = &mut armed.recent;
        armed.close = 0;
        let Some(most) = limits.get(id::MAX_REPEATED_EXECUTIONS) else {
            *slot = None;
            return;
        };
        let window = limits.get(id::REPEATED_EXECUTIONS_WINDOW);
        let Some(window) = window.map(|ns| Nanos(i64::try_from(ns).unwrap_or(i64::MAX))) else {
            *slot = None;
            armed.close = u32::try_from(most.max(0)).unwrap_or(u32::MAX);
            return self.rows.reserve(ROOM);
        };
        // One more than passes tells a breach.
        let per = bound(limits).max(0) as usize + 1;
        match slot {
            Some(recent) => {
                recent.window = window;
                if recent.works.per() != per {
                    (recent.works, recent.newest) = (recent.works.resized(WORKS, per), None);
                }
            }
            None => *slot = Some(Box::new(Recent { window, works: Repeats::new(WORKS, per), newest: None })),
        }
    }

    #[inline(always)]
    fn measure(&self, candidate: &Candidate, state: &State, see: &mut impl FnMut(Measure) -> bool) {
        let limit = id::MAX_REPEATED_EXECUTIONS;
        let places = candidate.bounds.places(limit);
        if places == 0 || !candidate.asks_more {
            return;
        }
        let work = Work::of_candidate(candidate);
        for ix in candidate.touched.among(places) {
            let (bound, value) = (bound(state.limits.at(ix)), self.executions(ix, work, candidate.now) + 1);
            if !see(Measure { ix, limit, bound, value, reason: &REPEATED_EXECUTION }) {
                return;
            }
        }
    }

    /// What is asked for beyond an execution is a decision of its own.
    #[inline(always)]
    fn reserve(&mut self, candidate: &Candidate, state: &State) {
        if candidate.bounds.places(id::MAX_REPEATED_EXECUTIONS) == 0 || !candidate.asks_more {
            return;
        }
        let replaced = candidate.replaces.and_then(|id| state.orders.get(id));
        if replaced.is_some_and(|order| order.executed) {
            self.count(&candidate.touched, Work::of_candidate(candidate), state);
        }
    }

    fn executed(&mut self, fill: &Fill<'_>, state: &State) -> u8 {
        let (order, touched) = (fill.order, &fill.order.touched);
        if fill.is_first {
            let work = Work::of(order.parent, order.strategy, order.symbol, order.side);
            self.count(touched, work, state);
        }
        // What is counted in a window may be too much again, or not any more.
        let is_close = |ix: ScopeIx| match self.scopes.get(ix.at()) {
            Some(armed) => armed.recent.is_some() || armed.most > armed.close,
            None => false,
        };
        let strategy = touched.strategy().is_some_and(is_close);
        u8::from(is_close(touched.router())) << Touched::ROUTER
            | u8::from(is_close(touched.router_symbol())) << Touched::ROUTER_SYMBOL
            | u8::from(strategy) << Touched::STRATEGY
    }

    /// Executions of what rested.
    fn watch(&self, look: &Look<'_>, see: &mut impl FnMut(Measure)) {
        let Look { ix, limits, state, .. } = *look;
        let limit = id::MAX_REPEATED_EXECUTIONS;
        let Some(setting) = limits.setting(limit) else { return };
        let (bound, value) = (bound(limits), self.most(ix, state.now));
        if value > bound && setting.action.halts().is_some() {
            see(Measure { ix, limit, bound, value, reason: &REPEATED_EXECUTION });
        }
    }

    fn used(&self, limit: LimitId, ix: ScopeIx, state: &State) -> Option<i128> {
        let set = limit == id::MAX_REPEATED_EXECUTIONS && state.limits.at(ix).get(limit).is_some();
        set.then(|| self.most(ix, state.now))
    }

    fn reinstated(&mut self, ix: ScopeIx, _router: Option<RouterId>) {
        if let Some(armed) = self.scopes.get_mut(ix.at()) {
            armed.arming = armed.arming.wrapping_add(1);
            armed.forget();
        }
    }

    fn day_roll(&mut self) {
        self.rows.clear();
        self.scopes.iter_mut().for_each(Armed::forget);
    }

    fn digest(&self, hasher: &mut FoldHasher) {
        for armed in &self.scopes {
            hasher.write_u64(u64::from(armed.arming) << 32 | u64::from(armed.most));
            if let Some(recent) = &armed.recent {
                recent.works.each_time(|_, time| hasher.write_u64(time.0 as u64));
            }
        }
        for row in self.rows.iter() {
            hasher.write_u64(u64::from(row.arming) << 32 | u64::from(row.executions));
        }
    }
}
