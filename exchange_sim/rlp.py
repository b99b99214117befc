"""The retail liquidity program (RLP): hidden interest inside the spread that only retail orders meet.

After NYSE's program of 1 August 2012: liquidity providers post hidden orders that improve on the best published
price by at least a tenth of a cent; an order marked as retail (flag bit 0) takes from them before the lit book.
The interest here stands in for all providers of a symbol: so much per side, renewed as time passes.
"""

from __future__ import annotations

from dataclasses import dataclass

RETAIL_FLAG = 1 << 0

MIN_IMPROVEMENT = 1_000_000
"""$0.001 in 1e-9 units, the least improvement the program accepts."""

RENEWAL_NS = 1_000_000_000
"""Providers post again this long after a side was last renewed."""


@dataclass(frozen=True, slots=True)
class RetailFill:
    """An execution against hidden retail interest."""

    price: int
    qty: int


class RetailBook:
    """Hidden retail price improvement of one symbol."""

    def __init__(self, size: int, improvement: int = MIN_IMPROVEMENT) -> None:
        """Set up both sides.

        Args:
            size: units the providers show each side after every renewal; 0 = nobody takes part.
            improvement: better than the published price by this much, 1e-9 units.

        Raises:
            ValueError: `improvement` is below the program's tenth of a cent.
        """
        if improvement < MIN_IMPROVEMENT:
            raise ValueError(f"RLP improvement {improvement} is below the minimum {MIN_IMPROVEMENT} (1e-9 units)")
        self._size = size
        self._improvement = improvement
        self._left = {True: size, False: size}
        self._renewed = {True: 0, False: 0}

    def take(
        self, now: int, *, buy: bool, limit: int | None, qty: int, bid: int | None, offer: int | None
    ) -> RetailFill | None:
        """What a retail order gets before it goes to the lit book; None when there is nothing for it.

        Args:
            now: UTC ns, decides about renewal.
            buy: the retail order buys.
            limit: its limit price; None for a market order.
            qty: its quantity.
            bid: best published bid.
            offer: best published offer.
        """
        if bid is None or offer is None:
            return None
        price = offer - self._improvement if buy else bid + self._improvement
        if not bid < price < offer:
            return None
        if limit is not None and (price > limit if buy else price < limit):
            return None
        if now - self._renewed[buy] >= RENEWAL_NS:
            self._left[buy], self._renewed[buy] = self._size, now
        traded = min(qty, self._left[buy])
        if traded <= 0:
            return None
        self._left[buy] -= traded
        return RetailFill(price, traded)
