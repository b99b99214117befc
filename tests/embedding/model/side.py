"""Buying and selling."""

from __future__ import annotations


class Sided:
    """Whatever has a side: ``buy``, ``sell``, ``short`` or ``exempt``."""

    side: str

    @property
    def buys(self) -> bool:
        """Whether it lifts the position."""
        return self.side == "buy"

    @property
    def short(self) -> bool:
        """Whether it is marked short, exempt or not."""
        return self.side in {"short", "exempt"}

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self.buys else -1
