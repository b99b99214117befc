//! Positions, open exposure and money per scope.
//!
//! Three scopes are cells, each of one instrument: account×symbol, router×symbol and symbol. The others are totals of
//! cells: account and firm of the account×symbol cells, router of the router×symbol cells; the firm also of what no account
//! is known for (`unattributed.rs`). Everything is kept up by delta, so that a decision costs the same with one open order
//! and with a million.
//!
//! Exposure is worst case (rules.md, "Worst case"): what is open counts as if it all filled, and buys are never netted against
//! sells while open.

use crate::events::Side;
use crate::headroom::{Growth, Headroom};
use crate::market::{Market, Marks};
use crate::units::{Money, Price, Qty, Rate, Worth, saturating_sum, widening_mul};
use crate::watchlist::Causes;

/// What one scope holds. Quantities in units, money in 1e-9 of the base currency unless said otherwise. What an order that
/// passes reads and changes comes first, in the order in which it is needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Book {
    /// Position (cells only).
    pub position: i64,
    /// Open buy quantity (cells only).
    pub open_buy: i64,
    /// Open sell quantity (cells only).
    pub open_sell: i64,
    /// The part of it that is marked short (cells only).
    pub open_short: i64,
    /// Notional of open buys and sells at their risk prices.
    pub open_notional: i128,
    /// Worst-case gross notional: of a cell at its marks, of a total the sum of its cells.
    pub gross: i128,
    /// Open orders.
    pub open_orders: u32,
    /// Cells whose value is not known: a position without any mark or rate, or one that overflows.
    pub unvalued: u32,
    /// What was ever added here (`headroom.rs`).
    pub grown: Growth,
    /// How much more may be added before all limits are asked again.
    pub headroom: Headroom,
    /// Notional executed today, buys plus sells.
    pub executed_notional: i128,
    /// Cash of the day in the instrument's currency: minus what was bought plus what was sold, minus the opening position at
    /// its mark (cells only).
    pub cash: i128,
    /// Day profit and loss, valued as `gross` is.
    pub pnl: i128,
}

/// A change of what is open.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenDelta {
    /// Quantity.
    pub qty: i64,
    /// Notional at risk price.
    pub notional: i128,
    /// Orders.
    pub orders: i32,
}

/// An execution, or its reversal with negative quantity and notional.
#[derive(Clone, Copy, Debug)]
pub struct Execution {
    /// Signed quantity: what the position changes by.
    pub signed_qty: i64,
    /// What the cash changes by, in the instrument's currency.
    pub cash: i128,
    /// What the turnover changes by.
    pub notional: i128,
}

impl Execution {
    /// An execution of `cost` in the instrument's currency, counted at a rate; `None` on overflow.
    pub fn of(side: Side, qty: Qty, cost: Money, rate: Rate) -> Option<Execution> {
        let sign = side.sign();
        let cash = if sign > 0 { -cost.0 } else { cost.0 };
        Some(Execution { signed_qty: qty.0 * sign, cash, notional: rate.exposure(cost)?.0 })
    }
}

/// What the cells of an instrument are valued with.
#[derive(Clone, Copy, Debug)]
pub struct Valuer {
    /// Its marks, if it has ever had a price.
    pub marks: Option<Marks>,
    /// What makes money of price and quantity.
    pub worth: Worth,
    /// The marks again, if a price times a quantity is money as it is.
    plain: Option<Marks>,
}

impl Valuer {
    /// Of an instrument of this worth, at these marks.
    pub fn new(marks: Option<Marks>, worth: Worth) -> Valuer {
        Valuer { marks, worth, plain: marks.filter(|_| worth.is_plain()) }
    }
}

/// What valuing a cell anew has changed.
#[derive(Clone, Copy, Debug)]
pub struct Revaluation {
    /// Profit and loss.
    pub pnl: i128,
    /// Worst-case gross notional.
    pub gross: i128,
    /// 1 if the value is not known any more, -1 if it is known again.
    pub unvalued: i32,
}

impl Revaluation {
    /// Why the cell and its totals are to be looked at.
    #[inline]
    pub fn causes(&self) -> Causes {
        let valued = if self.pnl == 0 { Causes::NONE } else { Causes::VALUED };
        if self.gross > 0 { valued.and(Causes::WIDENED) } else { valued }
    }
}

impl Book {
    /// A word of each line that an order outside of its grant reads (`ahead.rs`).
    pub fn ahead(&self) -> u64 {
        self.position as u64 ^ u64::from(self.open_orders) ^ self.headroom.ahead()
    }

    /// Gross turnover: executed plus everything open (rules.md X4). Never nets.
    pub fn turnover(&self) -> i128 {
        saturating_sum(self.executed_notional, self.open_notional)
    }

    /// Position if every open buy filled.
    pub fn worst_long(&self) -> i128 {
        i128::from(self.position) + i128::from(self.open_buy)
    }

    /// Position if every open sell filled.
    pub fn worst_short(&self) -> i128 {
        i128::from(self.position) - i128::from(self.open_sell)
    }

    /// The larger of both, unsigned.
    pub fn worst(&self) -> i128 {
        self.worst_long().abs().max(self.worst_short().abs())
    }

    /// Whether an order of this side and quantity could only reduce the position (rules.md, "Halts"): it fits, with what is
    /// open on its side, inside the opposite position, and so never flips the sign.
    #[inline(always)]
    pub fn reduces(&self, side: Side, added: i64) -> bool {
        // What does not fit in 64 bits fits inside no position.
        if side.is_buy() {
            self.position < 0
                && self.open_buy.checked_add(added).is_some_and(|sum| sum <= self.position.saturating_neg())
        } else {
            self.position > 0 && self.open_sell.checked_add(added).is_some_and(|sum| sum <= self.position)
        }
    }

    /// Changes what is open; `None` on overflow, and nothing is changed.
    #[inline(always)]
    pub fn change_open(&mut self, side: Side, is_cell: bool, delta: OpenDelta) -> Option<()> {
        let notional = self.open_notional.checked_add(delta.notional)?;
        let orders = self.open_orders.checked_add_signed(delta.orders)?;
        if is_cell {
            let (buy, sell) = if side.is_buy() { (delta.qty, 0) } else { (0, delta.qty) };
            let (buy, sell) = (self.open_buy.checked_add(buy)?, self.open_sell.checked_add(sell)?);
            (self.open_buy, self.open_sell) = (buy, sell);
            // Part of what fitted.
            self.open_short += if side.is_short() { delta.qty } else { 0 };
        }
        (self.open_notional, self.open_orders) = (notional, orders);
        Some(())
    }

    /// Position, cash and executed notional after an execution; `None` on overflow.
    #[inline]
    pub fn after(&self, is_cell: bool, execution: Execution) -> Option<(i64, i128, i128)> {
        let executed = self.executed_notional.checked_add(execution.notional)?;
        if !is_cell {
            return Some((self.position, self.cash, executed));
        }
        let position = self.position.checked_add(execution.signed_qty)?;
        Some((position, self.cash.checked_add(execution.cash)?, executed))
    }

    /// Books an execution that fits (`after`). What it adds is for the caller to count (`grown`).
    #[inline]
    pub fn execute(&mut self, is_cell: bool, execution: Execution) {
        self.executed_notional = saturating_sum(self.executed_notional, execution.notional);
        if is_cell {
            self.position = self.position.saturating_add(execution.signed_qty);
            self.cash = saturating_sum(self.cash, execution.cash);
        }
    }

    /// Values a cell anew: `cash + position * mark`, and `worst * conservative mark`, or nothing where that is not known.
    /// Returns what its totals must follow; `None` if nothing changed.
    #[inline(always)]
    pub fn revalue(&mut self, valuer: &Valuer) -> Option<Revaluation> {
        let known = self.known_value(valuer);
        let (pnl, gross) = known.unwrap_or((0, 0));
        let unvalued = u32::from(known.is_none());
        if (pnl, gross, unvalued) == (self.pnl, self.gross, self.unvalued) {
            return None;
        }
        // Values of at most 2^95 each.
        let change = Revaluation {
            pnl: pnl - self.pnl,
            gross: gross - self.gross,
            unvalued: i32::from(unvalued != 0) - i32::from(self.unvalued != 0),
        };
        (self.pnl, self.gross, self.unvalued) = (pnl, gross, unvalued);
        self.grown.add_gross(change.gross);
        Some(change)
    }

    /// A cell of this total was valued anew.
    #[inline(always)]
    pub fn follow(&mut self, change: &Revaluation) {
        // Sums of at most 2^32 cells of less than 2^95 each.
        self.pnl = saturating_sum(self.pnl, change.pnl);
        self.gross = saturating_sum(self.gross, change.gross);
        self.unvalued = self.unvalued.saturating_add_signed(change.unvalued);
        self.grown.add_gross(change.gross);
    }

    /// A new day: nothing is executed yet, and the position is worth what it is worth now, so that the day's profit starts
    /// at zero, in the instrument's currency and so in any. Without a mark the cell stays as it is.
    pub fn begin_day(&mut self, market: &Market, multiplier: i64) {
        self.executed_notional = 0;
        if let Some(own) = self.own_pnl(market.marks(), multiplier) {
            self.cash -= own;
        }
    }

    /// Profit in the instrument's own currency; `None` if there is no mark where one is needed, or on overflow.
    #[inline]
    fn own_pnl(&self, marks: Option<Marks>, multiplier: i64) -> Option<i128> {
        let mark = match self.position {
            0 => Price(0),
            long if long > 0 => marks?.long,
            _ => marks?.short,
        };
        self.cash.checked_add(Money::of(mark, Qty(self.position), multiplier)?.0)
    }

    /// Profit and loss, and gross notional; `None` if either is not known.
    #[inline(always)]
    pub(crate) fn known_value(&self, valuer: &Valuer) -> Option<(i128, i128)> {
        let Valuer { marks, worth, plain } = *valuer;
        if let Some(marks) = plain {
            // Whatever the mark, no position is worth nothing.
            let mark = if self.position > 0 { marks.long } else { marks.short };
            let pnl = self.cash.checked_add(widening_mul(mark.0, self.position))?;
            return Some((pnl, self.gross_with(valuer)?));
        }
        let pnl = match self.own_pnl(marks, worth.multiplier)? {
            // Nothing is nothing in any currency.
            0 => 0,
            own => worth.rate?.gain(Money(own))?.0,
        };
        Some((pnl, self.gross_with(valuer)?))
    }

    /// Worst-case gross notional of a cell; `None` if it is not known.
    #[inline(always)]
    pub(crate) fn gross_with(&self, valuer: &Valuer) -> Option<i128> {
        match valuer.plain {
            Some(marks) => Some(widening_mul(marks.short.0, self.worst_open()?)),
            None => self.gross_at(valuer.marks.map(|marks| marks.short), valuer.worth),
        }
    }

    /// Worst-case gross notional of a cell at a mark; `None` if there is no mark or rate where one is needed, or on overflow.
    #[inline]
    pub fn gross_at(&self, mark: Option<Price>, worth: Worth) -> Option<i128> {
        match self.worst_open()? {
            0 => Some(0),
            worst => Some(worth.rate?.exposure(Money::of(mark?, Qty(worst), worth.multiplier)?)?.0),
        }
    }

    /// `worst_with` nothing more. What is open is never negative: the larger is not the one that goes the wrong way.
    #[inline]
    pub fn worst_open(&self) -> Option<i64> {
        let (long, short) = (self.position.checked_add(self.open_buy)?, self.open_sell.checked_sub(self.position)?);
        debug_assert_eq!(Some(long.max(short)), self.worst_with(0, 0));
        Some(long.max(short))
    }

    /// The larger position, unsigned, if everything open filled and so much more were open; `None` if it does not fit.
    #[inline]
    pub fn worst_with(&self, buy: i64, sell: i64) -> Option<i64> {
        let long = self.position.checked_add(self.open_buy)?.checked_add(buy)?;
        let short = self.position.checked_sub(self.open_sell)?.checked_sub(sell)?;
        Some(long.checked_abs()?.max(short.checked_abs()?))
    }
}
