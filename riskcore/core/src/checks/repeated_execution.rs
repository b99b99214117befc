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
//! Only a reinstatement, which is a person's, or the next day starts the count again. Nothing is given back but a bust.
//! The bound belongs above what the largest parent needs.

use alloc::vec::Vec;
use core::hash::Hasher;

use super::{Check, Fill, Measure, id};
use crate::candidate::Candidate;
use crate::events::Side;
use crate::hash::FoldHasher;
use crate::ids::{ParentId, RouterId, StrategyId, SymbolId};
use crate::limits::{Action, Judges, LimitDef, LimitId, ScopeLimits, kinds};
use crate::orders::Touched;
use crate::outcome::Unit;
use crate::reasons::{ALGORITHM_RISK_THRESHOLD, Reason, reasons};
use crate::rows::Rows;
use crate::scopes::{ScopeIx, ScopeKind};
use crate::state::State;

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
          reinstated the scope, or the day began.",
};

/// Rows there is room for from the start: two scopes for each of the parents that a gateway has room for by default.
const ROOM: usize = 1 << 17;

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

/// A scope since a person has armed it.
#[derive(Clone, Copy, Default)]
struct Armed {
    arming: u32,
    /// The most that any work has reached.
    most: u32,
}

/// See the module.
#[derive(Default)]
pub struct RepeatedExecution {
    scopes: Vec<Armed>,
    rows: Rows<(ScopeIx, Work), Row>,
}

impl RepeatedExecution {
    fn armed(&self, ix: ScopeIx) -> Armed {
        self.scopes.get(ix.at()).copied().unwrap_or_default()
    }

    fn executions(&self, ix: ScopeIx, work: Work) -> u32 {
        let row = self.rows.get(&(ix, work)).filter(|row| row.arming == self.armed(ix).arming);
        row.map_or(0, |row| row.executions)
    }

    /// One more, or one taken back, at each scope where the limit is set.
    fn count(&mut self, touched: &Touched, work: Work, more: bool, state: &State) {
        let scopes = [Some(touched.router()), Some(touched.router_symbol()), touched.strategy()];
        for ix in scopes.into_iter().flatten() {
            if state.limits.at(ix).get(id::MAX_REPEATED_EXECUTIONS).is_none() {
                continue;
            }
            let Some(armed) = self.scopes.get_mut(ix.at()) else { continue };
            let row = self.rows.entry((ix, work));
            if row.arming != armed.arming {
                *row = Row { arming: armed.arming, executions: 0 };
            }
            row.executions = if more { row.executions.saturating_add(1) } else { row.executions.saturating_sub(1) };
            armed.most = armed.most.max(row.executions);
        }
    }
}

impl Check for RepeatedExecution {
    const REASONS: &'static [Reason] = REASONS;

    fn limits_changed(&mut self, ix: ScopeIx, limits: &ScopeLimits) {
        if self.scopes.len() <= ix.at() {
            self.scopes.resize(ix.at() + 1, Armed::default());
        }
        if limits.get(id::MAX_REPEATED_EXECUTIONS).is_some() {
            self.rows.reserve(ROOM);
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
            let (bound, value) = (state.limits.at(ix).value(limit), i128::from(self.executions(ix, work)) + 1);
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
        if replaced.is_some_and(|order| order.cum.0 > 0) {
            self.count(&candidate.touched, Work::of_candidate(candidate), true, state);
        }
    }

    fn executed(&mut self, fill: &Fill<'_>, state: &State) {
        let order = fill.order;
        let (first, undone) = (order.cum.0 == fill.qty, fill.qty < 0 && order.cum.0 == 0);
        if first || undone {
            let work = Work::of(order.parent, order.strategy, order.symbol, order.side);
            self.count(&order.touched, work, first, state);
        }
    }

    /// Executions of what rested.
    fn watch(&self, ix: ScopeIx, state: &State, see: &mut impl FnMut(Measure)) {
        let limit = id::MAX_REPEATED_EXECUTIONS;
        let Some(setting) = state.limits.at(ix).setting(limit) else { return };
        let (bound, value) = (setting.value, i128::from(self.armed(ix).most));
        if value > bound && setting.action.halts().is_some() {
            see(Measure { ix, limit, bound, value, reason: &REPEATED_EXECUTION });
        }
    }

    fn used(&self, limit: LimitId, ix: ScopeIx, state: &State) -> Option<i128> {
        let set = limit == id::MAX_REPEATED_EXECUTIONS && state.limits.at(ix).get(limit).is_some();
        set.then(|| self.armed(ix).most.into())
    }

    fn reinstated(&mut self, ix: ScopeIx, _router: Option<RouterId>) {
        if let Some(armed) = self.scopes.get_mut(ix.at()) {
            *armed = Armed { arming: armed.arming.wrapping_add(1), most: 0 };
        }
    }

    fn day_roll(&mut self) {
        self.rows.clear();
        self.scopes.iter_mut().for_each(|armed| armed.most = 0);
    }

    fn digest(&self, hasher: &mut FoldHasher) {
        for armed in &self.scopes {
            hasher.write_u64(u64::from(armed.arming) << 32 | u64::from(armed.most));
        }
        for row in self.rows.iter() {
            hasher.write_u64(u64::from(row.arming) << 32 | u64::from(row.executions));
        }
    }
}
