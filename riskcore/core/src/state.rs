//! Everything the checks may read, and the two ways it changes: what is open, and what was executed.

use alloc::vec::Vec;

use crate::books::{Book, Execution, OpenDelta, Valuer};
use crate::currencies::Currencies;
use crate::events::{Instrument, NameKind, Side};
use crate::fleet::Fleet;
use crate::halts::Halts;
use crate::hash::Seeded;
use crate::headroom::Growth;
use crate::ids::{AccountId, CurrencyId, RouterId, StrategyId, SymbolId};
use crate::limits::Limits;
use crate::market::Market;
use crate::names::Names;
use crate::orders::{Orders, Touched};
use crate::parents::Parents;
use crate::permissions::Permissions;
use crate::readiness::Readiness;
use crate::resting::Resting;
use crate::routes::{Bounds, RouteKey, RoutePlace, Routes, Shape};
use crate::scopes::{Scope, ScopeIndex, ScopeIx};
use crate::security::{Phase, Security, Session};
use crate::suspense::Suspense;
use crate::unattributed::Unattributed;
use crate::units::{Money, Nanos, Price, Qty, Rate, Worth, saturating_sum, widening_mul};
use crate::watchlist::Watchlist;

/// Pairs of self-match group and instrument there is room for from the start.
const MAX_GROUP_SYMBOLS: usize = 4_096;

/// The venue link, as the core sees it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Venue {
    /// The link is up.
    pub up: bool,
    /// The link has been up at least once: from now on, limits are only tightened by one person.
    pub ever_up: bool,
    /// After a lost link: the mass status has been worked through.
    pub reconciled: bool,
    /// Sequence number of the last message for the venue.
    pub last_client_seq: u64,
    /// The highest sequence number seen from it.
    pub last_venue_seq: u64,
    /// Number of the running reconciliation; entries seen carry it.
    pub reconciliation: u32,
}

/// Counts for people; no decision reads them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Orders accepted.
    pub accepted: u64,
    /// Orders refused.
    pub rejected: u64,
    /// Resends answered without a new decision.
    pub duplicates: u64,
    /// Fills after the order was final.
    pub late_fills: u64,
    /// Reports seen twice.
    pub duplicate_reports: u64,
    /// Reports about orders we do not know.
    pub unknown_orders: u64,
    /// Reports whose numbers make no sense.
    pub bad_reports: u64,
    /// Ticks and rates that were no price.
    pub bad_ticks: u64,
}

/// A cell of an instrument, and the totals it belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// The cell.
    pub ix: ScopeIx,
    owners: [Option<ScopeIx>; 2],
}

/// The state of the engine without the checks' own.
pub struct State {
    /// Time of the event being applied; never decreases.
    pub now: Nanos,
    /// Trading day, YYYYMMDD.
    pub day: u32,
    /// Names.
    pub names: Names,
    /// Per symbol: reference data, once given.
    pub instruments: Vec<Option<Instrument>>,
    /// Currencies other than the base currency.
    pub currencies: Currencies,
    /// Per symbol: its market.
    pub markets: Vec<Market>,
    /// Per symbol: what is known of it beside its prices.
    pub securities: Vec<Security>,
    /// What is known of the whole market.
    pub session: Session,
    /// Per symbol: what it trades on an average day, if that is known.
    pub average_volumes: Vec<Option<Qty>>,
    /// Who may trade what.
    pub permissions: Permissions,
    /// Per account: orders must name a parent.
    pub parent_required: Vec<bool>,
    /// Scopes.
    pub scopes: ScopeIndex,
    /// Limits.
    pub limits: Limits,
    /// Scopes and limits of the orders that came last.
    pub routes: Routes,
    /// Changes that make all headroom void, from 1.
    pub upsets: u64,
    /// How often all grants of headroom became void, and nothing else.
    pub regrants: i64,
    /// Per scope: what it holds.
    pub books: Vec<Book>,
    /// Per symbol: its cells.
    pub cells: Vec<Vec<Cell>>,
    /// Halts.
    pub halts: Halts,
    /// Orders.
    pub orders: Orders,
    /// Those of them that may rest and must not meet.
    pub resting: Resting,
    /// Parents.
    pub parents: Parents,
    /// What the routers run.
    pub fleet: Fleet,
    /// Venue link.
    pub venue: Venue,
    /// The gate at the open.
    pub readiness: Readiness,
    /// Executions that no order explains.
    pub suspense: Suspense,
    /// Positions of those that no account is known for.
    pub unattributed: Unattributed,
    /// Counts.
    pub counters: Counters,
    /// Pairs there is room for.
    pub pair_capacity: usize,
    /// The venue nets fills against a replace in flight (CME in-flight mitigation).
    pub in_flight_mitigation: bool,
    /// Scopes to be looked at after the event.
    pub watchlist: Watchlist,
}

impl State {
    /// An empty state.
    pub fn new(config: &crate::engine::EngineConfig) -> State {
        let seed = Seeded(config.seed);
        let mut state = State {
            now: Nanos(i64::MIN),
            day: config.trading_day,
            names: Names::new(seed),
            instruments: Vec::new(),
            currencies: Currencies::default(),
            markets: Vec::new(),
            securities: Vec::new(),
            session: Session::default(),
            average_volumes: Vec::new(),
            permissions: Permissions::default(),
            parent_required: Vec::new(),
            scopes: ScopeIndex::new(config.max_pairs, seed),
            limits: Limits::default(),
            routes: Routes::new(config.max_pairs, seed),
            upsets: 1,
            regrants: 0,
            books: Vec::new(),
            cells: Vec::new(),
            halts: Halts::default(),
            orders: Orders::new(config.epoch, config.max_orders, seed),
            resting: Resting::new(config.max_pairs.min(MAX_GROUP_SYMBOLS)),
            parents: Parents::new(config.max_parents, seed),
            fleet: Fleet::default(),
            venue: Venue::default(),
            readiness: Readiness::default(),
            suspense: Suspense::new(seed),
            unattributed: Unattributed::default(),
            counters: Counters::default(),
            pair_capacity: config.max_pairs,
            in_flight_mitigation: config.in_flight_mitigation,
            watchlist: Watchlist::default(),
        };
        state.open_scope(ScopeIx::FIRM, Scope::Firm);
        state
    }

    /// Gives a name its id and its scope; `false` if the name is empty or taken.
    pub fn define(&mut self, kind: NameKind, name: &str) -> bool {
        let Some(id) = self.names.define(kind, name) else { return false };
        let scope = match kind {
            NameKind::Account => {
                self.parent_required.push(true);
                self.resting.add_account();
                Scope::Account(AccountId(id))
            }
            NameKind::Router => {
                self.orders.add_router();
                self.fleet.add_router();
                Scope::Router(RouterId(id))
            }
            NameKind::VenueText | NameKind::SecurityGroup => return true,
            NameKind::Currency => {
                self.currencies.add();
                return true;
            }
            NameKind::Strategy => Scope::Strategy(StrategyId(id)),
            NameKind::Symbol => {
                self.instruments.push(None);
                self.average_volumes.push(None);
                self.markets.push(Market::default());
                self.securities.push(Security::default());
                self.cells.push(Vec::new());
                Scope::Symbol(SymbolId(id))
            }
        };
        let ix = self.scopes.add(scope);
        self.open_scope(ix, scope);
        true
    }

    fn open_scope(&mut self, ix: ScopeIx, scope: Scope) {
        self.limits.add_scope(scope.kind());
        self.books.push(Book::default());
        self.watchlist.add_scope();
        self.halts.add_scope();
        if let Scope::Symbol(symbol) | Scope::AccountSymbol(_, symbol) | Scope::RouterSymbol(_, symbol) = scope {
            let owners = self.owners(ix);
            self.cells[symbol.index()].push(Cell { ix, owners });
        }
    }

    /// The place of a scope; a pair of known ids is created if there is room.
    pub fn scope_or_create(&mut self, scope: Scope) -> Option<ScopeIx> {
        if let Some(ix) = self.scopes.find(scope) {
            return Some(ix);
        }
        let known = match scope {
            Scope::AccountSymbol(a, s) => a.index() < self.names.accounts.len() && s.index() < self.names.symbols.len(),
            Scope::RouterSymbol(r, s) => r.index() < self.names.routers.len() && s.index() < self.names.symbols.len(),
            _ => false,
        };
        if !known || self.scopes.pairs() >= self.pair_capacity {
            return None;
        }
        let ix = self.scopes.add(scope);
        self.open_scope(ix, scope);
        Some(ix)
    }

    /// Forgets the pairs that were created last, down to this many scopes, as if they had never been. Nothing may have
    /// happened in them.
    pub fn forget_scopes(&mut self, len: usize) {
        while self.scopes.len() > len {
            let Some(Scope::AccountSymbol(_, symbol) | Scope::RouterSymbol(_, symbol)) = self.scopes.forget_last()
            else {
                return;
            };
            self.cells[symbol.index()].pop();
        }
        self.limits.truncate(len);
        self.books.truncate(len);
        self.watchlist.truncate(len);
        self.halts.truncate(len);
    }

    /// The trading phase an order of this instrument meets; `None` if it is not known and must be.
    #[inline(always)]
    pub fn phase(&self, symbol: SymbolId) -> Option<Phase> {
        self.session.phase_of(&self.securities[symbol.index()])
    }

    /// Whether orders of this instrument are only collected: before the open, and in auctions.
    #[inline]
    pub fn collecting(&self, symbol: SymbolId) -> bool {
        self.phase(symbol) != Some(Phase::Continuous)
    }

    /// Contract multiplier of a symbol; 1 until its reference data is known.
    pub fn multiplier(&self, symbol: SymbolId) -> i64 {
        self.instruments[symbol.index()].map_or(1, |instrument| instrument.multiplier)
    }

    /// The currency of a symbol; `None` for the base currency.
    #[inline]
    pub fn currency(&self, symbol: SymbolId) -> Option<CurrencyId> {
        self.instruments[symbol.index()].and_then(|instrument| instrument.currency)
    }

    /// What the currency of a symbol is worth; `None` if that is not known.
    #[inline]
    pub fn rate(&self, symbol: SymbolId) -> Option<Rate> {
        match self.currency(symbol) {
            None => Some(Rate::ONE),
            Some(currency) => self.currencies.rate(currency),
        }
    }

    /// What makes money in the base currency out of price and quantity of a symbol.
    #[inline]
    pub fn worth(&self, symbol: SymbolId) -> Worth {
        Worth { multiplier: self.multiplier(symbol), rate: self.rate(symbol) }
    }

    /// What a quantity of a symbol costs in its own currency; `None` on overflow.
    #[inline(always)]
    pub fn cost(&self, symbol: SymbolId, price: Price, qty: Qty) -> Option<Money> {
        Money::of(price, qty, self.multiplier(symbol))
    }

    /// Notional of a quantity of a symbol, in base currency at this rate; `None` on overflow.
    #[inline(always)]
    pub fn notional(&self, symbol: SymbolId, price: Price, qty: Qty, rate: Rate) -> Option<Money> {
        rate.exposure(self.cost(symbol, price, qty)?)
    }

    /// A loss in a symbol's own currency, in base currency, rounded up; negative if it is a gain. `None` if the rate is not
    /// known, or on overflow.
    pub fn loss_in_base(&self, symbol: SymbolId, loss: i128) -> Option<i128> {
        self.rate(symbol)?.gain(Money(loss.checked_neg()?))?.0.checked_neg()
    }

    /// Whether `change_open` would overflow anywhere.
    pub fn can_open(&self, touched: &Touched, side: Side, delta: OpenDelta) -> bool {
        // What is open is never negative, and every order counts in the firm and in its symbol: no other total holds more
        // money than the firm, no other cell a larger quantity than the symbol.
        let (firm, symbol) = (&self.books[ScopeIx::FIRM.at()], &self.books[touched.symbol().at()]);
        let open = if side.is_buy() { symbol.open_buy } else { symbol.open_sell };
        firm.open_notional.checked_add(delta.notional).is_some() && open.checked_add(delta.qty).is_some()
    }

    /// Changes what is open in every scope an order touches, and values its cells anew. Deltas that would overflow have
    /// been refused before (`can_open`); a release cannot overflow.
    pub fn change_open(&mut self, touched: &Touched, symbol: SymbolId, side: Side, delta: OpenDelta) {
        let gross = self.change_cells(touched, symbol, side, delta);
        self.change_totals(touched, delta, gross);
        // What is given back counts nowhere.
        if delta.qty > 0 || delta.notional > 0 || gross.into_iter().any(|gross| gross > 0) {
            self.grow_each(touched, Growth::of(delta.orders, delta.qty, delta.notional), gross);
        }
    }

    /// An order is open from now on that its scopes have counted already (`headroom.rs`).
    #[inline(always)]
    pub fn open_granted(&mut self, touched: &Touched, symbol: SymbolId, side: Side, delta: OpenDelta) {
        let gross = self.change_cells(touched, symbol, side, delta);
        self.change_totals(touched, delta, gross);
    }

    /// Changes what is open in the cells of an order, and returns what the gross notional of each changed by.
    #[inline(always)]
    fn change_cells(&mut self, touched: &Touched, symbol: SymbolId, side: Side, delta: OpenDelta) -> [i128; 3] {
        let mark = self.markets[symbol.index()].short_mark();
        let per_unit = mark.filter(|_| self.worth(symbol).is_plain());
        let [of_symbol, of_account, of_router] = *touched.cells();
        [
            self.change_cell(of_symbol, symbol, side, delta, per_unit),
            self.change_cell(of_account, symbol, side, delta, per_unit),
            self.change_cell(of_router, symbol, side, delta, per_unit),
        ]
    }

    /// Returns what the gross notional of the cell changed by. That alone moves: position and marks are what they were when
    /// profit and loss were last worked out.
    #[inline(always)]
    fn change_cell(
        &mut self,
        ix: ScopeIx,
        symbol: SymbolId,
        side: Side,
        delta: OpenDelta,
        per_unit: Option<Price>,
    ) -> i128 {
        let book = &mut self.books[ix.at()];
        let changed = book.change_open(side, true, delta);
        debug_assert!(changed.is_some(), "checked by can_open");
        if let (0, Some(per_unit), Some(worst)) = (book.unvalued, per_unit, book.worst_open()) {
            let gross = widening_mul(per_unit.0, worst);
            return gross - core::mem::replace(&mut book.gross, gross);
        }
        self.change_gross(ix, symbol)
    }

    /// Where price and quantity are not yet money.
    #[inline(never)]
    fn change_gross(&mut self, ix: ScopeIx, symbol: SymbolId) -> i128 {
        let (mark, worth) = (self.markets[symbol.index()].short_mark(), self.worth(symbol));
        let book = &mut self.books[ix.at()];
        // A cell whose value is not known, or would not be any more, takes the long way, and tells its totals itself.
        let gross = if book.unvalued == 0 { book.gross_at(mark, worth) } else { None };
        let Some(gross) = gross else {
            self.revalue(ix, symbol);
            return 0;
        };
        gross - core::mem::replace(&mut book.gross, gross)
    }

    #[inline(always)]
    fn change_totals(&mut self, touched: &Touched, delta: OpenDelta, gross: [i128; 3]) {
        let [_, account, router] = gross;
        self.change_total(ScopeIx::FIRM, delta, account);
        self.change_total(touched.account(), delta, account);
        self.change_total(touched.router(), delta, router);
        if let Some(strategy) = touched.strategy() {
            self.change_total(strategy, delta, 0);
        }
    }

    #[inline(always)]
    fn change_total(&mut self, ix: ScopeIx, delta: OpenDelta, gross: i128) {
        let book = &mut self.books[ix.at()];
        let changed = book.change_open(Side::Buy, false, delta);
        debug_assert!(changed.is_some(), "checked by can_open");
        book.gross = saturating_sum(book.gross, gross);
    }

    /// Counts what was added at the scopes of an order, and what each of them widened by with its cells.
    fn grow_each(&mut self, touched: &Touched, growth: Growth, [symbol, account, router]: [i128; 3]) {
        for (ix, gross) in touched.iter().zip([account, account, router, symbol, account, router, 0]) {
            self.books[ix.at()].grown.add(growth.and_gross(gross));
        }
    }

    /// Books an execution nobody can attribute: it counts in the instrument's position, and in the turnover, profit and
    /// gross of the firm.
    pub fn execute_unmatched(&mut self, symbol: SymbolId, execution: Execution) -> Option<()> {
        let cell = self.scopes.find(Scope::Symbol(symbol))?;
        self.books[cell.at()].after(true, execution)?;
        self.books[ScopeIx::FIRM.at()].after(false, execution)?;
        if !self.fits_unattributed(symbol, execution) {
            return None;
        }
        let more = Growth::of(0, execution.signed_qty.saturating_abs(), execution.notional);
        for (ix, is_cell) in [(cell, true), (ScopeIx::FIRM, false)] {
            self.books[ix.at()].execute(is_cell, execution);
            self.books[ix.at()].grown.add(more);
        }
        self.revalue(cell, symbol);
        self.execute_unattributed(symbol, execution);
        Some(())
    }

    /// The route of an order that touches these scopes.
    pub fn route(&mut self, key: RouteKey, touched: &Touched) -> RoutePlace {
        if let Some(place) = self.routes.find(key, self.limits.version) {
            return place;
        }
        let (limits, scopes) = (&self.limits, &self.scopes);
        let shape = shape(touched, limits, scopes, &self.permissions);
        self.routes.put(key, limits.version, *touched, shape, || Bounds::of(touched, &shape, limits, scopes))
    }

    /// The limits of an order that touches these scopes.
    pub fn bounds_of(&self, touched: &Touched) -> Bounds {
        let shape = shape(touched, &self.limits, &self.scopes, &self.permissions);
        Bounds::of(touched, &shape, &self.limits, &self.scopes)
    }

    /// Values every cell of a symbol anew, after its market moved. Only cells that hold something cost anything.
    pub fn revalue_symbol(&mut self, symbol: SymbolId) {
        let valuer = self.valuer(symbol);
        let cells = core::mem::take(&mut self.cells[symbol.index()]);
        for Cell { ix, owners } in &cells {
            self.revalue_for(*ix, &valuer, *owners);
        }
        self.cells[symbol.index()] = cells;
        self.revalue_unattributed(symbol);
    }

    /// What the cells of a symbol are valued with now.
    #[inline(always)]
    pub(crate) fn valuer(&self, symbol: SymbolId) -> Valuer {
        Valuer::new(self.markets[symbol.index()].marks(), self.worth(symbol))
    }

    /// Values one cell anew.
    pub fn revalue(&mut self, ix: ScopeIx, symbol: SymbolId) {
        let valuer = self.valuer(symbol);
        self.revalue_for(ix, &valuer, self.owners(ix));
    }

    /// Values one cell anew and passes the difference on to the totals it belongs to.
    #[inline(always)]
    pub(crate) fn revalue_for(&mut self, ix: ScopeIx, valuer: &Valuer, owners: [Option<ScopeIx>; 2]) {
        let Some(change) = self.books[ix.at()].revalue(valuer) else { return };
        if change.unvalued > 0 {
            self.upsets += 1;
        }
        let causes = change.causes();
        self.watchlist.push(ix, causes);
        for owner in owners.into_iter().flatten() {
            self.books[owner.at()].follow(&change);
            self.watchlist.push(owner, causes);
        }
    }

    /// The totals a cell belongs to.
    fn owners(&self, ix: ScopeIx) -> [Option<ScopeIx>; 2] {
        match self.scopes.at(ix) {
            Scope::AccountSymbol(account, _) => [self.scopes.find(Scope::Account(account)), Some(ScopeIx::FIRM)],
            Scope::RouterSymbol(router, _) => [self.scopes.router(router), None],
            _ => [None, None],
        }
    }
}

/// What the bounds of an order that touches these scopes depend on.
fn shape(touched: &Touched, limits: &Limits, scopes: &ScopeIndex, permissions: &Permissions) -> Shape {
    let mut shape = Shape { sets: [u32::MAX; 7], not_permitted: None, restricted: None };
    for (set, ix) in shape.sets.iter_mut().zip(touched.iter()) {
        *set = limits.set_of(ix);
    }
    if let Scope::Symbol(symbol) = scopes.at(touched.symbol()) {
        shape.not_permitted = permissions.missing(touched, symbol);
        shape.restricted = permissions.stops(symbol);
    }
    shape
}
