//! A11: what a person needs to see of a halt, as it was when it latched.
//!
//! Worked out once per halt, at the end of the event that latched it, and kept with the trip's number. What is cheap to
//! read afterwards (names, sentences) is not kept.

use alloc::vec::Vec;

use super::Detect;
use super::first_seen::Seen;
use super::trail::Step;
use crate::checks::{CATALOGUE, Checks, LIMIT_COUNT};
use crate::halts::Trip;
use crate::ids::{AccountId, ClOrdId, ParentId, RouterId, SymbolId};
use crate::limits::LimitId;
use crate::outcome::{Reject, Unit};
use crate::scopes::{Scope, ScopeIx};
use crate::state::State;
use crate::units::Nanos;

/// Evidence held: of the newest halts.
pub const MAX_EVIDENCE: usize = 256;

/// Halts of one event whose evidence is worked out; an event that halts more has one cause.
pub(super) const MAX_PER_EVENT: usize = 16;

/// Positions listed: those worth most.
pub const MAX_POSITIONS: usize = 10;

/// An order that offended first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct First {
    /// Its id at its router.
    pub cl_ord_id: ClOrdId,
    /// Its parent.
    pub parent: Option<ParentId>,
    /// When.
    pub time: Nanos,
    /// Orders of the router refused for the same reason today, up to the halt.
    pub count: u64,
}

/// The value of the measure at one router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByRouter {
    /// Which router.
    pub router: RouterId,
    /// The value, in the unit of the cause.
    pub value: i128,
}

/// A position within the halted scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Whose, unless the scope is a router's.
    pub account: Option<AccountId>,
    /// Instrument.
    pub symbol: SymbolId,
    /// Signed quantity.
    pub position: i64,
    /// Open buys.
    pub open_buy: i64,
    /// Open sells.
    pub open_sell: i64,
    /// Worst-case gross notional.
    pub gross: i128,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The halt.
    pub trip: u64,
    /// The router at fault: that of the order, of the scope, or the one that has most of the measure.
    pub culprit: Option<RouterId>,
    /// The first order of that router that was refused for this cause today.
    pub first: Option<First>,
    /// The culprit's last steps, oldest first.
    pub steps: Vec<Step>,
    /// The measure at every router that shows it.
    pub by_router: Vec<ByRouter>,
    /// The limit that measures, if one does.
    pub limit: Option<LimitId>,
    /// Orders resting in the scope.
    pub open_orders: u32,
    /// Worst-case gross notional of the scope.
    pub gross: i128,
    /// Profit and loss of the scope today.
    pub pnl: i128,
    /// What it lost a second over the last ten seconds, 1e-9 of money; negative for a gain, `None` before there is a past.
    pub loss_per_second: Option<i128>,
    /// Positions worth most, of all in the scope.
    pub positions: Vec<Held>,
    /// Positions there were.
    pub position_count: u32,
}

/// Works the evidence of a halt out.
pub(super) fn capture(trip: &Trip, detect: &Detect, checks: &Checks, state: &State) -> Evidence {
    let limit = trip.cause.as_ref().and_then(|cause| limit_of(cause, state));
    let by_router = limit.map_or_else(Vec::new, |limit| measure(trip.scope, limit, checks, state));
    let culprit = culprit(trip, &by_router);
    let book = state.scopes.find(trip.scope).and_then(|ix| state.books.get(ix.at()));
    let (positions, position_count) = held(trip.scope, state);
    Evidence {
        trip: trip.id,
        culprit,
        first: culprit.zip(trip.cause).and_then(|(router, cause)| first(router, &cause, detect)),
        steps: culprit.map_or_else(Vec::new, |router| detect.trails.of(router).copied().collect()),
        by_router,
        limit,
        open_orders: trip.open_orders,
        gross: book.map_or(0, |book| book.gross),
        pnl: book.map_or(0, |book| book.pnl),
        loss_per_second: detect.pace.loss_per_second(trip.scope, state),
        positions,
        position_count,
    }
}

fn first(router: RouterId, cause: &Reject, detect: &Detect) -> Option<First> {
    let sighting = detect.first_seen.sighting(Seen::Refusal(cause.reason), router)?;
    let (cl_ord_id, parent) = sighting.order?;
    Some(First { cl_ord_id, parent, time: sighting.first, count: sighting.count })
}

/// The limit behind a cause: one of the check that owns its reason, preferably the one with the bound that was met.
fn limit_of(cause: &Reject, state: &State) -> Option<LimitId> {
    let ix = state.scopes.find(cause.scope?)?;
    let mut before = 0;
    for (_, reasons, count) in CATALOGUE {
        if reasons.iter().any(|reason| reason.code == cause.reason.code) {
            let set = |id: &LimitId| state.limits.at(ix).get(*id).is_some();
            let own = (before..before + count).map(|n| LimitId(n as u16)).filter(|id| usize::from(id.0) < LIMIT_COUNT);
            let met = own.clone().find(|id| state.limits.at(ix).get(*id) == Some(cause.limit) && set(id));
            return met.or_else(|| own.clone().find(set));
        }
        before += count;
    }
    None
}

/// The measure at each router: its own, or its part in a scope that all routers share.
fn measure(scope: Scope, limit: LimitId, checks: &Checks, state: &State) -> Vec<ByRouter> {
    let routers = (0..state.names.routers.len() as u32).map(RouterId);
    let of = |router: RouterId| {
        let place = match scope {
            Scope::RouterSymbol(_, symbol) | Scope::Symbol(symbol) | Scope::AccountSymbol(_, symbol) => {
                state.scopes.find(Scope::RouterSymbol(router, symbol))
            }
            _ => state.scopes.router(router),
        };
        Some(ByRouter { router, value: value_at(limit, place?, checks, state)? })
    };
    routers.filter_map(of).collect()
}

/// What a limit has used at a scope, whether it is set there or not.
fn value_at(limit: LimitId, ix: ScopeIx, checks: &Checks, state: &State) -> Option<i128> {
    let book = state.books.get(ix.at())?;
    checks.used(limit, ix, state).or(match (limit.def().unit, limit.def().name) {
        (Unit::Money, name) if name.contains("loss") => Some(-book.pnl),
        (Unit::Money, name) if name.contains("turnover") => Some(book.turnover()),
        (Unit::Money, _) => Some(book.gross),
        _ => None,
    })
}

/// The router at fault.
fn culprit(trip: &Trip, by_router: &[ByRouter]) -> Option<RouterId> {
    if let Some(offender) = trip.offender {
        return Some(offender.router);
    }
    if let Scope::Router(router) | Scope::RouterSymbol(router, _) = trip.scope {
        return Some(router);
    }
    // The first of the largest; nobody, if it is nothing.
    let largest = by_router.iter().map(|one| one.value).max().filter(|value| *value > 0)?;
    by_router.iter().find(|one| one.value == largest).map(|one| one.router)
}

/// Positions and open quantities in a scope, the largest first, and how many there are.
fn held(scope: Scope, state: &State) -> (Vec<Held>, u32) {
    let mut all = Vec::new();
    for (ix, cell) in state.scopes.iter() {
        let (account, symbol) = match (scope, cell) {
            (Scope::Firm | Scope::Strategy(_), Scope::AccountSymbol(account, symbol)) => (Some(account), symbol),
            (Scope::Account(own), Scope::AccountSymbol(account, symbol)) if own == account => (Some(account), symbol),
            (Scope::Symbol(own), Scope::AccountSymbol(account, symbol)) if own == symbol => (Some(account), symbol),
            (Scope::AccountSymbol(..), Scope::AccountSymbol(account, symbol)) if cell == scope => {
                (Some(account), symbol)
            }
            (Scope::Router(own), Scope::RouterSymbol(router, symbol)) if own == router => (None, symbol),
            (Scope::RouterSymbol(..), Scope::RouterSymbol(_, symbol)) if cell == scope => (None, symbol),
            _ => continue,
        };
        let book = &state.books[ix.at()];
        if (book.position, book.open_buy, book.open_sell) != (0, 0, 0) {
            let (position, open_buy, open_sell) = (book.position, book.open_buy, book.open_sell);
            all.push(Held { account, symbol, position, open_buy, open_sell, gross: book.gross });
        }
    }
    let count = all.len() as u32;
    all.sort_by_key(|held| core::cmp::Reverse(held.gross));
    all.truncate(MAX_POSITIONS);
    (all, count)
}
