//! What an execution moves in the books of its order's scopes: positions, cash and turnover, and what the order reserves
//! less because of it.
//!
//! Both in one pass: each book is looked up once, and each cell is valued once, with both in it.

use crate::books::{Book, Execution, OpenDelta, Valuer};
use crate::events::Side;
use crate::headroom::Growth;
use crate::ids::SymbolId;
use crate::orders::Touched;
use crate::scopes::ScopeIx;
use crate::state::State;
use crate::units::saturating_sum;
use crate::watchlist::Causes;

/// What is booked at each scope.
struct Booking {
    side: Side,
    execution: Execution,
    delta: OpenDelta,
    valuer: Valuer,
    /// What it adds to what was reserved; nearly always nothing.
    more: Option<Growth>,
}

/// What it changed in a cell, and so in the totals of that cell.
struct Moved {
    pnl: i128,
    gross: i128,
    causes: Causes,
}

impl State {
    /// Whether an execution fits in every scope an order touches.
    pub(crate) fn can_execute(&self, touched: &Touched, execution: Execution) -> bool {
        // What was executed anywhere was executed in the firm: no other total is larger.
        self.books[ScopeIx::FIRM.at()].after(false, execution).is_some()
            && touched.cells().iter().all(|ix| self.books[ix.at()].after(true, execution).is_some())
    }

    /// Books an execution that fits (`can_execute`), and by how much what its order reserves has changed: less, or what
    /// has fitted before.
    pub(crate) fn book(
        &mut self,
        touched: &Touched,
        symbol: SymbolId,
        side: Side,
        execution: Execution,
        delta: OpenDelta,
    ) {
        // What the order reserved was counted when it was accepted: every bound on a sum is held against what is executed and
        // open together.
        let qty = execution.signed_qty.saturating_abs().saturating_add(delta.qty);
        let notional = saturating_sum(execution.notional, delta.notional);
        let grows = delta.orders > 0 || qty > 0 || notional > 0;
        let more = grows.then(|| Growth::of(delta.orders, qty, notional));
        let booking = Booking { side, execution, delta, valuer: self.valuer(symbol), more };
        let [of_symbol, of_account, of_router] = *touched.cells();
        self.book_cell(of_symbol, &booking, [None, None]);
        let moved = self.book_cell(of_account, &booking, [Some(touched.account()), Some(ScopeIx::FIRM)]);
        self.book_total(touched.account(), &booking, &moved);
        self.book_total(ScopeIx::FIRM, &booking, &moved);
        let moved = self.book_cell(of_router, &booking, [Some(touched.router()), None]);
        self.book_total(touched.router(), &booking, &moved);
        if let Some(strategy) = touched.strategy() {
            self.book_total(strategy, &booking, &Moved { pnl: 0, gross: 0, causes: Causes::NONE });
        }
    }

    #[inline(always)]
    fn book_cell(&mut self, ix: ScopeIx, booking: &Booking, owners: [Option<ScopeIx>; 2]) -> Moved {
        let Booking { side, execution, delta, valuer, more } = booking;
        let book = &mut self.books[ix.at()];
        book.execute(true, *execution);
        // Whether the execution by itself widens the cell: a limit that is beyond its bound already is met even if nothing
        // more than the execution is open.
        let widest = book.gross_with(valuer);
        let changed = book.change_open(*side, true, *delta);
        debug_assert!(changed.is_some(), "an execution releases, or what it reserves has fitted before");
        // A cell whose value is not known, or would not be any more, takes the long way, and tells its totals itself.
        let known = if book.unvalued == 0 { book.known_value(valuer) } else { None };
        let (Some(widest), Some((pnl, gross))) = (widest, known) else {
            book.grow(*more, 0);
            self.revalue_for(ix, valuer, owners);
            return Moved { pnl: 0, gross: 0, causes: Causes::NONE };
        };
        let valued = if pnl == book.pnl { Causes::NONE } else { Causes::VALUED };
        let causes = if widest > book.gross { valued.and(Causes::WIDENED) } else { valued };
        // Values of at most 2^95 each.
        let (pnl_change, gross_change) = (pnl - book.pnl, gross - book.gross);
        (book.pnl, book.gross) = (pnl, gross);
        book.grow(*more, gross_change);
        self.watchlist.push(ix, causes);
        Moved { pnl: pnl_change, gross: gross_change, causes }
    }

    #[inline(always)]
    fn book_total(&mut self, ix: ScopeIx, booking: &Booking, moved: &Moved) {
        let book = &mut self.books[ix.at()];
        book.execute(false, booking.execution);
        let changed = book.change_open(booking.side, false, booking.delta);
        debug_assert!(changed.is_some(), "an execution releases, or what it reserves has fitted before");
        // Sums of at most 2^32 cells of less than 2^95 each.
        book.pnl = saturating_sum(book.pnl, moved.pnl);
        book.gross = saturating_sum(book.gross, moved.gross);
        book.grow(booking.more, moved.gross);
        self.watchlist.push(ix, moved.causes);
    }
}

impl Book {
    /// Counts what was added, and what it widened by.
    #[inline(always)]
    fn grow(&mut self, more: Option<Growth>, gross: i128) {
        match more {
            Some(more) => self.grown.add(more.and_gross(gross)),
            None => self.grown.add_gross(gross),
        }
    }
}
