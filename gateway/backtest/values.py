"""Numbers of limits, for programs and for people."""

from gateway.backtest.report import Closeness
from gateway.units import NANO, format_decimal, format_duration


def exact(value: int, unit: str) -> str:
    """For programs: decimal currency units for money and prices, else a whole number; "" without a unit."""
    if not unit:
        return ""
    return format_decimal(value).replace(",", "") if unit in {"money", "price"} else str(value)


def shown(value: int, unit: str) -> str:
    """For people: rounded to a whole currency unit where that says enough."""
    match unit:
        case "money":
            return format_decimal(value if abs(value) < 1_000 * NANO else value // NANO * NANO)
        case "price":
            return format_decimal(value)
        case "ns":
            return format_duration(value) if value else "0"
        case "bps":
            return f"{value:,} bps"
        case "":
            return ""
    return f"{value:,}"


def percent(one: Closeness) -> float | None:
    """The used part of a limit in percent, two decimals, rounded up: 99.999 is not "100 % and passed"."""
    used = one.used
    if used is None:
        return None
    return float(-(-used.numerator * 10_000 // used.denominator)) / 100
