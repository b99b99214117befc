//! Money and time as integers: prices and amounts in 1e-9 of a currency, quantities in whole units, time in ns.
//!
//! Every operation that can overflow is checked; `None` means "overflow", and its caller rejects
//! (`ARITHMETIC_OVERFLOW`). Nothing here wraps, saturates or rounds silently.

/// One unit of currency in the fixed-point scale of prices and amounts (CME PRICE9).
pub const UNIT: i64 = 1_000_000_000;

/// Basis points in one.
pub const BPS: i64 = 10_000;

/// A price, in 1e-9 of the instrument's currency. May be negative (futures spreads).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(pub i64);

/// A quantity, in whole units (shares, contracts).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Qty(pub i64);

/// An amount of money, in 1e-9 of a currency: notional, cash, profit and loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(pub i128);

/// What one unit of a currency is worth in the base currency, in 1e-9; positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(pub i64);

/// What makes money in the base currency out of a price and a quantity of an instrument.
#[derive(Clone, Copy, Debug)]
pub struct Worth {
    /// Contract multiplier.
    pub multiplier: i64,
    /// Rate of the instrument's currency; `None` if it is not known.
    pub rate: Option<Rate>,
}

/// Nanoseconds: an instant (UTC since 1970) or a span, as the context says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nanos(pub i64);

impl Worth {
    /// Whether price times quantity is money in the base currency as it is.
    #[inline(always)]
    pub fn is_plain(self) -> bool {
        self.multiplier == 1 && self.rate == Some(Rate::ONE)
    }
}

impl Qty {
    /// No quantity.
    pub const ZERO: Qty = Qty(0);

    /// Sum, or `None` on overflow.
    pub fn plus(self, other: Qty) -> Option<Qty> {
        self.0.checked_add(other.0).map(Qty)
    }

    /// Difference, or `None` on overflow.
    pub fn minus(self, other: Qty) -> Option<Qty> {
        self.0.checked_sub(other.0).map(Qty)
    }
}

impl Money {
    /// No money.
    pub const ZERO: Money = Money(0);

    /// `price * quantity * multiplier`, exact; `None` on overflow.
    #[inline]
    pub fn of(price: Price, qty: Qty, multiplier: i64) -> Option<Money> {
        // An i64 times an i64 always fits in an i128; three factors may not. Most instruments have a multiplier of one,
        // and a checked 128-bit product costs more than all the rest.
        let per_unit = widening_mul(price.0, qty.0);
        if multiplier == 1 { Some(Money(per_unit)) } else { per_unit.checked_mul(i128::from(multiplier)).map(Money) }
    }

    /// Sum, or `None` on overflow.
    pub fn plus(self, other: Money) -> Option<Money> {
        self.0.checked_add(other.0).map(Money)
    }

    /// Difference, or `None` on overflow.
    pub fn minus(self, other: Money) -> Option<Money> {
        self.0.checked_sub(other.0).map(Money)
    }
}

impl Rate {
    /// That of the base currency itself.
    pub const ONE: Rate = Rate(UNIT);

    /// What counts against a limit, in base currency: rounded away from zero; `None` on overflow.
    #[inline]
    pub fn exposure(self, money: Money) -> Option<Money> {
        if self == Rate::ONE { Some(money) } else { self.away_from_zero(money) }
    }

    /// Profit and loss in base currency: gains rounded down, losses up; `None` on overflow.
    #[inline]
    pub fn gain(self, money: Money) -> Option<Money> {
        if self == Rate::ONE { Some(money) } else { self.floor(money) }
    }

    #[cold]
    fn away_from_zero(self, money: Money) -> Option<Money> {
        let down = self.floor(Money(money.0.checked_abs()?.checked_neg()?))?;
        Some(if money.0 > 0 { Money(down.0.checked_neg()?) } else { down })
    }

    /// Whole units and the rest apart: only the result must fit, not the product.
    #[cold]
    fn floor(self, money: Money) -> Option<Money> {
        let (rate, unit) = (i128::from(self.0), i128::from(UNIT));
        let whole = money.0.div_euclid(unit).checked_mul(rate)?;
        whole.checked_add((money.0.rem_euclid(unit) * rate).div_euclid(unit)).map(Money)
    }
}

impl Nanos {
    /// From milliseconds.
    pub const fn from_millis(ms: i64) -> Nanos {
        Nanos(ms * 1_000_000)
    }

    /// From whole seconds.
    pub const fn from_secs(s: i64) -> Nanos {
        Nanos(s * 1_000_000_000)
    }

    /// The span from `earlier` to this instant. Saturates: a span is compared, never added up into money.
    pub fn since(self, earlier: Nanos) -> Nanos {
        Nanos(self.0.saturating_sub(earlier.0))
    }

    /// This instant, `span` later; saturates at the end of time.
    pub fn after(self, span: Nanos) -> Nanos {
        Nanos(self.0.saturating_add(span.0))
    }
}

/// The exact product of two 64-bit numbers: it always fits, and costs one instruction.
#[inline]
pub fn widening_mul(a: i64, b: i64) -> i128 {
    i128::from(a) * i128::from(b)
}

/// The product; `None` on overflow. Nearly all factors fit in 64 bits, and a checked product of 128 costs ten times theirs.
#[inline]
pub fn checked_product(a: i128, b: i128) -> Option<i128> {
    match (i64::try_from(a), i64::try_from(b)) {
        (Ok(a), Ok(b)) => Some(widening_mul(a, b)),
        _ => a.checked_mul(b),
    }
}

/// The sum, or the end of the range. The standard `saturating_add` works both out each time; this one branches.
#[inline]
pub fn saturating_sum(a: i128, b: i128) -> i128 {
    #[cold]
    fn end(a: i128, b: i128) -> i128 {
        a.saturating_add(b)
    }
    a.checked_add(b).unwrap_or_else(|| end(a, b))
}

/// A part of a whole in basis points, rounded up; nothing for no part, and the end of the range for a part of nothing. In
/// whole basis points "at most `bps`" says the same of the result as of `part * 10,000 <= bps * whole`.
pub fn of_whole_bps(part: i128, whole: i128) -> i128 {
    if part <= 0 {
        return 0;
    }
    if whole <= 0 {
        return i128::MAX;
    }
    let Some(scaled) = part.checked_mul(BPS.into()) else { return i128::MAX };
    scaled / whole + i128::from(scaled % whole != 0)
}

/// The largest part of a whole that is no more than so many basis points of it by `of_whole_bps`.
pub fn part_of_bps(bps: i128, whole: i128) -> i128 {
    bps.max(0).checked_mul(whole.max(0)).unwrap_or(i128::MAX) / i128::from(BPS)
}

/// `ceil(a * num / den)` for non-negative `a` and positive `den`: risk prices round up.
pub fn mul_div_ceil(a: i64, num: i64, den: i64) -> Option<i64> {
    let product = i128::from(a) * i128::from(num);
    let den = i128::from(den);
    let up = product.checked_add(den - 1)? / den;
    i64::try_from(up).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNITS: i128 = UNIT as i128;

    #[test]
    fn exposure_is_rounded_away_from_zero_and_gains_down() {
        // 1.5 units of 1e-9 at a rate of one half more, and what is exact.
        for (rate, money, exposure, gain) in [
            (UNIT, 7, 7, 7),
            (UNIT * 3 / 2, 1, 2, 1),
            (UNIT * 3 / 2, -1, -2, -2),
            (UNIT * 3 / 2, 2, 3, 3),
            (1, UNITS, 1, 1),
            (1, UNITS - 1, 1, 0),
            (1, 1 - UNITS, -1, -1),
            (1, 1, 1, 0),
            (i64::MAX, 0, 0, 0),
        ] {
            let (rate, money) = (Rate(rate), Money(money));
            assert_eq!(rate.exposure(money), Some(Money(exposure)), "{rate:?} {money:?}");
            assert_eq!(rate.gain(money), Some(Money(gain)), "{rate:?} {money:?}");
        }
    }

    #[test]
    fn a_product_is_the_same_whether_its_factors_fit_in_64_bits_or_not() {
        let edge = i128::from(i64::MAX);
        let factors = [0, 1, -1, edge, edge + 1, -edge - 1, -edge - 2, 1 << 100, i128::MAX, i128::MIN];
        for a in factors {
            for b in factors {
                assert_eq!(a.checked_mul(b), checked_product(a, b), "{a} {b}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_no_amount() {
        // The product with the rate would not fit; the amount does.
        let much = Money(i128::MAX / 4);
        assert_eq!(Rate(UNIT * 2).exposure(much), Some(Money(much.0 * 2)));
        assert_eq!(Rate(UNIT * 5).exposure(much), None);
        assert_eq!(Rate(UNIT * 5).gain(Money(-much.0)), None);
        assert_eq!(Rate(UNIT * 2).exposure(Money(i128::MIN)), None);
    }
}
