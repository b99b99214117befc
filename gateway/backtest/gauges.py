"""How close each limit comes. Two kinds: what the core keeps a running total of, and what one order alone uses."""

from collections.abc import Iterable
from typing import Final

from gateway.backtest.flow import Side
from gateway.backtest.report import Closeness, Seen
from gateway.limits_file import LimitSetting, catalogue
from riskcore import Engine

_QTY: Final = "max_order_qty"
_NOTIONAL: Final = "max_order_notional"
_COLLAR: Final = "price_collar_bps"
_AGE: Final = "market_data_max_age"
_PER_ORDER: Final = (_QTY, _NOTIONAL, _COLLAR, _AGE)

_BPS: Final = 10_000

Touch = tuple[int, int, int]
"""Bid and ask in 1e-9, and the time they were last confirmed."""


class Gauges:
    """All limits at one order's scopes. ``multiplier`` is the instrument's."""

    def __init__(self, bounds: Iterable[LimitSetting], multiplier: int) -> None:
        infos = catalogue()
        self.all: list[Closeness] = []
        self._running: dict[str, dict[str, Closeness]] = {}
        self._single: dict[str, list[Closeness]] = {name: [] for name in _PER_ORDER}
        self._multiplier = multiplier
        for bound in bounds:
            info = infos[bound.limit]
            if info.action == "parameter":
                continue
            gauge = Closeness(bound.scope, bound.limit, info.check, info.unit, bound.value)
            if bound.limit in self._single:
                self._single[bound.limit].append(gauge)
                self.all.append(gauge)
            elif bound.limit not in _NOT_GAUGED:
                self._running.setdefault(bound.scope, {})[bound.limit] = gauge
                self.all.append(gauge)

    def share(self, others: "Gauges") -> None:
        """Use the gauges of scopes that another order's scopes include too."""
        known = {(gauge.scope, gauge.limit): gauge for gauge in others.all}
        for scope, gauges in self._running.items():
            self._running[scope] = {name: known.get((scope, name), gauge) for name, gauge in gauges.items()}
        for name, single in self._single.items():
            self._single[name] = [known.get((gauge.scope, name), gauge) for gauge in single]
        self.all = [known.get((gauge.scope, gauge.limit), gauge) for gauge in self.all]

    def running(self, engine: Engine, time: int, number: int, order: object) -> None:
        """Read the totals that the core keeps."""
        for scope, gauges in self._running.items():
            for limit, (used, _) in engine.utilization(scope).items():
                gauge = gauges.get(limit)
                if gauge is not None and (used > gauge.peak or gauge.seen is None):
                    gauge.peak, gauge.seen = used, Seen(time, number, str(order))

    def order(
        self, time: int, number: int, order: object, side: Side, qty: int, price: int | None, touch: Touch | None
    ) -> None:
        """Measure one order, new or replaced, as the checks do before they decide."""
        self._see(_QTY, qty, time, number, order)
        if touch is None:
            return
        bid, ask, at = touch
        self._see(_AGE, time - at, time, number, order)
        if price is None:
            return
        reference, through = (bid, price - bid) if side is Side.BUY else (ask, ask - price)
        # A bound of n bps passes what is n bps through the market, so a fraction counts as a whole one.
        self._see(_COLLAR, -(-through * _BPS // reference), time, number, order)
        worth = price if side is Side.BUY else max(price, bid)
        self._see(_NOTIONAL, worth * qty * self._multiplier, time, number, order)

    def _see(self, limit: str, value: int, time: int, number: int, order: object) -> None:
        for gauge in self._single[limit]:
            if value > gauge.peak or gauge.seen is None:
                gauge.peak, gauge.seen = value, Seen(time, number, str(order))


_NOT_GAUGED: Final = {"message_rate_sustained", "parent_overfill_halt_after"}
"""The first is a time in breach of a limit that is gauged itself; the second counts refusals over parents."""
