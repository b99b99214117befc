"""The simulators' units, and how people read them. Times are ns, money and prices 1e-9 of a currency."""

from __future__ import annotations

from typing import Final

SECOND: Final = 1_000_000_000
MILLISECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
USD: Final = 1_000_000_000


def span(ns: int | None) -> str:
    """A time after the open for people: ``24 ms``, ``1.78 s``, ``24 min 0 s``, ``-2 min 30 s``; ``-`` for none."""
    if ns is None:
        return "-"
    if ns < 0:
        return f"-{span(-ns)}"
    if ns < SECOND:
        return f"{ns / 1e6:.0f} ms" if ns >= 10 * MILLISECOND else f"{ns / 1e6:.1f} ms"
    if ns < 100 * SECOND:
        return f"{ns / 1e9:.2f} s"
    seconds = round(ns / SECOND)
    return f"{seconds // 60} min {seconds % 60} s"


def usd(dollars: float) -> str:
    """Dollars for people: ``$460.1M``, ``-$2.9k``, ``$0``."""
    return money(dollars, "$")


def money(amount: float, currency: str) -> str:
    """An amount for people, after the sign of its currency: ``CNY 7.27bn``."""
    sign = "-" if amount < -0.5 else ""
    size = abs(amount)
    for unit, name in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if size >= unit:
            number = f"{size / unit:.3g}" if size < 100 * unit else f"{size / unit:.1f}"
            return f"{sign}{currency}{number}{name}"
    return f"{sign}{currency}{size:.0f}"
