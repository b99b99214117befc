//! Why an order would pass or be refused: every check in order, what it measures, and how much room is left.
//!
//! Nothing is changed: the order takes no slot of a window and no scope outlives the explanation, so that it may be asked
//! as often as people like, of orders that were never sent.

use alloc::vec::Vec;

use crate::candidate::Candidate;
use crate::checks::{Breach, Measure};
use crate::engine::Engine;
use crate::events::NewOrder;
use crate::ids::{AccountId, CurrencyId, OrderId, SymbolId};
use crate::limits::{Action, LimitId};
use crate::orders::Touched;
use crate::outcome::Reject;
use crate::place::{candidate, worth};
use crate::reasons::CAPACITY;
use crate::routes::Bounds;
use crate::scopes::{Scope, ScopeIx};
use crate::state::State;
use crate::units::{Money, Price, Qty, Rate};

/// An order held against one bound.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// Where the limit is set.
    pub scope: Scope,
    /// Which.
    pub limit: LimitId,
    /// The largest value that passes.
    pub bound: i128,
    /// The value the order would reach.
    pub value: i128,
    /// What a breach does.
    pub action: Action,
}

impl Held {
    /// Whether the order is beyond the bound.
    pub fn is_over(&self) -> bool {
        self.value > self.bound
    }

    /// How much is left after the order; negative beyond the bound.
    pub fn headroom(&self) -> i128 {
        self.bound.saturating_sub(self.value)
    }
}

/// What one check says.
#[derive(Clone, Debug)]
pub struct Line {
    /// The check, or the step before the checks.
    pub check: &'static str,
    /// Why it refuses; `None` if the order passes it.
    pub refusal: Option<Reject>,
    /// Two people have allowed something it would refuse.
    pub overridden: bool,
    /// The bounds it holds the order against, limits on trial included.
    pub held: Vec<Held>,
}

/// What an order counts for, worst case.
#[derive(Clone, Copy, Debug)]
pub struct OrderWorth {
    /// The price it is valued at, in the instrument's currency; `None` without a usable market.
    pub px_risk: Option<Price>,
    /// The instrument's currency; `None` for the base currency.
    pub currency: Option<CurrencyId>,
    /// What it is worth.
    pub rate: Rate,
    /// The whole order at that price and rate.
    pub notional: Money,
}

impl OrderWorth {
    fn of(candidate: &Candidate, rate: Rate, state: &State) -> OrderWorth {
        let (Candidate { px_risk, notional, .. }, currency) = (*candidate, state.currency(candidate.symbol));
        OrderWorth { px_risk, currency, rate, notional }
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The answer the order would get: the first refusal, or `None` if it would pass.
    pub refusal: Option<Reject>,
    /// What the order is worth; `None` if that cannot be told.
    pub worth: Option<OrderWorth>,
    /// What every check says, in order of precedence.
    pub lines: Vec<Line>,
    /// The order's id and content were accepted before: it would be answered with its status.
    pub duplicate: Option<OrderId>,
    /// Version of the limits.
    pub limit_version: u64,
}

impl Explanation {
    fn push(&mut self, line: Line) {
        self.refusal = self.refusal.or(line.refusal);
        self.lines.push(line);
    }

    fn step(&mut self, check: &'static str, refusal: Option<Reject>) {
        self.push(Line { check, refusal, overridden: false, held: Vec::new() });
    }
}

impl Engine {
    /// Explains an order that might be sent now.
    pub fn explain(&mut self, order: &NewOrder) -> Explanation {
        let mut explanation = self.explanation();
        explanation.duplicate = self.state.orders.find(order.router, order.cl_ord_id);
        explanation.step("halted", self.blocked_by_latch(order).err().map(|breach| breach.reject));
        let buried = self.state.orders.is_buried(order.router, order.cl_ord_id);
        explanation.step("canceled", buried.then(|| Reject::plain(&crate::place::CANCELED_BEFORE_ARRIVAL)));
        let scopes = self.state.scopes.len();
        match self.touched_for_explanation(order) {
            Ok((names, touched)) => {
                let (state, bounds) = (&self.state, self.state.bounds_of(&touched));
                match worth(state, order, &touched, names.1) {
                    Ok(worth) => {
                        let candidate = candidate(state, order, names, worth, touched, &bounds, false);
                        explanation.worth = Some(OrderWorth::of(&candidate, candidate.fx, state));
                        self.explain_candidate(&candidate, order.cl_ord_id, &mut explanation);
                    }
                    Err(breach) => explanation.step("resolve", Some(breach.reject)),
                }
            }
            Err(reject) => explanation.step("resolve", Some(reject)),
        }
        self.state.forget_scopes(scopes);
        explanation
    }

    /// Explains an order that was accepted: where it stands against each bound, its own reservation counted once.
    pub fn explain_open(&self, id: OrderId) -> Option<Explanation> {
        let order = self.state.orders.get(id)?;
        let mut explanation = self.explanation();
        explanation.duplicate = Some(id);
        let symbol = order.symbol;
        let candidate = Candidate {
            now: self.state.now,
            router: order.router,
            account: order.account,
            symbol,
            parent: order.parent.map_or(crate::ids::Ref::Absent, crate::ids::Ref::Known),
            side: order.side,
            ord_type: order.ord_type,
            tif: order.tif,
            strategy: order.strategy,
            flags: order.flags,
            replaces: Some(id),
            observed: true,
            qty: order.qty,
            price: order.price,
            touched: order.touched,
            bounds: self.state.bounds_of(&order.touched),
            px_risk: Some(order.px_risk),
            fx: order.fx_risk,
            notional: self.state.notional(symbol, order.px_risk, Qty(order.qty.0.max(0)), order.fx_risk)?,
            added: 0,
            added_notional: 0,
            asks_more: false,
            reduces: false,
        };
        explanation.worth = Some(OrderWorth::of(&candidate, order.fx_risk, &self.state));
        self.explain_candidate(&candidate, order.cl_ord_id, &mut explanation);
        Some(explanation)
    }

    fn explanation(&self) -> Explanation {
        let limit_version = self.state.limits.version;
        Explanation { refusal: None, worth: None, lines: Vec::new(), duplicate: None, limit_version }
    }

    fn explain_candidate(&self, candidate: &Candidate, cl_ord_id: crate::ids::ClOrdId, into: &mut Explanation) {
        into.step("reduce_only", self.reduce_only(candidate).err().map(|breach| breach.reject));
        let mut with_trial = *candidate;
        with_trial.bounds.add(&Bounds::on_trial(&candidate.touched, &self.state.limits));
        let mut asked = *candidate;
        let waive = |asked: &mut Candidate, breach: &Breach| self.waived(asked, cl_ord_id, breach).is_some();
        self.checks.explain(
            &mut asked,
            &with_trial,
            &self.state,
            &waive,
            &mut |check, verdict, overridden, measures| {
                let held = measures.iter().map(|measure| self.held(measure)).collect();
                into.push(Line { check, refusal: verdict.err().map(|breach| breach.reject), overridden, held });
            },
        );
        let full = !self.state.orders.has_room();
        into.step("capacity", full.then(|| Reject::plain(&CAPACITY)));
    }

    fn held(&self, measure: &Measure) -> Held {
        let Measure { ix, limit, bound, value, .. } = *measure;
        let action = self.state.limits.at(ix).action(limit);
        Held { scope: self.state.scopes.at(ix), limit, bound, value, action }
    }

    /// The scopes the order would touch. Pairs that are not there yet are created without the checks' knowing: they are
    /// forgotten again at once.
    fn touched_for_explanation(&mut self, order: &NewOrder) -> Result<((AccountId, SymbolId), Touched), Reject> {
        let (account, symbol) = crate::place::resolved(order).map_err(|breach| breach.reject)?;
        let mut place = |scope: Scope| self.state.scope_or_create(scope).ok_or_else(|| Reject::plain(&CAPACITY));
        let router = place(Scope::Router(order.router)).map_err(|_| Reject::plain(&crate::place::UNKNOWN_ROUTER))?;
        let six = [
            ScopeIx::FIRM,
            place(Scope::Account(account))?,
            router,
            place(Scope::Symbol(symbol))?,
            place(Scope::AccountSymbol(account, symbol))?,
            place(Scope::RouterSymbol(order.router, symbol))?,
        ];
        let strategy = order.strategy.known().map(|strategy| place(Scope::Strategy(strategy))).transpose()?;
        Ok(((account, symbol), Touched::new(six, strategy)))
    }
}
