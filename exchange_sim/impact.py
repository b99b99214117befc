"""What the simulated market does to a price, and whether a child order fills.

Sans-I/O and shared by the replay and the live exchange. `PriceImpact` holds one symbol::

    stock = PriceImpact(mid0=17_900_000_000, tick=10_000_000, spread_ticks=1, depth=1_000, move=0.12, full_qty=2_600_000)
    stock.bid, stock.ask                  # quotes in 1e-9, always whole ticks, spread_ticks apart
    price = stock.take(BUY_SIGN, 100)     # a marketable child of at most `depth` shares executes; the mid follows
    stock.walk(BUY_SIGN, 5_000)           # a larger one: [(shares, price), ...] level by level
    stock.relax(0.5)                      # nobody pushes any more: halve the distance of the mid from mid0

and `fills` gives the venue's coin, one share count per attempt::

    coin = fills(seed, stream=7)          # an endless iterator of 0, 50 and 100
    filled = next(coin)

The rule is square-root impact on the signed net quantity Q of the runaway flow in that symbol:
``mid = mid0 * (1 + move * sgn(Q) * sqrt(|Q| / full_qty))``, so ``move`` is how far the price has gone when ``full_qty``
has been bought. Floats are used for the model's mid only; every quote and price that leaves is an integer.
"""

from __future__ import annotations

import array
import itertools
import math
import random
from collections.abc import Iterator
from typing import Final

BUY_SIGN: Final = 1
SELL_SIGN: Final = -1

FILL_PROBABILITY: Final = 1 / 1.05
"""An attempt meets a counterparty: 1.05 attempts to one execution."""

HALF_FILL_SHARE: Final = 0.015
"""The share of fills that are of 50 shares instead of 100; the mean is then 99.25, as on 1 August 2012."""

UNWIND_DISCOUNT: Final = 0.02868
"""How far from mid0 the whole residual position is sold in one block (``u`` of the loss model)."""


class PriceImpact:
    """Quotes of one symbol under one-sided flow; see the module's description for the rule."""

    __slots__ = (
        "_high",
        "_low",
        "ask",
        "bid",
        "decay",
        "depth",
        "full_qty",
        "mid0",
        "move",
        "net",
        "spread_ticks",
        "tick",
    )

    def __init__(self, *, mid0: int, tick: int, spread_ticks: int, depth: int, move: float, full_qty: float) -> None:
        """Start at ``mid0`` (1e-9) with nothing traded; ``depth`` is the shares shown at each level."""
        self.mid0 = mid0
        self.tick = tick
        self.spread_ticks = spread_ticks
        self.depth = depth
        self.move = move
        self.full_qty = full_qty
        self.net = 0
        self.decay = 1.0
        self._quote()

    @property
    def mid(self) -> float:
        """The model's mid in 1e-9, before rounding to ticks."""
        pressure = math.copysign(math.sqrt(abs(self.net) / self.full_qty), self.net)
        return self.mid0 * (1.0 + self.decay * self.move * pressure)

    def take(self, sign: int, qty: int) -> int:
        """Execute a marketable order of at most ``depth`` shares; its price in 1e-9. The quotes follow at once."""
        price = self.ask if sign > 0 else self.bid
        self.net = net = self.net + sign * qty
        if net >= self._high or net < self._low:
            self._quote()
        return price

    def walk(self, sign: int, qty: int) -> list[tuple[int, int]]:
        """Execute a marketable order of any size: shares and price per level, one tick worse beyond each ``depth``."""
        best = self.ask if sign > 0 else self.bid
        levels: list[tuple[int, int]] = []
        left = qty
        while left > 0:
            price = best + sign * len(levels) * self.tick
            levels.append((min(left, self.depth), max(price, self.tick)))
            left -= self.depth
        self.take(sign, qty)
        return levels

    def relax(self, factor: float) -> None:
        """Scale the distance of the mid from ``mid0`` by ``factor``: liquidity comes back when the flow has stopped."""
        self.decay *= factor
        self._quote()

    def _quote(self) -> None:
        """Set the quotes, and between which net quantities they stay (so that most fills need no square root)."""
        half = self.spread_ticks / 2
        ticks = max(math.floor(self.mid / self.tick + half + 0.5), self.spread_ticks + 1)
        self.ask = ticks * self.tick
        self.bid = (ticks - self.spread_ticks) * self.tick
        self._low = self._net_at((ticks - half - 0.5) * self.tick)
        self._high = self._net_at((ticks - half + 0.5) * self.tick)

    def _net_at(self, mid: float) -> float:
        """The net quantity at which the model's mid is ``mid``: the rule, solved for Q."""
        slope = self.decay * self.move
        if slope <= 0.0:
            return math.copysign(math.inf, mid - self.mid)
        pressure = (mid / self.mid0 - 1.0) / slope
        return math.copysign(pressure * pressure * self.full_qty, pressure)


def _coin_table(probability: float, half_share: float, lot: int) -> list[int]:
    """Executed shares for each of the 65,536 values of a 16-bit random number."""
    fills_at = round(probability * 65_536)
    halves = round(probability * half_share * 65_536)
    return [lot // 2] * halves + [lot] * (fills_at - halves) + [0] * (65_536 - fills_at)


_COIN: Final = _coin_table(FILL_PROBABILITY, HALF_FILL_SHARE, 100)
_DRAWN_AT_ONCE: Final = 1_024


def fills(seed: int, stream: int) -> Iterator[int]:
    """Executed shares of each attempt to trade 100: 100, sometimes 50, and 0 when nobody is there.

    The same seed and stream give the same coins in every run; the iterator never ends.
    """
    source = random.Random(f"fills/{seed}/{stream}")
    draws = (array.array("H", source.randbytes(2 * _DRAWN_AT_ONCE)) for _ in itertools.repeat(None))
    return map(_COIN.__getitem__, itertools.chain.from_iterable(draws))


def unwind_loss(position: int, mid0: int, full_qty: float) -> int:
    """What selling (or buying back) a residual position costs against ``mid0``, in 1e-9: the block trade's discount."""
    return round(abs(position) * mid0 * UNWIND_DISCOUNT * math.sqrt(abs(position) / full_qty))
