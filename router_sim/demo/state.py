"""What is known about a running demonstration, from three sides: the fleet, the gateway, the exchange. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from exchange_sim.impact import unwind_loss
from riskgate.v1 import admin_pb2, types_pb2
from router_sim.behaviour import Build
from router_sim.knight.stocks import Stock
from router_sim.units import USD

RATE_S = 1.0
"""Seconds over which orders per second are counted."""

EVENTS_KEPT = 200


@dataclass(slots=True)
class RouterView:
    """One router as the terminal shows it."""

    name: str
    build: str = ""
    alive: bool = False
    connected: bool = False
    state: str = "-"
    sent: int = 0
    accepted: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    executions: int = 0
    open_orders: int = 0
    pnl: int = 0
    """Day P&L as the gateway sees it, 1e-9."""
    counters: Mapping[str, Any] = field(default_factory=dict, repr=False)
    rates: deque[tuple[float, int]] = field(default_factory=deque, repr=False)

    @property
    def old_code(self) -> bool:
        """Whether it runs what should have been replaced."""
        return self.build == Build.POWER_PEG.value

    def rate(self) -> float:
        """Orders a second, lately."""
        if len(self.rates) < 2:
            return 0.0
        (first, before), (last, after) = self.rates[0], self.rates[-1]
        return (after - before) / (last - first) if last > first else 0.0


@dataclass(slots=True)
class Event:
    """One line of the log: when (UTC ns) and what."""

    at: int
    text: str
    bad: bool = False


class DemoState:
    """Everything the view and the card need."""

    def __init__(self, stocks: Sequence[Stock]) -> None:
        """Know the stocks, for what the excess costs."""
        self.stocks = {stock.name: stock for stock in stocks}
        self.routers: dict[str, RouterView] = {}
        self.events: deque[Event] = deque(maxlen=EVENTS_KEPT)
        self.open_at = 0
        self.now = 0
        self.venue = "-"
        self.status: admin_pb2.GetStatusResponse | None = None
        self.trips: list[admin_pb2.Trip] = []
        self.clean_at: dict[str, int] = {}
        """Scope to the time at which its last cancel was confirmed."""
        self.venue_stats: Mapping[str, Any] = {}
        self.quotes: Mapping[str, Sequence[int]] = {}
        self.registered = 0
        self.steps: Sequence[Mapping[str, Any]] = ()
        self.odd: dict[str, str] = {}
        """Routers that the gateway found to differ from the rest, and its sentence."""

    # ---- from the fleet -----------------------------------------------------------------------------------------

    def fleet(self, line: Mapping[str, Any]) -> None:
        """Take in a line of the fleet."""
        event = line.get("event")
        if event == "stats":  # not the summary: it counts what the routers do to leave, too
            self._counters(line)
        elif event == "open":
            self.open_at = line["at"]
        elif event == "deployed":
            self.steps = line["steps"]
        elif event == "disconnected":
            self.note(f"{line['router']} lost its session: {line['text']}", bad=True)
        elif event == "ended" and line["code"] != 0:
            self.note(f"{line['router']} ended with code {line['code']}", bad=True)
        elif event == "error":
            self.note(str(line["text"]), bad=True)
        elif event == "rolled-back":
            self.note(f"rolled back: {', '.join(line['servers'])}", bad=True)

    def _counters(self, line: Mapping[str, Any]) -> None:
        self.now = line["at"]
        self.registered = line.get("registered", self.registered)
        for name, counters in line["routers"].items():
            view = self.router(name)
            view.build, view.alive, view.connected = counters["build"], counters["alive"], counters["connected"]
            if "sent" not in counters:
                continue
            view.counters = counters
            view.sent, view.accepted = counters["sent"], counters["accepted"]
            view.rejected, view.executions = counters["rejected"], counters["executions"]
            at = self.now / 1e9
            view.rates.append((at, view.sent))
            while view.rates[0][0] < at - RATE_S:
                view.rates.popleft()

    def router(self, name: str) -> RouterView:
        """A router by name, made on first mention."""
        return self.routers.setdefault(name, RouterView(name))

    # ---- from the gateway ---------------------------------------------------------------------------------------

    def gateway(self, status: admin_pb2.GetStatusResponse) -> None:
        """Take in the gateway's status."""
        self.status = status
        self.trips = list(status.trips)
        up = "connected" if status.venue_connected else "DOWN"
        self.venue = up if status.venue_reconciled or not status.venue_connected else "reconciling"
        for router in status.routers:
            view = self.router(router.router)
            view.state = types_pb2.HaltState.Name(router.state).removeprefix("HALT_STATE_")
            view.open_orders = router.open_orders
            view.pnl = int(router.pnl or 0)

    def parity(self, fleet: admin_pb2.GetFleetResponse) -> None:
        """Take in what every router runs; only a whole fleet says who is the odd one out."""
        if any(row.presence == "missing" for row in fleet.rows):
            return
        for row in fleet.rows:
            found = next((text for text in fleet.findings if text.startswith(f"{row.router}: ")), "")
            if row.differences and row.router not in self.odd:
                self.odd[row.router] = found
                self.note(found, at=self.status.time if self.status else 0, bad=True)

    def gateway_event(self, event: admin_pb2.StreamEventsResponse) -> None:
        """Take in one event of the gateway."""
        if event.kind == "halt_clean":
            self.clean_at.setdefault(event.scope.name, event.time)
        if event.kind in ("halt", "halt_clean", "reinstate", "venue", "alarm"):
            self.note(event.text, at=event.time, bad=event.kind in ("halt", "alarm"))

    def note(self, text: str, *, at: int = 0, bad: bool = False) -> None:
        """Add a line to the log."""
        self.events.append(Event(at or self.now, text, bad))

    # ---- sums ---------------------------------------------------------------------------------------------------

    def since_open(self, at: int) -> int | None:
        """Ns between the open and a UTC time; None for a time that has not come."""
        return at - self.open_at if at and self.open_at else None

    def culprits(self) -> list[RouterView]:
        """Routers with the old code."""
        return [view for view in self.routers.values() if view.old_code]

    def healthy(self) -> list[RouterView]:
        """Routers with the new code."""
        return [view for view in self.routers.values() if view.build and not view.old_code]

    def flow(self, kind: str) -> dict[str, list[int]]:
        """Per symbol executions, net shares, shares and signed money of `excess` or `flagged` fills of the old code."""
        sums: dict[str, list[int]] = {}
        for view in self.culprits():
            for symbol, values in view.counters.get(kind, {}).items():
                total = sums.setdefault(symbol, [0, 0, 0, 0])
                for place, value in enumerate(values):
                    total[place] += value
        return sums

    def loss_usd(self) -> float:
        """What the excess costs once it is unwound: fills over the opening mid, plus the discount of the block sale."""
        cost = 0
        for symbol, (_, net, _, paid) in self.flow("excess").items():
            stock = self.stocks[symbol]
            cost += paid - net * stock.mid0 + unwind_loss(net, stock.mid0, stock.full_qty)
        return cost / USD

    def sentence(self, trip: admin_pb2.Trip) -> str:
        """Why a halt happened, for people."""
        return trip.text or "halted by a person"

    def first_trip(self) -> admin_pb2.Trip | None:
        """The first halt."""
        return min(self.trips, key=lambda trip: trip.trip_id, default=None)
