"""A limit order book of one symbol: price first, then time. Pure: no clock, no I/O, no ids of its own.

Prices are integers in 1e-9 of the currency, quantities are whole units.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import NamedTuple


class Fill(NamedTuple):
    """One execution against a resting order, at the resting order's price."""

    resting_id: int
    price: int
    qty: int


class Level(NamedTuple):
    """A price and everything that rests at it."""

    price: int
    qty: int


class BookError(ValueError):
    """A call that would break the book; a fault of the caller, never of an order."""


@dataclass(slots=True)
class _Side:
    """One side. The heap may hold prices whose level is gone; they are dropped when they surface.

    `sign` turns "best" into "smallest": +1 for offers, -1 for bids.
    """

    sign: int
    levels: dict[int, dict[int, int]] = field(default_factory=dict)
    heap: list[int] = field(default_factory=list)

    def best_price(self) -> int | None:
        while self.heap:
            price = self.heap[0] * self.sign
            if price in self.levels:
                return price
            heapq.heappop(self.heap)
        return None

    def add(self, order_id: int, price: int, qty: int) -> None:
        level = self.levels.get(price)
        if level is None:
            self.levels[price] = level = {}
            heapq.heappush(self.heap, price * self.sign)
        level[order_id] = qty

    def remove(self, order_id: int, price: int) -> int:
        level = self.levels[price]
        qty = level.pop(order_id)
        if not level:
            del self.levels[price]
        return qty


class Book:
    """Resting orders of one symbol, matched by price, then by time of arrival."""

    def __init__(self) -> None:
        """Begin empty."""
        self._bids = _Side(sign=-1)
        self._offers = _Side(sign=1)
        self._where: dict[int, tuple[bool, int]] = {}

    def __contains__(self, order_id: int) -> bool:
        """Whether the order rests here."""
        return order_id in self._where

    def __len__(self) -> int:
        """How many orders rest."""
        return len(self._where)

    def best_bid(self) -> int | None:
        """Highest price somebody buys at; None when nobody does."""
        return self._bids.best_price()

    def best_offer(self) -> int | None:
        """Lowest price somebody sells at; None when nobody does."""
        return self._offers.best_price()

    def depth(self, *, buy: bool) -> Level | None:
        """The best level of the buy or the sell side with its whole quantity; None when the side is empty."""
        side = self._bids if buy else self._offers
        price = side.best_price()
        return None if price is None else Level(price, sum(side.levels[price].values()))

    def resting(self, order_id: int) -> Level | None:
        """Price and open quantity of an order that rests; None for one that does not."""
        place = self._where.get(order_id)
        if place is None:
            return None
        buy, price = place
        return Level(price, (self._bids if buy else self._offers).levels[price][order_id])

    def rest(self, order_id: int, *, buy: bool, price: int, qty: int) -> None:
        """Put an order at the end of its price's queue.

        Raises:
            BookError: the id rests already, the quantity is not positive, or the price crosses the other side (take
                from it first with `take`).
        """
        if order_id in self._where:
            raise BookError(f"order {order_id} rests already; cancel it first or use another id")
        if qty <= 0:
            raise BookError(f"order {order_id} has quantity {qty}; only a positive one can rest")
        opposite = self.best_offer() if buy else self.best_bid()
        if opposite is not None and (price >= opposite if buy else price <= opposite):
            raise BookError(f"order {order_id} at {price} crosses {opposite}; take from the other side first")
        (self._bids if buy else self._offers).add(order_id, price, qty)
        self._where[order_id] = (buy, price)

    def available(self, *, buy: bool, limit: int | None, enough: int) -> int:
        """What a buyer (or seller) could take at `limit` or better; stops counting at `enough`."""
        side = self._offers if buy else self._bids
        found = 0
        for price in sorted(side.levels, reverse=not buy):
            if found >= enough or not _reaches(price, limit, buy=buy):
                break
            found += sum(side.levels[price].values())
        return min(found, enough)

    def take(self, *, buy: bool, limit: int | None, qty: int) -> list[Fill]:
        """Execute an incoming order against the other side, best price first, oldest first at each price.

        Args:
            buy: the incoming order buys.
            limit: worst acceptable price; None takes at any price (a market order).
            qty: at most this much.

        Returns:
            The fills in the order they happened; what they do not cover found no counterparty.
        """
        side = self._offers if buy else self._bids
        fills: list[Fill] = []
        while qty > 0:
            price = side.best_price()
            if price is None or not _reaches(price, limit, buy=buy):
                break
            level = side.levels[price]
            resting_id, open_qty = next(iter(level.items()))
            traded = min(qty, open_qty)
            if traded == open_qty:
                side.remove(resting_id, price)
                del self._where[resting_id]
            else:
                level[resting_id] = open_qty - traded
            fills.append(Fill(resting_id, price, traded))
            qty -= traded
        return fills

    def cancel(self, order_id: int) -> int:
        """Remove an order; what was open of it, 0 when it does not rest."""
        place = self._where.pop(order_id, None)
        if place is None:
            return 0
        buy, price = place
        return (self._bids if buy else self._offers).remove(order_id, price)

    def reduce(self, order_id: int, qty: int) -> None:
        """Lower an order's open quantity to `qty`; it keeps its place in the queue.

        Raises:
            BookError: the order does not rest, or `qty` is not below what is open and above zero. More quantity
                means a new place: cancel, then rest again.
        """
        level = self.resting(order_id)
        if level is None:
            raise BookError(f"order {order_id} does not rest")
        if not 0 < qty <= level.qty:
            raise BookError(f"order {order_id} has {level.qty} open; it can be reduced to 1..{level.qty}, not {qty}")
        buy, price = self._where[order_id]
        (self._bids if buy else self._offers).levels[price][order_id] = qty


def _reaches(price: int, limit: int | None, *, buy: bool) -> bool:
    if limit is None:
        return True
    return price <= limit if buy else price >= limit
