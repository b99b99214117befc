"""One pass of a flow through the core, and the second one that shows what the flow would have needed."""

import time as clock
from collections import Counter
from dataclasses import dataclass
from typing import Final

from gateway.backtest.flow import Cancel, Fill, Flow, FlowError, New, Progress, Quote, Replace, Side, Step, Summary
from gateway.backtest.gauges import Gauges, Touch
from gateway.backtest.plan import Plan
from gateway.backtest.report import Halted, Report, Seen, Stop
from gateway.backtest.times import trading_day
from riskcore import LIMIT, MARKET, Engine, reasons

_SECOND: Final = 1_000_000_000
_NO_PARENT: Final = -1
_CXL_REJ: Final = -1_000
"""At or below: the core says that the order cannot be replaced any more, not that a check refused it."""
_PROGRESS_STEPS: Final = 4_096


def backtest(flow: Flow, plan: Plan, progress: Progress | None = None) -> Report:
    """Send a flow through the core under the limits of ``plan``.

    If something is stopped the flow runs again with every bound out of the way, so that ``closeness`` tells what it
    needed and not what it got.

    Raises:
        FlowError: the recording is wrong, or has no orders: an empty file would pass any limits.
    """
    tell = progress or (lambda _: None)
    summary = flow.summary()
    begun = clock.perf_counter()
    run = Run(flow, plan, summary)
    run.go(tell)
    report = run.report()
    if not report.sent["orders"]:
        what = "holds no order, so it shows nothing about the limits"
        raise FlowError(flow.file, "", what, "name a recording of a session with orders")
    report.seconds = clock.perf_counter() - begun
    if report.stopped:
        needed = Run(flow, plan.wide(), summary, bounds=plan)
        needed.go(tell)
        report.closeness = needed.report().closeness
        report.passes = 2
    return report


@dataclass(slots=True)
class _Live:
    """An order the core has accepted: its OrderID, its newest ClOrdID, its quantities and its value per unit."""

    id: int
    cl_ord_id: int
    leaves: int
    cum: int
    router: int
    worth: int
    new: New


class Run:
    """One pass. ``bounds`` is what the gauges measure against, if not the limits in force."""

    def __init__(self, flow: Flow, plan: Plan, summary: Summary, *, bounds: Plan | None = None) -> None:
        self._flow = flow
        self._plan = plan
        self._summary = summary
        self._collared = bounds is not None
        self._names = {reason.code: reason.name for reason in reasons()}
        self._engine = Engine(
            trading_day=trading_day(summary.first_time), max_orders=max(1, summary.order_messages), max_parents=1
        )
        self._define()
        self._gauges = self._make_gauges(bounds or plan)
        self._live: dict[tuple[int, int | str], _Live] = {}
        self._keys: dict[int, tuple[int, int | str]] = {}
        self._touch: list[Touch | None] = [None] * len(flow.symbols)
        self._sent: Counter[str] = Counter()
        self._stops: dict[str, Stop] = {}
        self._halts: list[Halted] = []
        self._canceled_by_halts = 0
        self._not_followed = 0

    def _define(self) -> None:
        engine, parties = self._engine, self._flow.parties
        accounts = dict.fromkeys(party.account for party in parties)
        routers = dict.fromkeys(party.router for party in parties)
        account_ids = {name: engine.define_account(name, parent_required=False) for name in accounts}
        router_ids = {name: engine.define_router(name) for name in routers}
        self._ids = [(account_ids[party.account], router_ids[party.router]) for party in parties]
        self._symbols = [
            engine.define_symbol(row.name, tick=row.tick, lot=row.lot, multiplier=row.multiplier, adv=row.adv)
            for row in self._plan.instruments
        ]
        for setting in self._plan.settings:
            engine.set_limit(
                setting.scope, setting.limit, setting.value, action=setting.action or None, soft=setting.soft
            )

    def _make_gauges(self, bounds: Plan) -> list[list[Gauges]]:
        """The gauges of each party and symbol; a scope they share is gauged once."""
        made: list[list[Gauges]] = []
        self._every: list[Gauges] = []
        for account, router in self._flow.parties:
            row = []
            for instrument in bounds.instruments:
                symbol = instrument.name
                scopes = (
                    "firm",
                    f"account:{account}",
                    f"router:{router}",
                    f"symbol:{symbol}",
                    f"account_symbol:{account}/{symbol}",
                    f"router_symbol:{router}/{symbol}",
                )
                cells = {"account": scopes[4], "router": scopes[5]}
                gauges = Gauges(bounds.bounds(scopes), cells, instrument.multiplier)
                for others in self._every:
                    gauges.share(others)
                self._every.append(gauges)
                row.append(gauges)
            made.append(row)
        return made

    def go(self, progress: Progress) -> None:
        """Run the whole flow."""
        actions = {New: self._new, Replace: self._replace, Cancel: self._cancel, Fill: self._fill, Quote: self._quote}
        engine = self._engine
        engine.venue_up(self._summary.first_time)
        messages = max(1, self._summary.messages)
        next_timer = self._summary.first_time
        for count, step in enumerate(self._flow.steps()):
            if step.time >= next_timer:
                engine.timer(step.time)
                next_timer = step.time + _SECOND
            actions[type(step)](step)  # type: ignore[operator] # each action takes the steps of its own type
            if canceled := engine.cancels():
                self._sweep(step, canceled)
            if count % _PROGRESS_STEPS == 0:
                progress(step.number / messages)
        self._notice_halts(None)
        progress(1.0)

    # ---- Steps -----------------------------------------------------------------------------------------------

    def _new(self, step: New) -> None:
        self._sent["orders"] += 1
        account, router = self._ids[step.party]
        gauges = self._gauges[step.party][step.symbol]
        touch = self._touch[step.symbol]
        worth = gauges.order(step.time, step.number, step.order, step.side, step.qty, step.price, touch)
        price = step.price
        if price is None and self._collared and touch is not None:
            # The collar that values a market order is out of the way in this pass: name the price instead.
            tick = self._plan.instruments[step.symbol].tick
            price = -(-gauges.market_price(touch[1]) // tick) * tick
        verdict = self._engine.new_order(
            step.time,
            router,
            account,
            self._symbols[step.symbol],
            step.side,
            step.qty,
            price or 0,
            _NO_PARENT,
            step.number,
            MARKET if price is None else LIMIT,
        )
        if verdict < 0:
            self._refused(step, verdict).orders += 1
        else:
            self._engine.accepted(step.time, verdict)
            key = (step.symbol, step.order)
            self._live[key] = _Live(verdict, step.number, step.qty, 0, router, worth, step)
            self._keys[verdict] = key
            self._widening(step, gauges, step.side, step.qty, worth)
        gauges.running(self._engine, step.time, step.number, step.order)

    def _replace(self, step: Replace) -> None:
        live = self._live.get((step.symbol, step.order))
        if live is None:
            self._not_followed += 1
            return
        self._sent["replaces"] += 1
        qty = live.cum + step.leaves
        gauges = self._gauges[live.new.party][step.symbol]
        touch, side = self._touch[step.symbol], live.new.side
        worth = gauges.order(step.time, step.number, step.order, side, qty, step.price, touch)
        verdict = self._engine.replace(step.time, live.router, live.cl_ord_id, step.number, qty, step.price or 0)
        gauges.running(self._engine, step.time, step.number, step.order)
        if verdict > 0:
            # While it is on its way the core counts the new total as open, and the worse of both prices.
            self._widening(step, gauges, side, qty - live.leaves, max(worth, live.worth))
            self._engine.replaced(step.time, live.id)
            live.cl_ord_id, live.leaves, live.worth = step.number, step.leaves, worth
        elif verdict > _CXL_REJ:
            self._refused(step, verdict).replaces += 1
        else:
            self._not_followed += 1

    def _widening(self, step: New | Replace, gauges: Gauges, side: Side, added: int, worth: int) -> None:
        touch = self._touch[step.symbol]
        # A mark is never below the offer, so only what is worth more can be what the check saw.
        if added > 0 and touch is not None and worth > touch[1]:
            gauges.widening(self._engine, Seen(step.time, step.number, str(step.order)), side, added, worth)

    def _cancel(self, step: Cancel) -> None:
        live = self._live.pop((step.symbol, step.order), None)
        if live is None:
            self._not_followed += 1
            return
        self._sent["cancels"] += 1
        del self._keys[live.id]
        self._engine.canceled(step.time, live.id)

    def _fill(self, step: Fill) -> None:
        key = (step.symbol, step.order)
        live = self._live.get(key)
        if live is None:
            self._not_followed += 1
            return
        self._sent["fills"] += 1
        # A refused replace leaves less open than the recording filled.
        qty = min(step.qty, live.leaves)
        self._engine.trade(step.time, live.id, qty, step.price)
        live.leaves -= qty
        live.cum += qty
        if not live.leaves:
            del self._live[key], self._keys[live.id]
        self._gauges[live.new.party][step.symbol].running(self._engine, step.time, step.number, step.order)

    def _quote(self, step: Quote) -> None:
        self._sent["quotes"] += 1
        self._engine.tick(step.time, self._symbols[step.symbol], step.bid, step.ask)
        if not 0 < step.bid < step.ask:
            # The core leaves the touch before it to grow old, and so do the gauges.
            return
        before = self._touch[step.symbol]
        self._touch[step.symbol] = (step.bid, step.ask, step.time)
        if before is None or before[:2] != (step.bid, step.ask):
            for row in self._gauges:
                row[step.symbol].running(self._engine, step.time, step.number, "")

    # ---- What the core stops ---------------------------------------------------------------------------------

    def _refused(self, step: New | Replace, verdict: int) -> Stop:
        check = self._names[-verdict]
        stop = self._stops.get(check)
        if stop is None:
            reject = self._engine.last_reject()
            scope, limit, value, unit = (
                (reject.scope, reject.limit, reject.value, reject.unit) if reject else ("", 0, 0, "")
            )
            stop = Stop(check, Seen(step.time, step.number, str(step.order)), scope, limit, value, unit)
            self._stops[check] = stop
        self._notice_halts(step)
        return stop

    def _sweep(self, step: Step, canceled: list[int]) -> None:
        """The core wants orders cancelled: the venue does it at once."""
        self._notice_halts(step)
        while canceled:
            for order in canceled:
                key = self._keys.pop(order, None)
                if key is not None:
                    del self._live[key]
                    self._canceled_by_halts += 1
                    self._engine.canceled(step.time, order)
            # A turn of the sweep is bounded; the timer goes on with it.
            self._engine.timer(step.time)
            canceled = self._engine.cancels()

    def _notice_halts(self, step: Step | None) -> None:
        trips = self._engine.trips()
        for trip in trips[len(self._halts) :]:
            order = "" if step is None or isinstance(step, Quote) else str(step.order)
            number = step.number if step is not None else self._summary.messages
            unit = _UNIT_OF.get(trip.check, "")
            at = Seen(trip.time, number, order)
            self._halts.append(
                Halted(trip.scope, trip.state, trip.check, at, trip.limit, trip.value, unit, trip.open_orders)
            )

    def report(self) -> Report:
        """What this pass has found."""
        closeness = {(gauge.scope, gauge.limit): gauge for gauges in self._every for gauge in gauges.all}
        return Report(
            file=self._flow.file,
            format=self._flow.format,
            unit=self._flow.unit,
            symbols=self._flow.symbols,
            parties=self._flow.parties,
            summary=self._summary,
            limits_file=self._plan.file,
            tighten=self._plan.tighten,
            sent={name: self._sent[name] for name in ("orders", "replaces", "cancels", "fills", "quotes")},
            stops=sorted(self._stops.values(), key=lambda stop: stop.first.number),
            halts=self._halts,
            canceled_by_halts=self._canceled_by_halts,
            not_followed=self._not_followed,
            closeness=list(closeness.values()),
            interpreted=self._flow.interpreted(),
        )


_UNIT_OF: Final = {
    "RATE_LIMIT": "messages",
    "TURNOVER_LIMIT": "money",
    "LOSS_LIMIT": "money",
    "PARENT_OVERFILL": "quantity",
}
"""What the numbers of a halt count: the core's trips name the check alone."""
