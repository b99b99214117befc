"""The books of the faulty router in one run: what reached the venue, what was executed, what of it was not meant."""

from __future__ import annotations

from router_sim.incidents.result import Totals
from router_sim.incidents.scene import FaultyOrder, Scene
from router_sim.units import USD


class Books:
    """Sums as the run goes on; `totals` reads them."""

    def __init__(self, scene: Scene) -> None:
        """Begin with nothing sent."""
        self._scene = scene
        self._asked = [0] * len(scene.instruments)
        self._executed = [0] * len(scene.instruments)
        self._orders = 0
        self._sent = 0
        self._done_orders = 0
        self._done_qty = 0
        self._done = 0
        self._leaked_orders = 0
        self._leaked_qty = 0
        self._leaked = 0
        self._loss = 0
        self.attempts = 0
        self.first_excess_at: int | None = None

    def asked(self, order: FaultyOrder) -> None:
        """The router wants to send an order, whatever comes of it."""
        self._asked[order.symbol] += order.qty
        if order.intended:
            return
        self.attempts += 1
        if self.first_excess_at is None and self._asked[order.symbol] > self._scene.allowed[order.symbol]:
            self.first_excess_at = order.at

    def sent(self, order: FaultyOrder) -> None:
        """It reached the venue. One without a price of its own counts at what somebody pays."""
        if not order.intended:
            self._orders += 1
            self._sent += order.qty * self._value(order.symbol, self.price(order))

    def executed(self, order: FaultyOrder, qty: int) -> None:
        """The venue executed ``qty`` of it."""
        price = self.price(order)
        before = self._executed[order.symbol]
        self._executed[order.symbol] = before + qty
        value = self._value(order.symbol, price)
        if not order.intended:
            self._done_orders += 1
            self._done_qty += qty
            self._done += qty * value
        over = min(qty, before + qty - self._scene.allowed[order.symbol])
        if over <= 0:
            return
        self._leaked_orders += 1
        self._leaked_qty += over
        self._leaked += over * value
        mid = self._scene.instruments[order.symbol].mid
        self._loss += over * self._value(order.symbol, (price - mid) * order.sign)

    def price(self, order: FaultyOrder) -> int:
        """What it executes at: its limit; the touch, if it has no price that could be one."""
        if order.price > 0:
            return order.price
        instrument = self._scene.instruments[order.symbol]
        return instrument.ask if order.sign > 0 else instrument.bid

    def totals(self) -> Totals:
        """The sums so far."""
        return Totals(
            orders=self._orders,
            notional_sent=self._sent / USD,
            executed_orders=self._done_orders,
            executed_qty=self._done_qty,
            executed_notional=self._done / USD,
            symbols=sum(qty > 0 for qty in self._executed),
            leaked_orders=self._leaked_orders,
            leaked_qty=self._leaked_qty,
            leaked_notional=self._leaked / USD,
            loss=None if self._scene.story.notional_only else self._loss / USD,
        )

    def _value(self, symbol: int, price: int) -> int:
        """Money of one unit."""
        return price * self._scene.instruments[symbol].multiplier
