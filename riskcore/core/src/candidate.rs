//! An order on its way through the checks: everything they need, worked out once.

use crate::events::{OrdType, Side, TimeInForce};
use crate::ids::{AccountId, OrderId, ParentId, RouterId, StrategyId, SymbolId};
use crate::orders::Touched;
use crate::outcome::Reject;
use crate::reasons::Reason;
use crate::routes::Bounds;
use crate::scopes::{Scope, ScopeIx};
use crate::state::State;
use crate::units::{Money, Nanos, Price, Qty, Rate};

/// A new order, or an order as a replace would make it.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Time of the attempt.
    pub now: Nanos,
    /// Router.
    pub router: RouterId,
    /// Account.
    pub account: AccountId,
    /// Instrument.
    pub symbol: SymbolId,
    /// Parent, if it names one that is known.
    pub parent: crate::ids::Ref<ParentId>,
    /// Side.
    pub side: Side,
    /// Type.
    pub ord_type: OrdType,
    /// Lifetime.
    pub tif: TimeInForce,
    /// Strategy, if it names one.
    pub strategy: Option<StrategyId>,
    /// Bits of the firm's flag registry.
    pub flags: u64,
    /// The order that it replaces.
    pub replaces: Option<OrderId>,
    /// The attempt is in its router's windows already; an explanation's never is.
    pub observed: bool,
    /// Total quantity asked for.
    pub qty: Qty,
    /// Limit price.
    pub price: Option<Price>,
    /// The scopes.
    pub touched: Touched,
    /// Their limits.
    pub bounds: Bounds,
    /// What it is valued at, worst case; `None` without a usable market (rules.md, "Risk price").
    pub px_risk: Option<Price>,
    /// What the instrument's currency is worth now.
    pub fx: Rate,
    /// Value of the whole order at that price, in base currency.
    pub notional: Money,
    /// What it adds to the open quantity: all of it, or what a replace adds.
    pub added: i64,
    /// What it adds to the open notional, in base currency.
    pub added_notional: i128,
    /// It asks for quantity its router has not asked for before: every new order does, a replace only by a larger total.
    pub asks_more: bool,
    /// It could only reduce the account's position in the instrument.
    pub reduces: bool,
}

impl Candidate {
    /// A refusal by the bound of one scope.
    pub fn breach(&self, state: &State, reason: Reason, ix: ScopeIx, bound: Bound) -> Reject {
        Reject { reason, scope: Some(state.scopes.at(ix)), limit: bound.limit, value: bound.value, unit: bound.unit }
    }

    /// The scope of its router.
    pub fn router_scope(&self) -> Scope {
        Scope::Router(self.router)
    }
}

/// A bound, the value the order would reach, and what both count.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// The bound.
    pub limit: i128,
    /// The value.
    pub value: i128,
    /// The unit.
    pub unit: crate::outcome::Unit,
}
