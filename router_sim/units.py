"""The simulators' units, and how people read them. Times are ns, money and prices 1e-9 of a dollar."""

from __future__ import annotations

from typing import Final

SECOND: Final = 1_000_000_000
MILLISECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
USD: Final = 1_000_000_000


def span(ns: int | None) -> str:
    """A time after the open for people: ``24 ms``, ``1.78 s``, ``24 min 0 s``; ``-`` for none."""
    if ns is None:
        return "-"
    if ns < SECOND:
        return f"{ns / 1e6:.0f} ms" if ns >= 10 * MILLISECOND else f"{ns / 1e6:.1f} ms"
    if ns < 100 * SECOND:
        return f"{ns / 1e9:.2f} s"
    return f"{ns // MINUTE} min {ns % MINUTE / 1e9:.0f} s"


def usd(dollars: float) -> str:
    """Dollars for people: ``$460.1M``, ``-$2.9k``, ``$0``."""
    sign = "-" if dollars < -0.5 else ""
    size = abs(dollars)
    for unit, name in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if size >= unit:
            return f"{sign}${size / unit:.3g}{name}" if size < 100 * unit else f"{sign}${size / unit:.1f}{name}"
    return f"{sign}${size:.0f}"
