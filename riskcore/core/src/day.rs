//! The trading day: what starts anew with it, and what does not.

use alloc::vec::Vec;

use crate::checks::id;
use crate::engine::Engine;
use crate::outcome::{Outcome, Reject};
use crate::reasons::BAD_REFERENCE_DATA;
use crate::scopes::{Scope, ScopeIx, ScopeKind};

impl Engine {
    /// A new trading day, keyed by its date: rolling to the same or an earlier day changes nothing. Turnover, profit and
    /// loss and the ids of finished orders start anew, loosened limits and overrides end; positions, open orders and halts stay.
    pub(crate) fn day_roll(&mut self, date: u32) -> Outcome {
        if date <= self.state.day {
            return Outcome::Refused(Reject::plain(&BAD_REFERENCE_DATA));
        }
        self.state.day = date;
        self.state.orders.day_roll();
        self.state.parents.clear();
        self.state.fleet.day_roll();
        self.state.suspense.day_roll();
        self.checks.day_roll();
        self.end_temporary(|_| true);
        self.overrides.clear();
        self.trials.clear();
        self.ladder.clear();
        for market in &mut self.state.markets {
            market.day_roll();
        }
        self.lapse_locates();
        for security in &mut self.state.securities {
            security.day_roll();
        }
        for n in 0..self.state.scopes.len() {
            let ix = ScopeIx(n as u32);
            if let Scope::Symbol(symbol) | Scope::AccountSymbol(_, symbol) | Scope::RouterSymbol(_, symbol) =
                self.state.scopes.at(ix)
            {
                // The position is worth what it is worth now, at the touch alone, for the slow reference has ended with the
                // old day: what it was held to be worth below that is no profit of the new one.
                let multiplier = self.state.multiplier(symbol);
                self.state.books[n].begin_day(&self.state.markets[symbol.index()], multiplier);
                self.state.revalue(ix, symbol);
            } else {
                self.state.books[n].executed_notional = 0;
            }
        }
        self.state.roll_unattributed();
        Outcome::Applied
    }

    /// A locate is good for the day it was given on.
    fn lapse_locates(&mut self) {
        let all = self.state.scopes.iter().map(|(ix, scope)| (ix, scope.kind()));
        let cells: Vec<ScopeIx> = all.filter(|(_, kind)| *kind == ScopeKind::AccountSymbol).map(|(ix, _)| ix).collect();
        let limits = &mut self.state.limits;
        limits.set_default(ScopeKind::AccountSymbol, id::SHORT_LOCATE, None, self.state.scopes.iter());
        for ix in cells {
            if limits.at(ix).is_own(id::SHORT_LOCATE) {
                limits.set(ix, ScopeKind::AccountSymbol, id::SHORT_LOCATE, None);
            }
        }
    }
}
