"""One symbol's market: the customers' book, the other participants in it, and how far their prices give way.

The other participants are one market maker who keeps a few levels around a mid price. Their quotes follow
`impact`: the square root of the net quantity taken from them, so whoever buys without end pays more and more.
"""

from __future__ import annotations

from dataclasses import dataclass

from exchange_sim.book import Book, Fill
from exchange_sim.impact import BUY_SIGN, SELL_SIGN, PriceImpact
from exchange_sim.instruments import Instrument
from exchange_sim.rlp import RetailBook

LEVELS = 3
"""Price levels the maker keeps on each side."""

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Touch:
    """Best prices and sizes; a side nobody quotes is None with size 0."""

    bid: int | None
    offer: int | None
    bid_size: int
    offer_size: int


class Market:
    """The lit book, the hidden retail book and the maker of one symbol."""

    def __init__(self, instrument: Instrument) -> None:
        """Open with the maker's quotes around the instrument's mid."""
        self.instrument = instrument
        self.book = Book()
        self.retail = RetailBook(instrument.retail_size)
        self.impact = PriceImpact(
            mid0=instrument.mid,
            tick=instrument.tick,
            spread_ticks=instrument.spread_ticks,
            depth=instrument.depth,
            move=instrument.move_ppm / _MILLION,
            full_qty=instrument.move_qty,
        )
        self.pinned: tuple[int, int] | None = None
        """Bid and offer the maker is told to show (fault drills); None = follow the impact."""
        self._maker_id = 0
        self._maker_orders: list[int] = []
        self._shown: tuple[int, int] | None = None
        self.refresh()

    def touch(self) -> Touch:
        """Best bid and offer with their sizes."""
        bid, offer = self.book.depth(buy=True), self.book.depth(buy=False)
        return Touch(
            bid=bid.price if bid else None,
            offer=offer.price if offer else None,
            bid_size=bid.qty if bid else 0,
            offer_size=offer.qty if offer else 0,
        )

    def taken(self, qty: int, *, buy: bool) -> None:
        """Customers took `qty` from other participants; the next `refresh` moves the price."""
        self.impact.take(BUY_SIGN if buy else SELL_SIGN, qty)

    def refresh(self) -> list[Fill]:
        """Let the maker quote anew when its prices moved or its first level ran low.

        Returns:
            Fills of customers' resting orders that the maker's new prices met.
        """
        bid, offer = self.pinned or (self.impact.bid, self.impact.ask)
        if self._shown == (bid, offer) and not self._thin(bid, offer):
            return []
        for order_id in self._maker_orders:
            self.book.cancel(order_id)
        self._maker_orders.clear()
        self._shown = (bid, offer)
        fills: list[Fill] = []
        for level in range(LEVELS):
            step = level * self.instrument.tick
            fills += self._post(buy=False, price=offer + step)
            if bid - step > 0:
                fills += self._post(buy=True, price=bid - step)
        return fills

    def _thin(self, bid: int, offer: int) -> bool:
        for buy, price in ((True, bid), (False, offer)):
            best = self.book.depth(buy=buy)
            if best is None or (best.price == price and best.qty * 2 < self.instrument.depth):
                return True
            if best.price != price and (best.price < price) == buy:
                return True
        return False

    def _post(self, *, buy: bool, price: int) -> list[Fill]:
        self._maker_id -= 1
        fills = self.book.take(buy=buy, limit=price, qty=self.instrument.depth)
        left = self.instrument.depth - sum(fill.qty for fill in fills)
        if left:
            self.book.rest(self._maker_id, buy=buy, price=price, qty=left)
            self._maker_orders.append(self._maker_id)
        return fills
