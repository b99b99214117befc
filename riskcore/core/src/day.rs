//! The trading day: what starts anew with it, and what does not.

use crate::engine::Engine;
use crate::outcome::{Outcome, Reject};
use crate::reasons::BAD_REFERENCE_DATA;
use crate::scopes::{Scope, ScopeIx};

impl Engine {
    /// A new trading day, keyed by its date: rolling to the same or an earlier day changes nothing. Turnover, profit and
    /// loss and the ids of finished orders start anew; positions, open orders and halts stay.
    pub(crate) fn day_roll(&mut self, date: u32) -> Outcome {
        if date <= self.state.day {
            return Outcome::Refused(Reject::plain(&BAD_REFERENCE_DATA));
        }
        self.state.day = date;
        self.state.orders.day_roll();
        self.state.parents.clear();
        self.state.fleet.day_roll();
        self.checks.day_roll();
        for market in &mut self.state.markets {
            market.day_roll();
        }
        for security in &mut self.state.securities {
            security.day_roll();
        }
        for n in 0..self.state.scopes.len() {
            let ix = ScopeIx(n as u32);
            self.state.books[n].executed_notional = 0;
            if let Scope::Symbol(symbol) | Scope::AccountSymbol(_, symbol) | Scope::RouterSymbol(_, symbol) =
                self.state.scopes.at(ix)
            {
                // The position is worth what it was worth: the day's profit starts at zero.
                let pnl = self.state.books[n].pnl;
                if self.state.books[n].unvalued == 0 {
                    self.state.books[n].cash -= pnl;
                }
                self.state.revalue(ix, symbol);
            }
        }
        Outcome::Applied
    }
}
