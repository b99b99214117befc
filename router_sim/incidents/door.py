"""The risk core at the door of an incident: set-up, what it decides, what people do, what it did."""

from __future__ import annotations

from typing import Final

import riskcore
from router_sim.defence import Defence
from router_sim.incidents.record import Halt, Refusals, Witness, halt_of, router_of
from router_sim.incidents.result import Doorkeeping, Lifting
from router_sim.incidents.scene import CLIENTS, DESK, FaultyOrder, HealthyOrder, Scene

TRADER: Final = "trader"
RISK_OFFICER: Final = "risk-officer"


class Door:
    """One risk core, configured for the scene, and the record of its refusals, halts and of who lifted them."""

    def __init__(self, defence: Defence, scene: Scene) -> None:
        """Create the core and introduce the firm, the instruments and the limits to it."""
        self.scene = scene
        self.engine = riskcore.Engine(
            trading_day=scene.trading_day,
            max_orders=len(scene.orders) + len(scene.healthy) + 1,
            max_parents=len(scene.parents) + len(scene.healthy) + 1,
        )
        self._parented = defence.parents and bool(scene.parents)
        self._desk = self.engine.define_account(DESK, parent_required=self._parented)
        self._clients = self.engine.define_account(CLIENTS, parent_required=self._parented)
        self._routers = [self.engine.define_router(name) for name in scene.routers]
        self._symbols = [
            self.engine.define_symbol(i.name, tick=i.tick, multiplier=i.multiplier) for i in scene.instruments
        ]
        for setting in defence.settings:
            self.engine.set_limit(setting.scope, setting.limit, setting.value)
        self._parents: list[int] = []
        self._sides = {1: riskcore.BUY, -1: riskcore.SELL}
        self._ids = 0
        self._refusals = Refusals()
        self._halts: dict[int, Halt] = {}
        self._passed = 0
        self._passed_until_halt: int | None = None
        self._witness = Witness()
        self._all_cancelled_at: int | None = None
        self._cancels = 0
        self._liftings: list[Lifting] = []

    # ---- the firm and the market --------------------------------------------------------------------------------

    def connect(self, at: int) -> None:
        """The day begins: the venue link is up, the OMS registers its parents."""
        scene = self.scene
        if scene.opens_at is not None:
            self.engine.phases_published()
        t = scene.zero + at
        self.engine.venue_up(t)
        if scene.opens_at is not None:
            self.engine.phase(t, -1, "pre_open")
        if not self._parented:
            return
        for number, parent in enumerate(scene.parents):
            self._parents.append(
                self._open_parent(at, f"D{number}", self._desk, parent.symbol, parent.sign, parent.qty)
            )

    def opens(self, at: int) -> None:
        """The market opens."""
        self.engine.phase(self.scene.zero + at, -1, "continuous")

    def quotes(self, at: int) -> None:
        """Every touch is shown again."""
        for symbol, instrument in zip(self._symbols, self.scene.instruments, strict=True):
            self.engine.tick(self.scene.zero + at, symbol, instrument.bid, instrument.ask)

    def _open_parent(self, at: int, name: str, account: int, symbol: int, sign: int, qty: int) -> int:
        parent = self.engine.open_parent(
            self.scene.zero + at, name, account, self._symbols[symbol], self._sides[sign], qty
        )
        if parent < 0:
            raise RuntimeError(f"the core refused parent {name} with reason {-parent}")
        return parent

    # ---- orders -------------------------------------------------------------------------------------------------

    def faulty(self, order: FaultyOrder) -> int:
        """Decide an order of the faulty router; its OrderID, or minus the reason code."""
        parent = self._parents[order.parent] if self._parented else -1
        verdict = self._new(
            order.at, self.scene.culprit, self._desk, order.symbol, order.sign, order.qty, order.price, parent
        )
        if verdict > 0:
            self._passed += 1
            return verdict
        if not self._refusals.knows(verdict):
            router = self.scene.routers[self.scene.culprit]
            self._refusals.note(order.at, verdict, router, self.engine.last_reject(), faulty=True)
        self._refusals.count(verdict, healthy=False)
        return verdict

    def healthy(self, number: int, order: HealthyOrder) -> int:
        """The same for an order of a router that runs correct code; the OMS has a parent for each."""
        parent = -1
        if self._parented:
            parent = self._open_parent(order.at, f"H{number}", self._clients, order.symbol, order.sign, order.qty)
        instrument = self.scene.instruments[order.symbol]
        price = instrument.bid if order.sign > 0 else instrument.ask
        verdict = self._new(order.at, order.router, self._clients, order.symbol, order.sign, order.qty, price, parent)
        if verdict < 0:
            if not self._refusals.knows(verdict):
                self._refusals.note(order.at, verdict, self.scene.routers[order.router], self.engine.last_reject())
            self._refusals.count(verdict, healthy=True)
        return verdict

    def _new(
        self, at: int, router: int, account: int, symbol: int, sign: int, qty: int, price: int, parent: int
    ) -> int:
        self._ids += 1
        return self.engine.new_order(
            self.scene.zero + at,
            self._routers[router],
            account,
            self._symbols[symbol],
            self._sides[sign],
            qty,
            price,
            parent,
            self._ids,
            riskcore.LIMIT,
            riskcore.DAY,
        )

    # ---- reports ------------------------------------------------------------------------------------------------

    def accepted(self, at: int, order: int) -> None:
        """The venue has it."""
        self.engine.accepted(self.scene.zero + at, order)

    def trade(self, at: int, order: int, qty: int, price: int) -> None:
        """The venue has executed."""
        self.engine.trade(self.scene.zero + at, order, qty, price)

    def canceled(self, at: int, order: int) -> None:
        """Nothing of the order is open any more."""
        self.engine.canceled(self.scene.zero + at, order)

    # ---- people -------------------------------------------------------------------------------------------------

    def lift(self, at: int) -> None:
        """Staff lift whatever is halted: one person alone tries, then a second one agrees."""
        t = self.scene.zero + at
        for trip in self.engine.trips():
            alone, lifted = "", True
            try:
                proposal = self.engine.propose_reinstate(t, trip.scope, trip.trip, TRADER, "the orders are legitimate")
                alone = self._approve(t, proposal, TRADER)
                refused = self._approve(t, proposal, RISK_OFFICER)
                lifted = not refused
            except riskcore.Refused as error:
                alone, lifted = str(error), False
            self._liftings.append(Lifting(at, trip.scope, alone, lifted))

    def _approve(self, t: int, proposal: int, principal: str) -> str:
        """What the person is told; nothing, if it was done."""
        try:
            self.engine.approve(t, proposal, principal)
        except riskcore.Refused as error:
            return str(error)
        return ""

    # ---- what it did --------------------------------------------------------------------------------------------

    @property
    def halted(self) -> bool:
        """Whether anything has been halted yet."""
        return bool(self._halts)

    @property
    def sweeping(self) -> bool:
        """Whether a halt is not clean yet."""
        return any(halt.cancels_outstanding for halt in self._halts.values())

    def timer(self, at: int) -> None:
        """Time passes in the core, and it may find something."""
        self.engine.timer(self.scene.zero + at)
        if not self._witness.namings:  # the first is all that is told
            self._witness.look(at, self.engine.findings)

    def look(self, at: int) -> list[int]:
        """Take note of new halts; OrderIDs that the core wants cancelled."""
        trips = self.engine.trips()
        for trip in trips:
            if trip.trip not in self._halts and self._passed_until_halt is None:
                self._passed_until_halt = self._passed
            if trip.trip not in self._halts:
                self._witness.halted(trip.time - self.scene.zero, router_of(trip))
            self._halts[trip.trip] = halt_of(trip, self.scene.zero)
        first = next(iter(self._halts.values()), None)
        if first is not None and self._all_cancelled_at is None and first.cancels_outstanding == 0:
            self._all_cancelled_at = at
        cancels = self.engine.cancels()
        self._cancels += len(cancels)
        return cancels

    def finish(self) -> Doorkeeping:
        """The record, at the end of the run."""
        refusals = self._refusals.listed()
        halts = tuple(self._halts.values())
        named = next(iter(self._witness.namings), None)
        return Doorkeeping(
            refusals=refusals,
            halts=halts,
            first_refusal=self._refusals.first_faulty(refusals, self.scene.profile.standing),
            culprit=named.router if named else None,
            named_at=named.at if named else None,
            named_by=named.by if named else "",
            orders_until_halt=self._passed if self._passed_until_halt is None else self._passed_until_halt,
            all_cancelled_at=self._all_cancelled_at,
            cancels=self._cancels,
            cancels_outstanding=sum(halt.cancels_outstanding for halt in halts),
            liftings=tuple(self._liftings),
        )
