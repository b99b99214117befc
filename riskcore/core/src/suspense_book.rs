//! What is booked to suspense: executions of unknown orders, and what an order of ours was filled beyond its quantity
//! (rules.md U1). Positions, cash and losses have it already; this is the count that is kept apart.

use crate::books::Execution;
use crate::engine::Engine;
use crate::ids::{OrderId, SymbolId};
use crate::orders::Order;
use crate::scopes::{Scope, ScopeIx};
use crate::suspense::{Amount, Origin};
use crate::units::{Price, Qty};
use crate::watchlist::Causes;

impl Engine {
    /// An execution of an order nobody here has sent.
    pub(crate) fn suspend_unknown(&mut self, order: OrderId, symbol: SymbolId, execution: Execution) {
        let earlier_run = self.state.orders.is_of_earlier_run(order);
        let origin = Origin { router: None, parent: None, symbol, earlier_run };
        let notional = if self.state.rate(symbol).is_some() { execution.notional } else { i128::MAX };
        let amount = Amount { signed_qty: execution.signed_qty, notional };
        let scopes = [Some(ScopeIx::FIRM), self.state.scopes.find(Scope::Symbol(symbol))];
        self.state.suspense.add(origin, scopes.into_iter().flatten(), amount, self.state.now);
        for ix in scopes.into_iter().flatten() {
            self.state.watchlist.push(ix, Causes::UNMATCHED);
        }
    }

    /// An order was filled by `execution`, or a replace that might have explained its fills came to nothing: what is beyond
    /// its quantity now, and was not before, is unmatched. It is valued at the price of the execution, or the order's mean.
    pub(crate) fn suspend_excess(&mut self, id: OrderId, execution: Option<(Qty, Price)>) {
        let Some(order) = self.state.orders.get(id).filter(|order| order.cum > order.qty) else { return };
        let known = self.state.suspense.excess_of(id);
        let (at_most, price) = execution.unwrap_or_else(|| (order.cum, mean_price(order)));
        let further = (self.beyond(order) - known).min(at_most.0);
        if further <= 0 {
            return;
        }
        let (origin, touched, signed_qty) = (self.origin(order), order.touched, further * order.side.sign());
        let rate = self.state.rate(order.symbol);
        let notional = rate.and_then(|rate| self.state.notional(order.symbol, price, Qty(further), rate));
        let notional = notional.map_or(i128::MAX, |money| money.0);
        let (amount, now) = (Amount { signed_qty, notional }, self.state.now);
        self.state.suspense.exceeded(id, origin, touched.iter(), amount, now);
        for ix in touched.iter() {
            self.state.watchlist.push(ix, Causes::UNMATCHED);
        }
    }

    /// An execution was taken back, and with it perhaps what was beyond the order's quantity.
    pub(crate) fn shrink_excess(&mut self, id: OrderId) {
        let known = self.state.suspense.excess_of(id);
        let Some(order) = self.state.orders.get(id).filter(|_| known > 0) else { return };
        let left = known.min(self.beyond(order));
        if left < known {
            let (origin, touched, sign) = (self.origin(order), order.touched, order.side.sign());
            self.state.suspense.shrunk(id, origin, touched.iter(), sign, left);
        }
    }

    /// What an order is filled beyond its quantity, or beyond the one that a replace in flight asks for.
    fn beyond(&self, order: &Order) -> i64 {
        let pending = self.state.orders.pending_replace(order.id).map_or(Qty::ZERO, |pending| pending.qty);
        order.cum.0.saturating_sub(order.qty.max(pending).0).max(0)
    }

    fn origin(&self, order: &Order) -> Origin {
        let parent = order.parent.and_then(|id| self.state.parents.get(id)).map(|parent| parent.name);
        Origin { router: Some(order.router), parent, symbol: order.symbol, earlier_run: false }
    }
}

/// The mean price of an order's executions, rounded up.
fn mean_price(order: &Order) -> Price {
    let (sum, count) = (order.cum_px_qty, i128::from(order.cum.0.max(1)));
    // A mean of i64 values fits in an i64.
    Price((sum.div_euclid(count) + i128::from(sum.rem_euclid(count) != 0)) as i64)
}
