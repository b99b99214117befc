"""Numbers as people write them, to and from the integers of the core. No floats anywhere.

Money and prices are integers in 1e-9 of a currency unit, durations are nanoseconds, everything else is a count.
Every function raises ``ValueError`` with a sentence that ends in the mend.
"""

import re
from typing import Final

NANO: Final = 1_000_000_000
PRICE_MAX: Final = 2**63 - 1
MONEY_MAX: Final = 2**127 - 1
COUNT_MAX: Final = 2**63 - 1

_DECIMAL: Final = re.compile(r"([+-]?)(\d+(?:_\d+)*)(?:\.(\d+(?:_\d+)*))?", re.ASCII)
_DURATION: Final = re.compile(r"(\d+(?:_\d+)*)(?:\.(\d+))?\s*(ns|us|ms|s|m|h)", re.ASCII)
_COUNT: Final = re.compile(r"[+-]?\d+(?:_\d+)*", re.ASCII)
_UNIT_NS: Final = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": NANO, "m": 60 * NANO, "h": 3600 * NANO}
_MAX_TEXT: Final = 64


class TomlFloat:
    """A TOML float, kept as it was written so that nothing is rounded before it is refused."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def parse_decimal(value: object, *, maximum: int) -> int:
    """Money or a price, in 1e-9, from text (``"100_000.50"``) or an integer of currency units.

    Raises:
        ValueError: not a decimal number, more than nine decimals, or beyond ``maximum`` in magnitude.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return _bounded(value * NANO, value, maximum, NANO)
    if not isinstance(value, str):
        raise ValueError(f"{_kind(value)} is not a decimal amount; {_as_text(value)}")
    match = _DECIMAL.fullmatch(value) if len(value) <= _MAX_TEXT else None
    if match is None:
        raise ValueError(f'"{value[:_MAX_TEXT]}" is not a decimal amount; write it like "1_000_000" or "0.01"')
    sign, whole, fraction = match.group(1), match.group(2), (match.group(3) or "").replace("_", "")
    if len(fraction) > 9:
        raise ValueError(f'"{value}" has more than nine decimals; the smallest step is "0.000000001"')
    units = int(whole) * NANO + int(fraction.ljust(9, "0"))
    return _bounded(-units if sign == "-" else units, value, maximum, NANO)


def parse_duration(value: object) -> int:
    """Nanoseconds, from text such as ``"100ms"``, ``"1s"``, ``"1.5s"`` or ``"5m"``; more than zero.

    Raises:
        ValueError: no unit, unknown unit, zero, or not a whole number of nanoseconds.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        raise ValueError(f'{value} has no unit of time; write it like "{value}ms" or "{value}s"')
    if not isinstance(value, str):
        raise ValueError(f'{_kind(value)} is not a duration; write it like "100ms", "1s" or "5m"')
    match = _DURATION.fullmatch(value) if len(value) <= _MAX_TEXT else None
    if match is None:
        raise ValueError(f'"{value[:_MAX_TEXT]}" is not a duration; write it like "100ms", "1s", "5m" or "1h"')
    fraction = match.group(2) or ""
    scale: int = 10 ** len(fraction)
    nanos, rest = divmod(int(match.group(1) + fraction) * _UNIT_NS[match.group(3)], scale)
    if rest:
        raise ValueError(f'"{value}" is finer than a nanosecond; write whole nanoseconds, like "{max(nanos, 1)}ns"')
    if nanos == 0:
        raise ValueError(f'"{value}" is zero; it must be longer than 0, like "100ms"')
    if nanos > COUNT_MAX:
        raise ValueError(f'"{value}" is too long; the longest is "2562047h"')
    return nanos


def parse_count(value: object) -> int:
    """A whole number, from an integer or text (``"25_000"``).

    Raises:
        ValueError: not a whole number or beyond 64 bits.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return _bounded(value, value, COUNT_MAX, 1)
    if not isinstance(value, str):
        raise ValueError(f"{_kind(value)} is not a whole number; write it like 25_000")
    if len(value) > _MAX_TEXT or _COUNT.fullmatch(value) is None:
        raise ValueError(f'"{value[:_MAX_TEXT]}" is not a whole number; write it like 25_000')
    return _bounded(int(value), value, COUNT_MAX, 1)


def format_decimal(units: int) -> str:
    """An amount in 1e-9 as decimal text, without trailing zeros: ``1_500_000_000`` is ``1.5``."""
    whole, fraction = divmod(abs(units), NANO)
    tail = f"{fraction:09d}".rstrip("0")
    return ("-" if units < 0 else "") + f"{whole:,}" + (f".{tail}" if tail else "")


def format_duration(nanos: int) -> str:
    """A duration in the largest unit that shows it exactly: ``100ms``, ``5m``."""
    for unit in ("h", "m", "s", "ms", "us"):
        if nanos and nanos % _UNIT_NS[unit] == 0:
            return f"{nanos // _UNIT_NS[unit]}{unit}"
    return f"{nanos}ns"


def _bounded(units: int, written: object, maximum: int, scale: int) -> int:
    if abs(units) > maximum:
        raise ValueError(f"{written} is too large; the largest is {maximum // scale}")
    return units


def _as_text(value: object) -> str:
    if isinstance(value, TomlFloat) and _DECIMAL.fullmatch(value.text):
        return f'write it as text: "{value.text}"'
    return 'write it as text, like "0.01", or as a whole number'


def _kind(value: object) -> str:
    if isinstance(value, TomlFloat):
        return f"the float {value.text}"
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, dict):
        return "a table"
    return "an array" if isinstance(value, list) else f"a {type(value).__name__}"
