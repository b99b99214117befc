"""The morning of 1 August 2012 in virtual time: one event loop, every event in exact order.

A run is uncontrolled (orders go straight to the venue) or controlled (every order is first decided by the risk core,
through its flat calls). Both use the code of the live simulators: `router_sim.behaviour` decides what a router sends,
`exchange_sim.impact` what the venue does. The venue executes at once; its reports reach the gateway and the router
`REPORT_LATENCY` later, and a parent's next child never leaves before the report of the last one.

Four million children per run leave little time for each, so the loop has three sources of events instead of one: a
heap of the next child of each Power Peg parent (plain integers, time and parent in one), a queue of reports (one
constant latency, so first in is first out), and a heap of everything rarer (healthy flow, market data, timers,
samples). Nothing is allocated per child but its report.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from heapq import heapify, heappop, heappush, heapreplace
from typing import TYPE_CHECKING, Final

from exchange_sim.impact import PriceImpact
from router_sim.behaviour import CHILD_QTY, NEVER, Build, HealthyRouter, behaviour
from router_sim.knight.account import Work, sample, totals
from router_sim.knight.background import STANDING_FROM, HealthyParent, in_correct_hands
from router_sim.knight.firm import Rollback
from router_sim.knight.result import RunResult, Sample
from router_sim.knight.universe import OLD_SERVER, PRE_OPEN_FROM, ROUTERS, Universe
from router_sim.units import MILLISECOND, MINUTE, SECOND

if TYPE_CHECKING:
    from router_sim.knight.gate import Gate  # at run time only a controlled run needs the native module

CONNECT_AT: Final = PRE_OPEN_FROM - MINUTE
"""When the day begins."""

REPORT_LATENCY: Final = MILLISECOND
TIMER_EVERY: Final = 10 * MILLISECOND
HEARTBEAT_EVERY: Final = 250 * MILLISECOND
SAMPLES: Final = 400
AFTERMATH: Final = SECOND
"""How long a run that stops at its first halt goes on, for the cancels to be confirmed."""

RELAX_HALF_LIFE: Final = 20 * 60 * SECOND
"""How fast a price comes back once nobody pushes it; assumed, 10-30 minutes."""

Progress = Callable[[float], None]
Action = Callable[[int, int], None]
Report = tuple[int, int, int, int, int]
"""Time, number of the parent, OrderID, executed shares (0-100), price; what is not executed is cancelled."""

_BITS: Final = 9
_MASK: Final = (1 << _BITS) - 1
_SENTINEL: Final = NEVER << _BITS


class Healthy:
    """One client order in correct hands."""

    __slots__ = ("behaviour", "order", "parent_id", "plan", "price", "qty")

    def __init__(self, plan: HealthyParent) -> None:
        self.plan = plan
        self.behaviour = HealthyRouter(qty=plan.qty, first_at=plan.at, pace=plan.pace)
        self.parent_id = -1
        self.order = 0
        self.price = 0
        self.qty = 0


class Morning:
    """One run. `run` plays it to the end; there is nothing to be reused afterwards."""

    def __init__(
        self, universe: Universe, *, until: int | None = None, gate: Gate | None = None, stop_at_halt: bool = False
    ) -> None:
        """Set the stage; ``until`` (ns) ends the run early, ``gate`` makes it a controlled one."""
        self.universe = universe
        self.until = min(universe.duration, until) if until is not None else universe.duration
        self.gate = gate
        self.stop_at_halt = stop_at_halt
        self.markets: list[PriceImpact] = [stock.market() for stock in universe.stocks]
        self.works = [
            Work(
                plan,
                self.markets[plan.stock],
                behaviour(Build.POWER_PEG, rlp_flag=True, qty=plan.qty, first_at=plan.first_at, delay=plan.delay),
                universe.seed,
            )
            for plan in universe.parents
        ]
        self.faulty_from = [NEVER] * len(ROUTERS)
        self.faulty_from[OLD_SERVER] = min((plan.entered_at for plan in universe.parents), default=NEVER)
        self.rollback: Rollback | None = None
        self.sends: list[int] = []
        self.calendar: list[tuple[int, int, Action, int]] = []
        self.scheduled = 0
        self.samples: list[Sample] = []
        self.attempts = 0
        self.first_excess_at: int | None = None
        self.healthy = [Healthy(plan) for plan in (*universe.standing, *universe.healthy)]
        self.resting: dict[int, int] = {}
        self.healthy_orders = 0
        self.healthy_rejected = 0
        self.healthy_executions = 0
        self.healthy_ids = 0
        self.progress: Progress | None = None
        self.shown: list[int] = [0] * len(self.markets)
        self.shown_at: list[int] = [-NEVER] * len(self.markets)
        self.tick_due: list[bool] = [False] * len(self.markets)
        self.executions_seen = 0

    # ---- the run ------------------------------------------------------------------------------------------------

    def run(self, progress: Progress | None = None) -> RunResult:
        """Play the morning; ``progress`` is told the fraction done now and then."""
        started = time.perf_counter()
        self.progress = progress
        self._open()
        self._play()
        if self.samples[-1].at < self.until:
            self._sample(self.until, 0)
        return RunResult(
            variant=self.universe.variant,
            seed=self.universe.seed,
            duration=self.until,
            attempts=self.attempts,
            totals=totals(self.works, self.universe.stocks, self.markets),
            first_excess_at=self.first_excess_at,
            healthy_orders=self.healthy_orders,
            healthy_rejected=self.healthy_rejected,
            healthy_executions=self.healthy_executions,
            gate=self.gate.finish(self.works) if self.gate else None,
            rollback=self.rollback,
            wall_seconds=time.perf_counter() - started,
            samples=tuple(self.samples),
        )

    def _open(self) -> None:
        """Begin the day and fill the calendar."""
        if self.universe.rolled_back:
            self._at(min(plan.entered_at for plan in self.universe.parents if plan.entered_at >= 0), self._roll_back, 0)
        for number, work in enumerate(self.works):
            self._at(work.plan.entered_at, self._enter, number)
        for number, healthy in enumerate(self.healthy):
            self._at(healthy.plan.at, self._arrive, number)
        step = self.until / SAMPLES
        for number in range(SAMPLES):
            self._at(int(number * step), self._sample, 0)
        if self.gate:
            self._open_gate(self.gate)
        self.sends = [work.plan.first_at << _BITS | number for number, work in enumerate(self.works)]
        self.sends.append(_SENTINEL)
        heapify(self.sends)

    def _open_gate(self, gate: Gate) -> None:
        gate.connect(CONNECT_AT)
        for number, warning in enumerate(self.universe.pre_open):
            self._at(warning.at, self._warn, number)
        for symbol in range(len(self.markets)):
            self._at(STANDING_FROM - MILLISECOND, self._show, symbol)
        self._at(0, self._timer, 0)
        self._at(0, self._heartbeat, 0)
        if gate.firm.override_at is not None:
            self._at(gate.firm.override_at, self._override, 0)

    def _enter(self, at: int, number: int) -> None:
        """The OMS enters a parent of the 212, and a correct router works it as it should."""
        work = self.works[number]
        if at < self.faulty_from[work.plan.router]:
            self.healthy.append(Healthy(in_correct_hands(work.plan, self.universe.seed)))
            self._arrive(at, len(self.healthy) - 1)
        elif self.gate:
            self.gate.enter(at, work)

    def _warn(self, at: int, number: int) -> None:
        """One of the orders before the open that the old code cannot work; the venue's refusal is back at once."""
        warning = self.universe.pre_open[number]
        market = self.markets[warning.stock]
        gate = self._gate()
        order = gate.warn(at, number, warning, market.bid, market.ask)
        gate.warned(at + REPORT_LATENCY, order, warning.text)
        self._look(at + REPORT_LATENCY)

    def _override(self, at: int, _: int) -> None:
        self._gate().override(at)

    def _roll_back(self, at: int, _: int) -> None:
        """The old code goes onto the good servers; one that is refused with it goes on with the code that it has."""
        told: dict[int, str] = {}
        for router in sorted(self.universe.rolled_back):
            told[router] = self.gate.logs_on(at, router, Build.POWER_PEG) if self.gate else ""
            if not told[router]:
                self.faulty_from[router] = at
        refused = [router for router, sentence in told.items() if sentence]
        self.rollback = Rollback(
            at=at,
            refused=tuple(ROUTERS[router] for router in refused),
            spread=tuple(ROUTERS[router] for router in told if router not in refused),
            sentence=told[refused[0]] if refused else "",
        )
        spared = {n for n, work in enumerate(self.works) if work.plan.router in refused}
        self.sends[:] = [key for key in self.sends if key == _SENTINEL or key & _MASK not in spared]
        heapify(self.sends)

    def _at(self, at: int, action: Action, argument: int) -> None:
        self.scheduled += 1
        heappush(self.calendar, (at, self.scheduled, action, argument))

    def _stop(self, at: int, argument: int) -> None:
        """Never called: the loop ends at this entry of the calendar."""

    def _play(self) -> None:  # noqa: C901, PLR0912, PLR0915 - one loop; calls would double its time
        """Take the earliest event of the three sources until the calendar says stop; reports first at equal times."""
        works, calendar, gate = self.works, self.calendar, self.gate
        opened = gate.opened if gate is not None else 0
        sends = self.sends
        reports: deque[Report] = deque()
        next_report = NEVER
        self._at(self.until, self._stop, 0)
        next_other = calendar[0][0]
        attempts = 0
        while True:
            key = sends[0]
            at = key >> _BITS
            if next_report <= at and next_report <= next_other:
                report = reports.popleft()
                next_report = reports[0][0] if reports else NEVER
                if gate is not None:
                    self._settle(gate, report)
                    next_other = calendar[0][0]
                number = report[1]
                heappush(sends, works[number].on_done(report[0], report[3]) << _BITS | number)
            elif at < next_other:
                number = key & _MASK
                work = works[number]
                market = work.market
                price = market.ask if work.sign > 0 else market.bid
                attempts += 1
                order = attempts
                if gate is not None:
                    order = gate.decide(
                        opened + at,
                        work.router_id,
                        gate.account,
                        work.symbol_id,
                        work.side,
                        CHILD_QTY,
                        price,
                        work.parent_id,
                        attempts,
                        gate.limit,
                        gate.ioc,
                        gate.strategy,
                    )
                    if order < 0:
                        heapreplace(sends, work.on_reject(at) << _BITS | number)
                        gate.rejects[order] += 1
                        if gate.rejects[order] == 1:
                            self._first_reject(gate, at, order, work)
                            next_other = calendar[0][0]
                        continue
                heappop(sends)
                filled = work.coin()
                if filled:
                    if work.fill(filled, market.take(work.sign, filled)) and self.first_excess_at is None:
                        self.first_excess_at = at
                    if gate is not None and gate.watching:
                        gate.fill_times.append(at)
                if not reports:
                    next_report = at + REPORT_LATENCY
                reports.append((at + REPORT_LATENCY, number, order, filled, price))
            else:
                at, _, action, argument = heappop(calendar)
                if action == self._stop:
                    break
                action(at, argument)
                next_other = calendar[0][0]
        for report in reports:
            if gate is not None:
                self._settle(gate, report)
        self.attempts = attempts

    def _settle(self, gate: Gate, report: Report) -> None:
        """The venue's report reaches the core, and the quotes it saw at that time."""
        at, number, order, filled, price = report
        if filled:
            gate.trade(at, order, filled, price)
        if filled < CHILD_QTY:
            gate.canceled(at, order)
        stock = self.works[number].stock
        if self.markets[stock].ask != self.shown[stock]:
            self._show(at, stock)

    def _first_reject(self, gate: Gate, at: int, verdict: int, work: Work) -> None:
        """A reason is given to Power Peg for the first time: write it down, and see whether it came with a halt."""
        gate.note_faulty(at, verdict, work.plan.router)
        self._look(at)

    # ---- market data and timers ---------------------------------------------------------------------------------

    def _show(self, at: int, symbol: int) -> None:
        """Send a symbol's quotes to the core, at most once a millisecond."""
        earliest = self.shown_at[symbol] + MILLISECOND
        if at < earliest:
            if not self.tick_due[symbol]:
                self.tick_due[symbol] = True
                self._at(earliest, self._show_due, symbol)
            return
        market = self.markets[symbol]
        self.shown[symbol] = market.ask
        self.shown_at[symbol] = at
        self._gate().tick(at, symbol, market.bid, market.ask)

    def _show_due(self, at: int, symbol: int) -> None:
        self.tick_due[symbol] = False
        if self.markets[symbol].ask != self.shown[symbol]:
            self._show(at, symbol)

    def _heartbeat(self, at: int, _: int) -> None:
        """Repeat quotes before they look stale, and let prices come back once the flow has stopped."""
        gate = self._gate()
        executions = sum(work.executions for work in self.works)
        relaxing = executions == self.executions_seen and not gate.watching
        self.executions_seen = executions
        factor = 0.5 ** (HEARTBEAT_EVERY / RELAX_HALF_LIFE)
        old = at - 2 * HEARTBEAT_EVERY
        for symbol, market in enumerate(self.markets):
            if relaxing and market.net:
                market.relax(factor)
            if self.shown_at[symbol] <= old or market.ask != self.shown[symbol]:
                self._show(at, symbol)
        self._at(at + HEARTBEAT_EVERY, self._heartbeat, 0)

    def _timer(self, at: int, _: int) -> None:
        self._gate().timer(at)
        self._look(at)
        self._at(at + TIMER_EVERY, self._timer, 0)

    def _look(self, at: int) -> None:
        """Write down new halts, and cancel at the venue what the core wants cancelled."""
        gate = self._gate()
        for order in gate.look(at, self.works, self.universe.stocks):
            if order in self.resting:
                self._at(at + REPORT_LATENCY, self._cancel, order)
        if self.stop_at_halt and not gate.watching:
            self.stop_at_halt = False
            self.until = min(self.until, at + AFTERMATH)
            self._at(self.until, self._stop, 0)

    def _sample(self, at: int, _: int) -> None:
        self.samples.append(sample(at, self.works, self.universe.stocks, self.markets))
        if self.progress is not None:
            self.progress(at / self.until)

    def _gate(self) -> Gate:
        if self.gate is None:
            raise RuntimeError("an uncontrolled run has no gateway")
        return self.gate

    # ---- healthy flow -------------------------------------------------------------------------------------------

    def _arrive(self, at: int, number: int) -> None:
        """The OMS enters a parent that a correct router will work."""
        if self.gate:
            healthy = self.healthy[number]
            healthy.parent_id = self.gate.enter_healthy(at, number, healthy.plan)
        self._send(at, number)

    def _send(self, at: int, number: int) -> None:
        """A resting child at the near touch, or behind it: buy at the bid, sell at the ask."""
        healthy = self.healthy[number]
        plan = healthy.plan
        market = self.markets[plan.stock]
        healthy.qty = healthy.behaviour.child_qty
        touch = market.bid if plan.sign > 0 else market.ask
        healthy.price = touch - plan.sign * (touch * plan.away_bps // 10_000 // market.tick) * market.tick
        self.healthy_ids += 1
        correct = at < self.faulty_from[plan.router]
        self.healthy_orders += correct
        order = self.healthy_ids
        if self.gate:
            order = self.gate.new_healthy(at, plan, healthy.parent_id, healthy.qty, healthy.price, correct=correct)
            if order < 0:
                self.healthy_rejected += correct
                healthy.behaviour.on_reject(at)
                self._look(at)
                return
        healthy.order = order
        self.resting[order] = number
        if self.gate:
            self._at(at + REPORT_LATENCY, self._acknowledge, order)
        if plan.resting != NEVER:
            self._at(at + plan.resting, self._fill, order)

    def _acknowledge(self, at: int, order: int) -> None:
        if order in self.resting:
            self._gate().accepted(at, order)

    def _fill(self, at: int, order: int) -> None:
        number = self.resting.pop(order, None)
        if number is None:
            return
        healthy = self.healthy[number]
        self.healthy_executions += 1
        if self.gate:
            self.gate.trade(at, order, healthy.qty, healthy.price)
        self._next(healthy.behaviour.on_done(at, healthy.qty), number)

    def _cancel(self, at: int, order: int) -> None:
        """The venue confirms a cancel of the gateway, unless the order was filled meanwhile."""
        number = self.resting.pop(order, None)
        if number is None:
            return
        self._gate().canceled(at, order)
        self._look(at)
        self._next(self.healthy[number].behaviour.on_done(at, 0), number)

    def _next(self, at: int, number: int) -> None:
        if at != NEVER:
            self._at(at, self._send, number)
