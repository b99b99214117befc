"""The running exchange: one venue, what it remembers of each gateway, and who listens to its quotes.

All of it lives on one event loop; nothing here waits.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from exchange_sim import wire
from exchange_sim.faults import Faults
from exchange_sim.gateways import GatewayRecord
from exchange_sim.instruments import Instrument
from exchange_sim.trading import Phase
from exchange_sim.venue import Outcome, Report, Venue
from riskgate.v1 import exchange_pb2 as pb


class QuoteListener(Protocol):
    """Somebody who wants to know that a symbol's quote may have changed."""

    def touched(self, symbol: str) -> None:
        """The symbol's book has changed."""

    def status_changed(self, symbol: str | None) -> None:
        """The symbol's status, or the whole market's, has changed."""

    def rate_changed(self, currency: str) -> None:
        """The rate of the currency has changed."""


class Exchange:
    """Takes order messages from any session, publishes what comes of them."""

    def __init__(
        self,
        instruments: Iterable[Instrument],
        *,
        coins: Iterator[int] | None = None,
        heartbeat_ms: int = 1_000,
        quote_ms: int = 250,
        rates: Mapping[str, int] | None = None,
    ) -> None:
        """Open for business.

        Args:
            instruments: what is traded.
            coins: see `Venue`.
            heartbeat_ms: how often the order stream says that it lives.
            quote_ms: how often each quote and each rate is repeated at least.
            rates: what currencies are worth, 1e-9 of the reader's base currency.
        """
        self.venue = Venue(instruments, coins)
        self.faults = Faults()
        self.heartbeat_ms = heartbeat_ms
        self.quote_ms = quote_ms
        self.rates = dict(rates or {})
        self.gateways: dict[str, GatewayRecord] = {}
        self.listeners: list[QuoteListener] = []
        self._orders_seen = 0

    def gateway(self, name: str) -> GatewayRecord:
        """The record of a gateway, made on first use."""
        record = self.gateways.get(name)
        if record is None:
            self.gateways[name] = record = GatewayRecord(name)
        return record

    def new_order(self, gateway: str, message: pb.VenueNewOrder) -> None:
        """Take a new order. Raises `wire.UnreadableError`."""
        order, now = wire.arrival(gateway, message), time.time_ns()
        self._orders_seen += 1
        every = self.faults.reject_every
        if self.faults.use("reject_next") or (every and self._orders_seen % every == 0):
            self.publish([self.venue.reject(now, order, "rejected by a fault drill")])
            return
        self.publish(self.venue.new_order(now, order))

    def replace(self, gateway: str, message: pb.VenueReplace) -> None:
        """Change an open order."""
        price = message.price if message.HasField("price") else None
        now = time.time_ns()
        self.publish(self.venue.replace(now, gateway, message.cl_ord_id, message.order_qty, price))

    def cancel(self, gateway: str, cl_ord_id: int) -> None:
        """Cancel an open order."""
        if self.faults.use("ignore_cancels"):
            return
        self.publish(self.venue.cancel(time.time_ns(), gateway, cl_ord_id))

    def cancel_all(self, gateway: str, text: str) -> None:
        """Cancel every open order of a gateway."""
        self.publish(self.venue.cancel_all(time.time_ns(), gateway, text))

    def publish(self, outcomes: Iterable[Outcome]) -> None:
        """Sequence outcomes for their gateways, copy executions to the drop copy, and note which quotes changed."""
        not_before = time.monotonic() + self.faults.delay_reports_ms / 1_000
        for outcome in outcomes:
            record = self.gateway(wire.owner(outcome))
            record.append(wire.message(outcome), not_before)
            if isinstance(outcome, Report):
                if outcome.kind in wire.DROP_COPIED and not self.faults.use("lose_drop_copies"):
                    record.drop(wire.drop_copy(outcome))
                self.touched(outcome.order.arrival.symbol)

    def touched(self, symbol: str) -> None:
        """Tell the market data streams that a symbol's quote may have changed."""
        for listener in self.listeners:
            listener.touched(symbol)

    def set_rate(self, currency: str, rate: int) -> None:
        """Value a currency; 0 = no rate any more."""
        self.rates[currency] = rate
        for listener in self.listeners:
            listener.rate_changed(currency)

    def set_phase(self, symbol: str | None, phase: Phase) -> None:
        """Put a symbol, or the whole venue, into a phase."""
        outcomes = self.venue.set_phase(time.time_ns(), symbol, phase)
        self.status_changed(symbol)
        self.publish(outcomes)

    def status_changed(self, symbol: str | None) -> None:
        """Tell the market data streams that a status has changed."""
        for listener in self.listeners:
            listener.status_changed(symbol)

    def disconnect(self, gateway: str, why: str) -> bool:
        """Cut a gateway's session; whether it had one."""
        session = self.gateway(gateway).session
        if session is not None:
            session.fence(why)
        return session is not None
