"""One run of an incident in virtual time: every event in exact order, from one heap.

A run is uncontrolled (orders go straight to the venue) or controlled (each is first decided by the risk core). The venue
answers at once; its reports are back `REPORT_LATENCY` later, or, while the scene is deaf to them, when it no longer is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

from router_sim.incidents.books import Books
from router_sim.incidents.result import Run
from router_sim.incidents.scene import FaultyOrder, Scene, stop_at
from router_sim.units import MILLISECOND, SECOND

if TYPE_CHECKING:
    from router_sim.incidents.door import Door  # at run time only a controlled run needs the native module

REPORT_LATENCY: Final = MILLISECOND
SWEEP_EVERY: Final = 10 * MILLISECOND
"""How often the core's timer is called while a halt cancels what rests."""

AFTERMATH: Final = SECOND
"""How long a run that stops at its first halt goes on, for the cancels to be confirmed."""

Progress = Callable[[float], None]
Action = Callable[[int, int], None]


class Play:
    """One run. `run` plays it to the end; there is nothing to be reused afterwards."""

    def __init__(
        self, scene: Scene, door: Door | None = None, *, until: int | None = None, stop_at_halt: bool = False
    ) -> None:
        """Set the stage; ``until`` ends the run that long after the fault began, ``door`` makes it a controlled one."""
        self.scene = scene
        self.door = door
        self.end = stop_at(scene.end, until)
        self.stop_at_halt = stop_at_halt
        self.books = Books(scene)
        self.events: list[tuple[int, int, Action, int]] = []
        self.scheduled = 0
        self.orders: dict[int, FaultyOrder] = {}
        self.live: set[int] = set()
        """Orders of the faulty router that rest at the venue."""
        self.healthy_live: dict[int, int] = {}
        self.ids = 0
        self.healthy_orders = 0
        self.healthy_rejected = 0
        self.healthy_executions = 0
        self.is_open = scene.opens_at is None

    def run(self, progress: Progress | None = None) -> Run:
        """Play it; ``progress`` is told the fraction done now and then."""
        started = time.perf_counter()
        self._open()
        length = max(self.end - self.scene.begin, 1)
        events = 0
        while self.events and self.events[0][0] <= self.end:
            at, _, action, argument = heappop(self.events)
            action(at, argument)
            events += 1
            if progress is not None and events % 4096 == 0:
                progress((at - self.scene.begin) / length)
        if progress is not None:
            progress(1.0)
        return Run(
            attempts=self.books.attempts,
            duration=self.end,
            totals=self.books.totals(),
            first_excess_at=self.books.first_excess_at,
            healthy_orders=self.healthy_orders,
            healthy_rejected=self.healthy_rejected,
            healthy_executions=self.healthy_executions,
            door=self.door.finish() if self.door else None,
            wall_seconds=time.perf_counter() - started,
        )

    def _open(self) -> None:
        scene = self.scene
        if self.door:
            self.door.connect(scene.begin)
            self._at(scene.begin, self._quotes, 0)
            self._at(scene.begin, self._timer, 0)
            for number, at in enumerate(scene.liftings):
                self._at(at, self._lift, number)
        if scene.opens_at is not None:
            self._at(scene.opens_at, self._opens, 0)
        for number, order in enumerate(scene.orders):
            self._at(order.at, self._send, number)
        for number, healthy in enumerate(scene.healthy):
            self._at(healthy.at, self._send_healthy, number)

    def _at(self, at: int, action: Action, argument: int) -> None:
        self.scheduled += 1
        heappush(self.events, (at, self.scheduled, action, argument))

    # ---- market data, timers, people ----------------------------------------------------------------------------

    def _quotes(self, at: int, _: int) -> None:
        self._door().quotes(at)
        self._at(at + self.scene.tick_every, self._quotes, 0)

    def _timer(self, at: int, _: int) -> None:
        door = self._door()
        door.timer(at)
        self._look(at)
        self._at(at + (SWEEP_EVERY if door.sweeping else self.scene.timer_every), self._timer, 0)

    def _lift(self, at: int, _: int) -> None:
        self._door().lift(at)

    def _look(self, at: int) -> None:
        """Write down what is new, and cancel at the venue what the core wants cancelled."""
        door = self._door()
        for order in door.look(at):
            self._at(at + REPORT_LATENCY, self._cancel, order)
        if self.stop_at_halt and door.halted:
            self.stop_at_halt = False
            self.end = min(self.end, at + AFTERMATH)

    def _door(self) -> Door:
        if self.door is None:
            raise RuntimeError("an uncontrolled run has no gateway")
        return self.door

    # ---- the faulty router --------------------------------------------------------------------------------------

    def _send(self, at: int, number: int) -> None:
        order = self.scene.orders[number]
        self.books.asked(order)
        identity = self._next_id()
        if self.door:
            identity = self.door.faulty(order)
            if identity < 0:
                self._look(at)
                return
            self._at(self._back(at), self._acknowledge, identity)
        self.books.sent(order)
        self.orders[identity] = order
        self.live.add(identity)
        if self.is_open:
            self._match(at, identity)

    def _next_id(self) -> int:
        self.ids += 1
        return self.ids

    def _back(self, at: int) -> int:
        """When the venue's report on an order of the faulty router arrives."""
        return max(at + REPORT_LATENCY, self.scene.deaf_until)

    def _match(self, at: int, identity: int) -> None:
        """The venue executes what it will, and cancels the rest unless it rests."""
        order = self.orders[identity]
        done = order.fills == order.qty or not self.scene.rest
        if done:
            self.live.discard(identity)
        if order.fills:
            self.books.executed(order, order.fills)
        if self.door and order.fills:
            self._at(self._back(at), self._report_trade, identity)
        if self.door and done and order.fills < order.qty:
            self._at(self._back(at), self._report_canceled, identity)

    def _opens(self, at: int, _: int) -> None:
        self.is_open = True
        if self.door:
            self.door.opens(at)
        for identity in sorted(self.live):
            self._match(at, identity)

    def _acknowledge(self, at: int, identity: int) -> None:
        self._door().accepted(at, identity)

    def _report_trade(self, at: int, identity: int) -> None:
        order = self.orders[identity]
        self._door().trade(at, identity, order.fills, self.books.price(order))
        self._look(at)

    def _report_canceled(self, at: int, identity: int) -> None:
        self._door().canceled(at, identity)
        self._look(at)

    def _cancel(self, at: int, identity: int) -> None:
        """A cancel of the gateway reaches the venue; too late for what has executed."""
        if identity in self.live:
            self.live.discard(identity)
            self._at(self._back(at), self._report_canceled, identity)
        elif self.healthy_live.pop(identity, None) is not None:
            self._at(at + REPORT_LATENCY, self._report_canceled, identity)

    # ---- healthy routers ----------------------------------------------------------------------------------------

    def _send_healthy(self, at: int, number: int) -> None:
        order = self.scene.healthy[number]
        self.healthy_orders += 1
        identity = self._next_id()
        if self.door:
            identity = self.door.healthy(number, order)
            if identity < 0:
                self.healthy_rejected += 1
                self._look(at)
                return
            self._at(at + REPORT_LATENCY, self._acknowledge_healthy, identity)
        self.healthy_live[identity] = number
        trading = at if self.is_open else self.scene.opens_at or at
        self._at(trading + order.resting, self._fill_healthy, identity)

    def _acknowledge_healthy(self, at: int, identity: int) -> None:
        if identity in self.healthy_live:
            self._door().accepted(at, identity)

    def _fill_healthy(self, at: int, identity: int) -> None:
        number = self.healthy_live.pop(identity, None)
        if number is None:
            return
        self.healthy_executions += 1
        if self.door:
            order = self.scene.healthy[number]
            instrument = self.scene.instruments[order.symbol]
            self.door.trade(at, identity, order.qty, instrument.bid if order.sign > 0 else instrument.ask)
            self._look(at)
