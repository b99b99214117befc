//! Headroom: how much may still happen before a limit on a growing sum could refuse an order.
//!
//! Most limits bound a sum - of open orders, of quantity, of money - that only orders, executions and marks make larger.
//! Each book counts what was ever added to it and takes nothing off (`Growth`). When an order has passed every check, each
//! of its scopes keeps how far those counts may rise until the next of its bounds is met, for orders of that side. An order
//! that stays below at all its scopes passes the checks that bound nothing else without asking them (`Check::asks`). What
//! is given back meanwhile makes room that goes unnoticed until the headroom is used up and all are asked again: it errs on
//! the side of asking.
//!
//! A route does not look at all of its scopes for each order: it takes a grant from them, enough for a few dozen, and they
//! count it as if it had been added already (`Grant`). An order within its route's grant then changes no counts.
//!
//! Whatever else could turn a verdict - limits, reference data, a position without a price - makes all headroom void
//! (`State::upset`). So with headroom those checks need not be asked either that look at nothing else, such as whether the
//! venue is there. No decision depends on whether there was headroom; a debug build asks everything even so, and compares.

use crate::books::Book;
use crate::candidate::Candidate;
use crate::checks::gross_notional::added_gross;
use crate::events::{Event, ReportKind, Side};
use crate::orders::Touched;
use crate::routes::RoutePlace;
use crate::scopes::ScopeIx;
use crate::state::State;
use crate::units::Qty;

/// What a sum grows by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Orders that passed.
    Orders,
    /// Quantity, bought or sold, asked for or executed beyond that.
    Qty,
    /// Notional, accepted or executed beyond that.
    Notional,
    /// Worst-case gross notional, by orders and by marks.
    Gross,
}

const LANES: usize = 4;

/// Money is counted in 2^16 of its units, rounded up where it is added and down where it is room.
const COARSE: u32 = 16;

#[inline(always)]
fn coarse_up(money: i128) -> i64 {
    if money <= 0 {
        return 0;
    }
    // Amounts that fit in 64 bits, which nearly all do, need none of the rest.
    match i64::try_from(money) {
        Ok(money) => (money >> COARSE) + 1,
        Err(_) => i64::try_from(money >> COARSE).map_or(i64::MAX, |coarse| coarse.saturating_add(1)),
    }
}

impl Lane {
    fn is_money(self) -> bool {
        matches!(self, Lane::Notional | Lane::Gross)
    }

    /// What is left of a bound, in the units that are counted.
    fn counted_down(self, room: i128) -> i64 {
        let room = room.max(0) >> if self.is_money() { COARSE } else { 0 };
        i64::try_from(room).unwrap_or(i64::MAX)
    }
}

/// The end of what is counted, above which is no room: so far below the largest number that two of them can be added, or
/// taken from one, without a check each.
const END: i64 = 1 << 62;

/// What was ever added at one scope, by lane. Never falls, and stays at its end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Growth([i64; LANES]);

/// Two books that hold the same are equal, whatever way led there.
impl PartialEq for Growth {
    fn eq(&self, _other: &Growth) -> bool {
        true
    }
}

impl Eq for Growth {}

impl Growth {
    /// By orders, quantity and notional; what is negative adds nothing.
    #[inline(always)]
    pub fn of(orders: i32, qty: i64, notional: i128) -> Growth {
        Growth([orders.max(0).into(), qty.max(0), coarse_up(notional), 0])
    }

    /// The same, and by gross notional.
    #[inline(always)]
    pub fn and_gross(self, gross: i128) -> Growth {
        let [orders, qty, notional, _] = self.0;
        Growth([orders, qty, notional, coarse_up(gross)])
    }

    /// More was added.
    #[inline(always)]
    pub fn add(&mut self, more: Growth) {
        let sums: [i64; LANES] = core::array::from_fn(|lane| self.0[lane].wrapping_add(more.0[lane]));
        // None is negative, and one of each pair is below the end: a sum that is beyond it shows in the uppermost bits.
        if sums.into_iter().fold(0, |all, sum| all | sum) as u64 >= END as u64 {
            return self.end(more);
        }
        self.0 = sums;
    }

    /// A cell, or one of a total, widened by so much; what is negative adds nothing.
    #[inline(always)]
    pub fn add_gross(&mut self, gross: i128) {
        if gross > 0 {
            let lane = &mut self.0[Lane::Gross as usize];
            let sum = lane.wrapping_add(coarse_up(gross));
            // See `add`.
            *lane = if (sum as u64) < END as u64 { sum } else { END };
        }
    }

    #[cold]
    fn end(&mut self, more: Growth) {
        for (sum, by) in self.0.iter_mut().zip(more.0) {
            *sum = sum.saturating_add(by).min(END);
        }
    }
}

/// Scopes of an order, at most.
const PLACES: usize = 7;

/// How far the counts of an order's scopes may rise.
pub struct Rooms([[i64; LANES]; PLACES]);

impl Rooms {
    /// No bound anywhere.
    pub const BOUNDLESS: Rooms = Rooms([[END; LANES]; PLACES]);

    /// The cells of an order hold no more than fits, either, nor does the firm (`State::can_open`).
    pub fn narrow_to_fit(&mut self, touched: &Touched, state: &State) {
        for cell in touched.cells() {
            let book = &state.books[cell.at()];
            let open = book.open_buy.max(book.open_sell);
            let most = book.worst_with(0, 0).map_or(0, |worst| i64::MAX - worst.max(open));
            self.narrow(touched, state, *cell, Lane::Qty, most.into());
        }
        let open = state.books[ScopeIx::FIRM.at()].open_notional;
        self.narrow(touched, state, ScopeIx::FIRM, Lane::Notional, i128::MAX.saturating_sub(open));
    }

    /// There is so much room at a scope and no more, from what has been counted there by now.
    pub fn narrow(&mut self, touched: &Touched, state: &State, ix: ScopeIx, lane: Lane, room: i128) {
        let Some(place) = touched.iter().position(|touched| touched == ix) else { return };
        let upto = state.books[ix.at()].grown.0[lane as usize].saturating_add(lane.counted_down(room)).min(END);
        let slot = &mut self.0[place][lane as usize];
        *slot = upto.min(*slot);
    }
}

/// How far the counts of one scope may rise, for sells and for buys. Void at first, because no stamp is zero.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Headroom {
    /// When it was worked out.
    stamps: [i64; 2],
    upto: [[i64; LANES]; 2],
    /// When it was last missed.
    missed: [i64; 2],
    /// The newest of the grants that were taken from here, by their stamp.
    granted: i64,
}

impl Headroom {
    /// See `Book::ahead`.
    pub fn ahead(&self) -> u64 {
        self.missed[0] as u64
    }
}

/// As with `Growth`.
impl PartialEq for Headroom {
    fn eq(&self, _other: &Headroom) -> bool {
        true
    }
}

impl Eq for Headroom {}

/// What an order adds at each scope, at most.
#[derive(Clone, Copy)]
struct Added {
    qty: i64,
    /// Of notional and of gross notional, the larger.
    money: i64,
}

impl Added {
    #[inline(always)]
    fn by(candidate: &Candidate, state: &State) -> Option<Added> {
        let (px_risk, mark) = (candidate.px_risk?, state.markets[candidate.symbol.index()].short_mark()?);
        let money = if px_risk <= mark {
            // The cells are valued at this mark: they widen by the order at most, and it is worth no more than that.
            state.notional(candidate.symbol, mark, Qty(candidate.added), candidate.fx)?.0
        } else {
            let [symbol, account, router] = candidate.touched.cells().map(|cell| added_gross(candidate, state, cell));
            symbol?.max(account?).max(router?).max(candidate.added_notional)
        };
        let added = Added { qty: candidate.added, money: coarse_up(money) };
        (added.qty > 0 && added.qty | added.money < END).then_some(added)
    }

    /// Of so many such orders; `None` if that is more than is counted.
    fn times(self, orders: i64) -> Option<Growth> {
        let (qty, money) = (self.qty.checked_mul(orders)?, self.money.checked_mul(orders)?);
        (orders | qty | money < END).then_some(Growth([orders, qty, money, money]))
    }
}

/// What a route may still add on one side before its scopes are looked at again. Void at first, because no stamp is zero.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Grant {
    stamp: i64,
    orders: i64,
    qty: i64,
    money: i64,
}

/// Orders like the one that takes it that a grant is for: as many as leave most of the room to others.
const GRANTED: [i64; 3] = [64, 8, 1];

/// The part of the room of each scope that a grant for more than one order may take.
const PART: i64 = 8;

impl State {
    /// Something changed that the counts do not show: all headroom is void.
    pub fn upset(&mut self) {
        self.upsets += 1;
    }

    /// More was counted at the scopes of an order than what is open or executed shows.
    pub fn grow(&mut self, touched: &Touched, orders: i32, qty: i64, notional: i128) {
        let growth = Growth::of(orders, qty, notional);
        for ix in touched.iter() {
            self.books[ix.at()].grown.add(growth);
        }
    }

    /// Both only ever rise, and the first is never zero.
    fn stamp(&self) -> i64 {
        self.upsets.wrapping_add(self.limits.version) as i64
    }

    /// The same, and how often headroom was worked out anew where some was granted. All three only ever rise.
    #[inline(always)]
    fn grant_stamp(&self) -> i64 {
        self.stamp().wrapping_add(self.regrants)
    }

    /// What is left of the grant of a route if an order stays within it, and so within the headroom of its scopes.
    #[inline(always)]
    pub fn within_grant(&mut self, candidate: &Candidate, place: RoutePlace) -> Option<Grant> {
        let added = Added::by(candidate, self)?;
        let Grant { stamp, orders, qty, money } = self.routes.at(place).grants[usize::from(candidate.side.is_buy())];
        // None of them is negative, so all differences fit, and the sign of all tells of each.
        let (orders, qty, money) =
            (orders.wrapping_sub(1), qty.wrapping_sub(added.qty), money.wrapping_sub(added.money));
        if stamp == self.grant_stamp() && orders | qty | money >= 0 {
            return Some(Grant { stamp, orders, qty, money });
        }
        self.new_grant(candidate, place, added)
    }

    /// Takes a grant from all scopes of an order; returns what it leaves of it. `None` where one has no headroom.
    #[inline(never)]
    fn new_grant(&mut self, candidate: &Candidate, place: RoutePlace, added: Added) -> Option<Grant> {
        let (side, stamp, touched) = (usize::from(candidate.side.is_buy()), self.stamp(), &candidate.touched);
        // The scope with the fewest orders most likely has none.
        if self.books[touched.router_symbol().at()].headroom.stamps[side] != stamp {
            return None;
        }
        let fits = |orders: &i64| {
            let part = if *orders == 1 { 1 } else { PART };
            let Some(wanted) = added.times(*orders * part) else { return false };
            touched.iter().all(|ix| self.books[ix.at()].has_room(side, stamp, wanted))
        };
        let orders = GRANTED.into_iter().find(fits)?;
        let growth = added.times(orders)?;
        let stamp = self.grant_stamp();
        for ix in touched.iter() {
            let Book { grown, headroom, .. } = &mut self.books[ix.at()];
            grown.add(growth);
            headroom.granted = stamp;
        }
        let [orders, qty, money, _] = growth.0;
        self.spend(place, candidate.side, Grant { stamp, orders, qty, money });
        Some(Grant { stamp, orders: orders - 1, qty: qty - added.qty, money: money - added.money })
    }

    /// An order is placed that stays within its route's grant: so much is left of it.
    #[inline(always)]
    pub fn spend(&mut self, place: RoutePlace, side: Side, left: Grant) {
        self.routes.at_mut(place).grants[usize::from(side.is_buy())] = left;
    }

    /// Whether it is worth the while to work headroom out: not at the first look, which may be the last.
    pub fn wants_headroom(&mut self, candidate: &Candidate) -> bool {
        let stamp = self.stamp();
        let rarest = &mut self.books[candidate.touched.router_symbol().at()].headroom;
        core::mem::replace(&mut rarest.missed[usize::from(candidate.side.is_buy())], stamp) == stamp
    }

    /// Keeps the headroom that an order has left which passed every check. Not of one that only reduces, of which less is
    /// asked, nor where a cell is not valued at its market: its gross notional would not tell what an order adds.
    pub fn keep_headroom(&mut self, candidate: &Candidate, rooms: &Rooms) {
        let mark = self.markets[candidate.symbol.index()].short_mark();
        let worth = self.worth(candidate.symbol);
        let valued = candidate.touched.cells().iter().all(|cell| {
            let book = &self.books[cell.at()];
            book.unvalued == 0 && book.gross_at(mark, worth) == Some(book.gross)
        });
        if candidate.reduces || candidate.added <= 0 || candidate.added_notional <= 0 || !valued {
            return;
        }
        let (side, stamp, granted) = (usize::from(candidate.side.is_buy()), self.stamp(), self.grant_stamp());
        let Some(next) = Added::by(candidate, self).and_then(|added| added.times(1)) else { return };
        let mut given_away = false;
        for (ix, upto) in candidate.touched.iter().zip(&rooms.0) {
            let book = &mut self.books[ix.at()];
            if book.has_room(side, stamp, next) {
                continue;
            }
            // What was granted from here and is not used up is in no book yet: it would be given away a second time.
            given_away |= book.headroom.granted == granted;
            (book.headroom.stamps[side], book.headroom.upto[side]) = (stamp, *upto);
        }
        self.regrants += i64::from(given_away);
    }
}

impl Book {
    /// Whether so much more may be added before a bound of this scope is met.
    fn has_room(&self, side: usize, stamp: i64, more: Growth) -> bool {
        let upto = &self.headroom.upto[side];
        let left = |lane: usize| upto[lane].wrapping_sub(self.grown.0[lane]).wrapping_sub(more.0[lane]);
        // None of them is negative or beyond the end, so all differences fit, and the sign of all tells of each lane.
        self.headroom.stamps[side] == stamp && (0..LANES).fold(0, |all, lane| all | left(lane)) >= 0
    }
}

/// Whether all that an event can do to a verdict shows in the counts, or in what every order is asked anyway.
#[inline]
pub fn is_counted(event: &Event) -> bool {
    match event {
        Event::Report(report) => {
            !matches!(report.kind, ReportKind::TradeCancel { .. } | ReportKind::TradeCorrect { .. })
        }
        Event::NewOrder(_)
        | Event::CheckOrder(_)
        | Event::Tick { .. }
        | Event::FxRate { .. }
        | Event::Timer
        | Event::Cancel(_)
        | Event::MassCancel(_)
        | Event::Replace(_)
        | Event::Malformed { .. }
        | Event::AttemptsDropped { .. }
        | Event::ParentOpen { .. }
        | Event::SelfCheck(_)
        | Event::DropCopy(_) => true,
        _ => false,
    }
}
