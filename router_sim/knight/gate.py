"""The risk core at the door of a replay: set-up, and what it did.

For Power Peg's children the event loop calls the core itself, through `Gate.decide`; everything rarer goes through here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import riskcore
from router_sim.behaviour import CHILD_QTY, Build
from router_sim.defence import Defence
from router_sim.incidents.record import Halt, Refusals, Witness, halt_of, router_of
from router_sim.knight.account import Work, loss
from router_sim.knight.background import HealthyParent
from router_sim.knight.firm import Firm, Opening
from router_sim.knight.result import Gatekeeping
from router_sim.knight.stocks import TICK, Stock
from router_sim.knight.universe import OLD_SERVER, ROUTERS, PreOpenReject, Universe
from router_sim.units import MINUTE, SECOND, USD

OPEN: Final = int(datetime(2012, 8, 1, 13, 30, tzinfo=UTC).timestamp()) * 1_000_000_000
"""09:30 in New York, in ns UTC."""

GRACE: Final = MINUTE
"""How long the gate at the open waits for what is red to be mended."""

_OF_DAY: Final = 86_400 * SECOND
_OVERRIDE: Final = 6 * 60 * MINUTE
"""How long an override of the gate holds."""

RISK_OFFICER: Final = "risk-officer"
HEAD_OF_DESK: Final = "head-of-desk"
ACCOUNT: Final = "ACC1"
STRATEGY: Final = "RLP"
_DRILL: Final = "DRILL"
"""A strategy that nobody trades, for trying out the halt."""

_ORDERS: Final = 5_000_000
"""Orders the core has room for: Power Peg's 4.2 million attempts and the healthy flow."""

_HEALTHY_CL_ORD_ID: Final = 1 << 40
"""ClOrdIDs of the healthy flow begin here, so that they never meet Power Peg's on the same router."""


class Gate:
    """One risk core, configured for the morning, and the record of its refusals and halts."""

    def __init__(self, defence: Defence, universe: Universe, firm: Firm | None = None) -> None:
        """Create the core and introduce the firm, the symbols and the limits to it."""
        self.opened = OPEN
        self.firm = firm or Firm()
        self.limit = riskcore.LIMIT
        self.ioc = riskcore.IOC
        # With every line of defence in place a few ten thousand orders pass; without them, all four million.
        room = _ORDERS if defence.removed else _ORDERS // 16
        self.engine = riskcore.Engine(trading_day=20120801, max_orders=room)
        self._parents = defence.parents and universe.parent_ids
        self._old_code = {OLD_SERVER} if universe.parents else set()
        self.account = self.engine.define_account(ACCOUNT, parent_required=self._parents)
        self.strategy = self.engine.define_strategy(STRATEGY)
        self.routers = [self.engine.define_router(name) for name in ROUTERS]
        self.decide = self.engine.new_order
        self.symbols = [self.engine.define_symbol(stock.name, tick=TICK) for stock in universe.stocks]
        for setting in defence.settings:
            self.engine.set_limit(setting.scope, setting.limit, setting.value)
        self.engine.define_strategy(_DRILL)
        self.engine.fleet_rules(quarantine_culprit=self.firm.quarantine)
        if self.firm.readiness_gate:
            self.engine.readiness_gate(OPEN % _OF_DAY, GRACE)
        # Children of Power Peg, indexed by the verdict itself: minus the reason code counts from the end.
        self.rejects = [0] * 4096
        self.watching = True
        self.fill_times: deque[int] = deque(maxlen=8192)
        self._healthy_ids = _HEALTHY_CL_ORD_ID
        self._refusals = Refusals()
        self._witness = Witness()
        self._halts: dict[int, Halt] = {}
        self._red: tuple[str, ...] | None = None
        self._overridden_at: int | None = None
        self._executions_until_halt = 0
        self._loss_at_halt = 0
        self._all_cancelled_at: int | None = None
        self._cancels = 0

    # ---- the firm -----------------------------------------------------------------------------------------------

    def connect(self, at: int) -> None:
        """The day begins: the venue link comes up, routers say what they run, a drill shows that a halt works."""
        t = self.opened + at
        self.engine.venue_up(t)
        for router in range(len(ROUTERS)):
            self.logs_on(at, router, Build.POWER_PEG if router in self._old_code else Build.RLP)
        trip = self.engine.halt(t, f"strategy:{_DRILL}", "HALTED", RISK_OFFICER, "drill of the day")
        self.engine.timer(t)
        again = self.engine.propose_reinstate(t, f"strategy:{_DRILL}", trip, RISK_OFFICER, "the drill is over")
        self.engine.approve(t, again, HEAD_OF_DESK)

    def logs_on(self, at: int, router: int, build: Build) -> str:
        """A router logs on with this code; what it is told if it is not let in."""
        try:
            self.engine.attest(self.opened + at, self.routers[router], build.value)
        except riskcore.Refused as error:
            return str(error)
        return ""

    def warn(self, at: int, number: int, warning: PreOpenReject, bid: int, ask: int) -> int:
        """One of the 97 orders before the open passes; its OrderID."""
        t, symbol = self.opened + at, self.symbols[warning.stock]
        self.engine.tick(t, symbol, bid, ask)
        parent = self._open_parent(at, f"PRE-{number}", symbol, riskcore.BUY, CHILD_QTY) if self._parents else -1
        order = self._new(at, warning.router, symbol, riskcore.BUY, CHILD_QTY, bid, parent)
        if order < 0:
            raise RuntimeError(f"the core refused an order before the open: {self.engine.last_reject()}")
        return order

    def warned(self, at: int, order: int, text: str) -> None:
        """The venue has refused it, in words that nobody has heard before."""
        self.engine.rejected(self.opened + at, order, text)
        self.timer(at)

    def override(self, at: int) -> None:
        """Two people let the firm trade, whatever is red."""
        t = self.opened + at
        proposal = self.engine.propose_override(t, t + _OVERRIDE, HEAD_OF_DESK, "clients are waiting")
        self.engine.approve(t, proposal, RISK_OFFICER)
        self._overridden_at = at

    def enter(self, at: int, work: Work) -> None:
        """The OMS registers one of the 212 parents."""
        plan = work.plan
        work.router_id = self.routers[plan.router]
        work.symbol_id = self.symbols[plan.stock]
        work.side = riskcore.BUY if plan.sign > 0 else riskcore.SELL
        if self._parents:
            work.parent_id = self._open_parent(at, plan.name, work.symbol_id, work.side, plan.qty)

    def enter_healthy(self, at: int, number: int, plan: HealthyParent) -> int:
        """The OMS registers a parent of the healthy flow; its id, or -1 without parents."""
        if not self._parents:
            return -1
        side = riskcore.BUY if plan.sign > 0 else riskcore.SELL
        return self._open_parent(at, f"OMS-{number}", self.symbols[plan.stock], side, plan.qty)

    def _open_parent(self, at: int, name: str, symbol: int, side: int, qty: int) -> int:
        parent = self.engine.open_parent(self.opened + at, name, self.account, symbol, side, qty)
        if parent < 0:
            raise RuntimeError(f"the core refused parent {name} with reason {-parent}")
        return parent

    # ---- orders and reports of the healthy flow -----------------------------------------------------------------

    def new_healthy(self, at: int, plan: HealthyParent, parent_id: int, qty: int, price: int, *, correct: bool) -> int:
        """Decide a child of the healthy flow; its OrderID, or minus the reason code."""
        side = riskcore.BUY if plan.sign > 0 else riskcore.SELL
        order = self._new(at, plan.router, self.symbols[plan.stock], side, qty, price, parent_id)
        if order < 0:
            if not self._refusals.knows(order):
                self._refusals.note(at, order, ROUTERS[plan.router], self.engine.last_reject())
            self._refusals.count(order, healthy=correct)
        return order

    def _new(self, at: int, router: int, symbol: int, side: int, qty: int, price: int, parent: int) -> int:
        """A day order under the next ClOrdID."""
        self._healthy_ids += 1
        return self.engine.new_order(
            self.opened + at,
            self.routers[router],
            self.account,
            symbol,
            side,
            qty,
            price,
            parent,
            self._healthy_ids,
            riskcore.LIMIT,
            riskcore.DAY,
            self.strategy,
        )

    def accepted(self, at: int, order: int) -> None:
        """The venue has it."""
        self.engine.accepted(self.opened + at, order)

    def trade(self, at: int, order: int, qty: int, price: int) -> None:
        """The venue has executed."""
        self.engine.trade(self.opened + at, order, qty, price)

    def canceled(self, at: int, order: int) -> None:
        """The venue confirms a cancel."""
        self.engine.canceled(self.opened + at, order)

    def timer(self, at: int) -> None:
        """Time passes in the core, and it may find something."""
        self.engine.timer(self.opened + at)
        self._witness.look(at, self.engine.findings)

    def tick(self, at: int, symbol: int, bid: int, ask: int) -> None:
        """A quote."""
        self.engine.tick(self.opened + at, self.symbols[symbol], bid, ask)

    # ---- what it did --------------------------------------------------------------------------------------------

    def note_faulty(self, at: int, verdict: int, router: int) -> None:
        """A reason is given to a child of Power Peg for the first time."""
        self._refusals.note(at, verdict, ROUTERS[router], self.engine.last_reject(), faulty=True)

    def look(self, at: int, works: Sequence[Work], table: Sequence[Stock]) -> list[int]:
        """Take note of new halts; OrderIDs that the core wants cancelled."""
        for trip in self.engine.trips():
            known = self._halts.get(trip.trip)
            if known is None:
                self._witness.halted(trip.time - self.opened, router_of(trip) or self._busiest_router(trip))
                if self.watching:
                    self._first_halt(trip, works, table)
            if known is None or known.cancels_outstanding:
                self._halts[trip.trip] = halt_of(trip, self.opened)
        first = next(iter(self._halts.values()), None)
        if first is not None and self._all_cancelled_at is None and first.cancels_outstanding == 0:
            self._all_cancelled_at = at
        if self._red is None and at >= 0:
            self._red = tuple(self.engine.readiness()[1])
        cancels = self.engine.cancels()
        self._cancels += len(cancels)
        return cancels

    def _first_halt(self, trip: riskcore.Trip, works: Sequence[Work], table: Sequence[Stock]) -> None:
        self.watching = False
        halted = trip.time - self.opened
        late = sum(filled > halted for filled in self.fill_times)
        self._executions_until_halt = sum(work.executions for work in works) - late
        self._loss_at_halt = loss(works, table)

    def _busiest_router(self, trip: riskcore.Trip) -> str:
        """A loss of the firm, seen at a tick, names no router: the one that traded most is meant."""
        if trip.check != "LOSS_LIMIT":
            return ""
        return max(ROUTERS, key=lambda name: self.engine.turnover(f"router:{name}"))

    def finish(self, works: Sequence[Work]) -> Gatekeeping:
        """The record, at the end of the run."""
        refusals = self._refusals.listed(dict(enumerate(self.rejects, -len(self.rejects))))
        return Gatekeeping(
            refusals=refusals,
            halts=tuple(self._halts.values()),
            first_refusal=self._refusals.first_faulty(refusals),
            namings=self._witness.namings,
            findings=self._witness.findings,
            opening=Opening(
                red=self._red or (),
                gate=self.engine.readiness()[0] if self.firm.readiness_gate else None,
                overridden_at=self._overridden_at,
            ),
            executions_until_halt=sum(work.executions for work in works)
            if self.watching
            else self._executions_until_halt,
            loss_at_halt_usd=self._loss_at_halt / USD,
            all_cancelled_at=self._all_cancelled_at,
            cancels=self._cancels,
            cancels_outstanding=sum(halt.cancels_outstanding for halt in self._halts.values()),
        )
