"""One market data stream: the newest quote and status of each symbol and rate of each currency, never a backlog.

What changed is a set of symbols, so a reader that falls behind gets fewer, newer quotes. Every quote and rate is
repeated at each interval: its age then says whether the feed lives. Statuses are sent at the start and when they change.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable

from exchange_sim import wire
from exchange_sim.exchange import Exchange
from riskgate.v1 import exchange_pb2 as pb

QUIET_S = 0.002
"""At least this long between two frames, seconds: changes in between travel together."""


class QuoteStream:
    """Collects the symbols that changed and turns them into frames."""

    def __init__(self, exchange: Exchange, symbols: Iterable[str]) -> None:
        """Follow these symbols; none named = all. Unknown ones are left out."""
        markets = exchange.venue.markets
        self._exchange = exchange
        named = list(symbols)
        self._symbols = [symbol for symbol in named if symbol in markets] if named else list(markets)
        self._followed = frozenset(self._symbols)
        self._changed: dict[str, None] = {}
        self._unsaid: dict[str | None, None] = dict.fromkeys([None, *self._symbols])
        """Statuses that changed and are not sent yet; None is that of the whole market."""
        self._new_rates: dict[str, None] = {}
        self._wake = asyncio.Event()

    def touched(self, symbol: str) -> None:
        """Note a change."""
        if symbol in self._followed:
            self._changed[symbol] = None
            self._wake.set()

    def status_changed(self, symbol: str | None) -> None:
        """Note a change of a symbol's status, or of the whole market's."""
        if symbol is None or symbol in self._followed:
            self._unsaid[symbol] = None
            self._wake.set()

    def rate_changed(self, currency: str) -> None:
        """Note a change of a currency's rate."""
        self._new_rates[currency] = None
        self._wake.set()

    async def frames(self) -> AsyncIterator[pb.MarketDataResponse]:
        """Frames for the reader, for ever: all quotes first, then changes, all again at each interval."""
        self._exchange.listeners.append(self)
        try:
            while True:
                self._new_rates = dict.fromkeys(self._exchange.rates)
                yield self._frame(self._symbols)
                async for frame in self._changes_until(time.monotonic() + self._exchange.quote_ms / 1_000):
                    yield frame
        finally:
            self._exchange.listeners.remove(self)

    async def _changes_until(self, end: float) -> AsyncIterator[pb.MarketDataResponse]:
        while (left := end - time.monotonic()) > 0:
            try:
                await asyncio.wait_for(self._wake.wait(), left)
            except TimeoutError:
                return
            changed = list(self._changed)
            self._changed.clear()
            self._wake.clear()
            yield self._frame(changed)
            await asyncio.sleep(QUIET_S)

    def _frame(self, symbols: Iterable[str]) -> pb.MarketDataResponse:
        frame = pb.MarketDataResponse(heartbeat_ms=self._exchange.quote_ms)
        if self._exchange.faults.freeze_market_data:
            return frame
        for currency in self._new_rates:
            frame.rates.add(currency=currency, rate=self._exchange.rates[currency])
        self._new_rates.clear()
        for name in self._unsaid:
            frame.statuses.append(wire.status(self._exchange.venue.trading, name))
        self._unsaid.clear()
        now = time.time_ns()
        for symbol in symbols:
            touch = self._exchange.venue.markets[symbol].touch()
            frame.quotes.add(
                symbol=symbol,
                bid_px=touch.bid or 0,
                offer_px=touch.offer or 0,
                bid_size=touch.bid_size,
                offer_size=touch.offer_size,
                transact_time=now,
            )
        return frame
