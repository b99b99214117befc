//! Stopping: halts, the sweep that cancels what rests, cancels of routers, lost sessions.
//!
//! Cancels always pass, in every state; they are never counted against a rate and never wait for a check.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::engine::Engine;
use crate::events::{Cancel, MassCancel};
use crate::halts::{Offender, State as HaltState, Trip};
use crate::ids::{OrderId, RouterId, SymbolId};
use crate::outcome::{Alarm, CxlRejReason, Effect, Outcome, Reject};
use crate::reasons::UNKNOWN_SCOPE;
use crate::scopes::{Scope, ScopeIx};
use crate::units::Nanos;

/// Cancels one turn of the loop may send: a sweep of a million orders must not hold up cancels and
/// reports of others.
pub const CANCELS_PER_TURN: usize = 64;

/// How long a cancel may stay unanswered before it is sent again.
pub const CANCEL_RETRY: Nanos = Nanos::from_secs(1);

/// How long a cancel that overtook its order waits for it.
pub(crate) const TOMBSTONE_AGE: Nanos = Nanos::from_secs(60);

/// Who halts when no person does.
pub(crate) const RISKGATE: &str = "riskgate";

/// Orders to cancel, a turn at a time.
pub(crate) struct Sweep {
    /// The halted scope and its trip; `None` for a mass cancel, a lost session or a lost link.
    pub(crate) trip: Option<(ScopeIx, u64)>,
    /// Of a mass cancel or a lost session: whose orders, and of which instrument.
    of: Option<(RouterId, Option<SymbolId>)>,
    /// The router's session is lost: nobody but the sweep asks again for what the venue refuses or does not answer.
    lost: bool,
    queue: Vec<OrderId>,
    /// When the queue was last filled.
    filled_at: Nanos,
}

impl Engine {
    /// A check, or a report, halts a scope. A scope that is already halted as severely keeps its first cause.
    pub(crate) fn trip(&mut self, scope: Scope, state: HaltState, cause: Reject, offender: Option<Offender>) {
        let Some(ix) = self.state.scopes.find(scope) else { return };
        if self.state.halts.state(ix) >= state {
            return;
        }
        let trip = self.latch(ix, state, Some(cause), offender, RISKGATE.to_string(), String::new());
        self.open_incident(trip, scope, cause.reason);
    }

    /// A person halts a scope. Nothing refuses it but a scope that does not exist.
    pub(crate) fn halt(&mut self, scope: Scope, state: HaltState, principal: &str, text: &str) -> Outcome {
        let before = self.state.scopes.len();
        let Some(ix) = self.state.scope_or_create(scope) else {
            return Outcome::Refused(Reject::plain(&UNKNOWN_SCOPE));
        };
        if self.state.scopes.len() > before {
            self.checks.limits_changed(ix, self.state.limits.at(ix));
        }
        let state = state.max(HaltState::ReduceOnly);
        Outcome::Halted(self.latch(ix, state, None, None, principal.to_string(), text.to_string()))
    }

    fn latch(
        &mut self,
        ix: ScopeIx,
        state: HaltState,
        cause: Option<Reject>,
        offender: Option<Offender>,
        principal: String,
        text: String,
    ) -> u64 {
        let trip = Trip {
            id: 0,
            scope: self.state.scopes.at(ix),
            state,
            cause,
            offender,
            principal,
            text,
            time: self.state.now,
            open_orders: self.state.books[ix.at()].open_orders,
            cancels_refused: 0,
            reinstated: None,
            clean: false,
        };
        let (id, more_severe) = self.state.halts.latch_scope(ix, trip);
        if !more_severe {
            return id;
        }
        self.effects.push(Effect::Halted(id));
        if state.cancels_resting() {
            // A more severe halt of the scope takes over the sweep of the milder one.
            self.sweeps.retain(|sweep| sweep.trip.is_none_or(|(swept, _)| swept != ix));
            self.sweeps.push(Sweep {
                trip: Some((ix, id)),
                of: None,
                lost: false,
                queue: self.open_in(ix),
                filled_at: self.state.now,
            });
            self.sweep_turn();
        }
        id
    }

    /// Open orders of a scope, oldest first.
    fn open_in(&self, ix: ScopeIx) -> Vec<OrderId> {
        let orders = &self.state.orders;
        let mut ids: Vec<OrderId> = match self.state.scopes.at(ix) {
            Scope::Router(router) | Scope::RouterSymbol(router, _) => orders
                .open_of(router)
                .filter(|order| order.touched.iter().any(|touched| touched == ix))
                .map(|order| order.id)
                .collect(),
            _ => self
                .open_orders()
                .filter(|order| order.touched.iter().any(|touched| touched == ix))
                .map(|o| o.id)
                .collect(),
        };
        ids.sort_unstable_by(|a, b| b.cmp(a));
        ids
    }

    fn open_orders(&self) -> impl Iterator<Item = &crate::orders::Order> + '_ {
        (0..self.state.names.routers.len() as u32).flat_map(|router| self.state.orders.open_of(RouterId(router)))
    }

    pub(crate) fn open_order_ids(&self) -> Vec<OrderId> {
        self.open_orders().map(|order| order.id).collect()
    }

    /// Whether orders wait to be cancelled: the loop should turn at once instead of waiting for its timer.
    pub fn sweep_pending(&self) -> bool {
        self.state.venue.up && self.sweeps.iter().any(|sweep| !sweep.queue.is_empty())
    }

    /// Sends the cancels of one turn. Without a link nothing is sent; the sweep goes on when it is back.
    pub(crate) fn sweep_turn(&mut self) {
        if !self.state.venue.up {
            return;
        }
        let mut budget = CANCELS_PER_TURN;
        for n in 0..self.sweeps.len() {
            while budget > 0 {
                let Some(id) = self.sweeps[n].queue.pop() else { break };
                budget -= usize::from(self.send_cancel(id));
            }
        }
        self.sweeps.retain(|sweep| sweep.trip.is_some() || sweep.lost || !sweep.queue.is_empty());
    }

    /// Asks the venue to cancel an order, unless it was asked just now. Returns whether it was asked.
    fn send_cancel(&mut self, id: OrderId) -> bool {
        let now = self.state.now;
        let Some(order) = self.state.orders.get_mut(id).filter(|order| order.is_open()) else { return false };
        if order.cancel_requested().is_some_and(|at| now.since(at) < CANCEL_RETRY) {
            return false;
        }
        order.set_cancel_requested(Some(now));
        if self.state.venue.up {
            self.effects.push(Effect::SendCancel(id));
        }
        true
    }

    /// Time passes: sweeps go on, and what has stayed open is asked for again.
    pub(crate) fn sweep_timer(&mut self) {
        let now = self.state.now;
        for n in 0..self.sweeps.len() {
            let sweep = &self.sweeps[n];
            if !sweep.queue.is_empty() || now.since(sweep.filled_at) < CANCEL_RETRY {
                continue;
            }
            let queue = match (sweep.trip, sweep.of) {
                (Some((ix, _)), _) => self.open_in(ix),
                (None, Some((router, _))) if sweep.lost => {
                    self.state.orders.open_of(router).map(|order| order.id).collect()
                }
                _ => continue,
            };
            let sweep = &mut self.sweeps[n];
            sweep.lost &= !queue.is_empty();
            (sweep.queue, sweep.filled_at) = (queue, now);
        }
        self.sweep_turn();
        self.state.orders.expire_tombstones(now, TOMBSTONE_AGE);
    }

    /// After a lost link: everything that was to be cancelled is asked for again.
    pub(crate) fn resend_cancels(&mut self) {
        let mut again = Vec::new();
        self.for_open_orders(|order| {
            if order.cancel_requested().is_some() {
                order.set_cancel_requested(None);
                again.push(order.id);
            }
        });
        again.sort_unstable_by(|a, b| b.cmp(a));
        if !again.is_empty() {
            self.sweeps.push(Sweep { trip: None, of: None, lost: false, queue: again, filled_at: self.state.now });
        }
    }

    pub(crate) fn resume_sweeps(&mut self) {
        for n in 0..self.sweeps.len() {
            if let Some((ix, _)) = self.sweeps[n].trip {
                self.sweeps[n].queue = self.open_in(ix);
            }
        }
        self.sweep_turn();
    }

    /// Says so when every order of a halted scope is confirmed gone.
    pub(crate) fn notice_clean_halts(&mut self) {
        let mut n = 0;
        while n < self.sweeps.len() {
            match self.sweeps[n].trip {
                Some((ix, trip)) if self.state.books[ix.at()].open_orders == 0 => {
                    self.sweeps.remove(n);
                    if let Some(trip) = self.state.halts.trips_mut().iter_mut().find(|t| t.id == trip) {
                        trip.clean = true;
                    }
                    self.effects.push(Effect::HaltClean(trip));
                }
                _ => n += 1,
            }
        }
    }

    /// A router cancels one of its orders.
    pub(crate) fn cancel(&mut self, cancel: &Cancel) -> Outcome {
        let Some(id) = self.state.orders.find(cancel.router, cancel.orig_cl_ord_id) else {
            if cancel.lane {
                self.state.orders.bury(cancel.router, cancel.orig_cl_ord_id, self.state.now);
            }
            return Outcome::CancelRejected(None, CxlRejReason::UnknownOrder);
        };
        if self.state.orders.get(id).is_none_or(|order| !order.is_open()) {
            return Outcome::CancelRejected(Some(id), CxlRejReason::TooLate);
        }
        self.send_cancel(id);
        Outcome::CancelAccepted(id)
    }

    /// A router cancels all its orders, or those of one instrument.
    pub(crate) fn mass_cancel(&mut self, request: &MassCancel) -> Outcome {
        Outcome::MassCancelAccepted(self.cancel_all_of(request.router, request.symbol, false))
    }

    /// A router's session is lost. Its orders are asked for until they are gone or the router is back.
    pub(crate) fn session_down(&mut self, router: RouterId, cancel_orders: bool) -> Outcome {
        self.state.fleet.set_live(router, false);
        self.checks.session_liveness.back(router);
        if cancel_orders {
            Outcome::MassCancelAccepted(self.cancel_all_of(router, None, true))
        } else {
            Outcome::Applied
        }
    }

    /// A router's session is lost without a logout: with a grace period its orders stay until that is over.
    pub(crate) fn session_lost(&mut self, router: RouterId) -> Outcome {
        if self.checks.session_liveness.lost(router, &self.state) {
            self.state.fleet.set_live(router, false);
            return Outcome::Applied;
        }
        self.session_down(router, true)
    }

    /// Cancels the orders of routers that are not back in time.
    pub(crate) fn end_grace_periods(&mut self) {
        while let Some(router) = self.checks.session_liveness.overdue(self.state.now) {
            self.effects.push(Effect::Alarm(Alarm::GraceOver(router)));
            self.cancel_all_of(router, None, true);
        }
    }

    /// The router is back: what it sends from now on is its own affair. Cancels that wait still go.
    pub(crate) fn session_up(&mut self, router: RouterId) -> Outcome {
        self.state.fleet.set_live(router, true);
        self.checks.session_liveness.back(router);
        for sweep in self.sweeps.iter_mut().filter(|sweep| sweep.of == Some((router, None))) {
            sweep.lost = false;
        }
        self.sweeps.retain(|sweep| sweep.trip.is_some() || sweep.lost || !sweep.queue.is_empty());
        Outcome::Applied
    }

    fn cancel_all_of(&mut self, router: RouterId, symbol: Option<SymbolId>, lost: bool) -> u32 {
        let queue: Vec<OrderId> = self
            .state
            .orders
            .open_of(router)
            .filter(|order| symbol.is_none_or(|symbol| order.symbol == symbol))
            .map(|order| order.id)
            .collect();
        let count = queue.len() as u32;
        if count > 0 {
            // Kept while the link is down. What an earlier request has left is among these orders: one queue is enough,
            // however often a router asks.
            let of = Some((router, symbol));
            self.sweeps.retain(|sweep| sweep.of != of);
            self.sweeps.push(Sweep { trip: None, of, lost, queue, filled_at: self.state.now });
            self.sweep_turn();
        }
        count
    }
}
