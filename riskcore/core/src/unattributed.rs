//! What executions of orders nobody here has sent amount to: one cell per instrument that belongs to no account and no router
//! (rules.md U1). The firm owns it all the same: its profit, loss and gross are part of the firm's.

use alloc::vec::Vec;

use crate::books::{Book, Execution};
use crate::ids::SymbolId;
use crate::scopes::ScopeIx;
use crate::state::State;

/// Per symbol, from its first such execution on.
#[derive(Debug, Default)]
pub struct Unattributed(Vec<Option<Book>>);

impl Unattributed {
    /// The cell of an instrument, if it has any.
    pub fn of(&self, symbol: SymbolId) -> Option<&Book> {
        self.0.get(symbol.index())?.as_ref()
    }

    /// The cells there are.
    pub fn iter(&self) -> impl Iterator<Item = &Book> + '_ {
        self.0.iter().flatten()
    }

    fn entry(&mut self, symbol: SymbolId) -> &mut Book {
        if self.0.len() <= symbol.index() {
            self.0.resize(symbol.index() + 1, None);
        }
        self.0[symbol.index()].get_or_insert_default()
    }
}

impl State {
    /// Whether such an execution fits.
    pub(crate) fn fits_unattributed(&self, symbol: SymbolId, execution: Execution) -> bool {
        let after = self
            .unattributed
            .of(symbol)
            .map_or_else(|| Book::default().after(true, execution), |book| book.after(true, execution));
        after.is_some()
    }

    /// Books such an execution, which fits.
    pub(crate) fn execute_unattributed(&mut self, symbol: SymbolId, execution: Execution) {
        self.unattributed.entry(symbol).execute(true, execution);
        self.revalue_unattributed(symbol);
    }

    /// Values the cell anew and passes the difference on to the firm.
    pub(crate) fn revalue_unattributed(&mut self, symbol: SymbolId) {
        if self.unattributed.of(symbol).is_none() {
            return;
        }
        let valuer = self.valuer(symbol);
        let Some(Some(book)) = self.unattributed.0.get_mut(symbol.index()) else { return };
        let Some(change) = book.revalue(&valuer) else { return };
        self.books[ScopeIx::FIRM.at()].follow(&change);
        if change.unvalued > 0 {
            self.upsets += 1;
        }
        self.watchlist.push(ScopeIx::FIRM, change.causes());
    }

    /// A new day: the position stays and is worth what it is worth, its profit starts at zero.
    pub(crate) fn roll_unattributed(&mut self) {
        for n in 0..self.unattributed.0.len() {
            let symbol = SymbolId(n as u32);
            let multiplier = self.multiplier(symbol);
            if let Some(book) = &mut self.unattributed.0[n] {
                book.begin_day(&self.markets[symbol.index()], multiplier);
            }
            self.revalue_unattributed(symbol);
        }
    }
}
