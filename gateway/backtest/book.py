"""The order book of one instrument, as a recording shows it, and the touch the core is told."""

import heapq
from dataclasses import dataclass

from gateway.backtest.flow import Side

Touch = tuple[int, int]


@dataclass(slots=True)
class Resting:
    """An order in the book. ``filled`` has been reported as filled and is still to be taken off ``size``."""

    order: int
    side: Side
    price: int
    size: int
    ours: bool
    filled: int = 0
    explained: bool = False
    """What it will be after the running event has been said already."""


class Book:
    """Price levels, by quantity. Prices in 1e-9."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Empty it."""
        self._levels: dict[Side, dict[int, int]] = {Side.BUY: {}, Side.SELL: {}}
        # Best price first; a price stays until it comes to the top and its level is gone.
        self._heaps: dict[Side, list[int]] = {Side.BUY: [], Side.SELL: []}
        self._touch: Touch | None = None
        self._changed = True

    def add(self, side: Side, price: int, size: int) -> None:
        """Change the quantity at a price; ``size`` may be negative."""
        levels = self._levels[side]
        before = levels.get(price, 0)
        after = before + size
        if after > 0:
            levels[price] = after
            if before <= 0:
                heapq.heappush(self._heaps[side], -price if side is Side.BUY else price)
        else:
            levels.pop(price, None)
        self._changed = True

    def touch(self) -> Touch | None:
        """Best bid and offer; ``None`` while one side is empty.

        A book that is crossed or locked is one before its auction (CME: pre-open). Its touch is the one that would
        remain if it were matched now, like the indicative prices that exchanges publish then.
        """
        if self._changed:
            self._changed = False
            bid, ask = self._best(Side.BUY), self._best(Side.SELL)
            if bid is None or ask is None:
                self._touch = None
            else:
                self._touch = (bid, ask) if bid < ask else self._uncrossed(bid, ask)
        return self._touch

    def _best(self, side: Side) -> int | None:
        heap, levels = self._heaps[side], self._levels[side]
        sign = -1 if side is Side.BUY else 1
        while heap:
            price = sign * heap[0]
            if price in levels:
                return price
            heapq.heappop(heap)
        return None

    def _uncrossed(self, best_bid: int, best_ask: int) -> Touch | None:
        levels_bid, levels_ask = self._levels[Side.BUY], self._levels[Side.SELL]
        bids = sorted(((price, qty) for price, qty in levels_bid.items() if price >= best_ask), reverse=True)
        asks = sorted((price, qty) for price, qty in levels_ask.items() if price <= best_bid)
        left_bid, left_ask = _match(bids, asks)
        bid = left_bid if left_bid is not None else max((p for p in levels_bid if p < best_ask), default=None)
        ask = left_ask if left_ask is not None else min((p for p in levels_ask if p > best_bid), default=None)
        return None if bid is None or ask is None else (bid, ask)


def _match(bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> tuple[int | None, int | None]:
    """Best prices that remain of each side after all that crosses has met."""
    at_bid = at_ask = 0
    open_bid = open_ask = 0
    while True:
        if not open_bid and at_bid < len(bids):
            open_bid = bids[at_bid][1]
        if not open_ask and at_ask < len(asks):
            open_ask = asks[at_ask][1]
        if not open_bid or not open_ask or bids[at_bid][0] < asks[at_ask][0]:
            break
        met = min(open_bid, open_ask)
        open_bid -= met
        open_ask -= met
        at_bid += not open_bid
        at_ask += not open_ask
    return (bids[at_bid][0] if open_bid else None, asks[at_ask][0] if open_ask else None)
