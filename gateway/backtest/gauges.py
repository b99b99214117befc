"""How close each limit comes. Two kinds: what the core keeps a running total of, and what one order alone uses."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final

from gateway.backtest.flow import Side
from gateway.backtest.report import Closeness, Seen
from gateway.limits_file import LimitSetting, catalogue
from riskcore import Engine

_QTY: Final = "max_order_qty"
_NOTIONAL: Final = "max_order_notional"
_COLLAR: Final = "price_collar_bps"
_PASSIVE: Final = "price_collar_passive_bps"
_AGE: Final = "market_data_max_age"
_PER_ORDER: Final = (_QTY, _NOTIONAL, _COLLAR, _PASSIVE, _AGE)

_GROSS: Final = "max_gross_notional"
_TOTALS: Final = {"account": ("firm", "account"), "router": ("router",)}
"""Whose gross notional the cells of an account and of a router add up to."""

_BPS: Final = 10_000

Touch = tuple[int, int, int]
"""Bid and ask in 1e-9, and the time they were last confirmed."""


class Gauges:
    """All limits at one order's scopes.

    ``cells`` names the account's and the router's scope of the instrument, by kind; ``multiplier`` is the instrument's.
    """

    def __init__(self, bounds: Iterable[LimitSetting], cells: Mapping[str, str], multiplier: int) -> None:
        infos = catalogue()
        self.all: list[Closeness] = []
        self._running: dict[str, dict[str, Closeness]] = {}
        self._single: dict[str, list[Closeness]] = {name: [] for name in _PER_ORDER}
        self._cells = cells
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

    @cached_property
    def _gross(self) -> dict[str, Closeness]:
        """The gauges of the gross notional, by kind of scope."""
        return {gauge.scope.partition(":")[0]: gauge for gauge in self.all if gauge.limit == _GROSS}

    def running(self, engine: Engine, time: int, number: int, order: object) -> None:
        """Read the totals that the core keeps."""
        for scope, gauges in self._running.items():
            for limit, (used, _) in engine.utilization(scope).items():
                gauge = gauges.get(limit)
                if gauge is not None and (used > gauge.peak or gauge.seen is None):
                    _raise(gauge, used, Seen(time, number, str(order)))

    def order(
        self, time: int, number: int, order: object, side: Side, qty: int, price: int | None, touch: Touch | None
    ) -> int:
        """Measure one order, new or replaced, as the checks do before they decide; what it is valued at per unit."""
        self._see(_QTY, qty, time, number, order)
        if touch is None:
            return price or 0
        bid, ask, at = touch
        self._see(_AGE, time - at, time, number, order)
        if price is None:
            worth = self.market_price(ask)
        else:
            reference, through = (bid, price - bid) if side is Side.BUY else (ask, ask - price)
            # A bound of n bps passes what is n bps through the market, so a fraction counts as a whole one.
            self._see(_COLLAR, -(-through * _BPS // reference), time, number, order)
            self._see(_PASSIVE, -(through * _BPS // reference), time, number, order)
            worth = price if side is Side.BUY else max(price, bid)
        self._see(_NOTIONAL, worth * qty * self._multiplier, time, number, order)
        return worth

    def widening(self, engine: Engine, seen: Seen, side: Side, added: int, worth: int) -> None:
        """An order that was accepted has added to the worst case: what the gross check saw before it did.

        That check values the whole worst case at the order's own price where this is above the mark.
        """
        for kind, cell in self._cells.items():
            position, open_buy, open_sell = engine.position(cell)
            long, short = position + open_buy, position - open_sell
            before = (long - added, short) if side is Side.BUY else (long, short + added)
            worst = max(abs(long), abs(short))
            if worst <= max(abs(before[0]), abs(before[1])):
                continue
            more = worst * worth * self._multiplier - engine.gross_notional(cell)
            if more <= 0:
                continue
            for scope in _TOTALS[kind]:
                gauge = self._gross.get(scope)
                if gauge is not None:
                    _raise(gauge, engine.gross_notional(gauge.scope) + more, seen)

    def market_price(self, ask: int) -> int:
        """What a market order is valued at: the offer, moved by the instrument's collar, rounded up."""
        collar = next(gauge.bound for gauge in self._single[_COLLAR] if gauge.scope.startswith("symbol:"))
        return -(-ask * (_BPS + collar) // _BPS)

    def _see(self, limit: str, value: int, time: int, number: int, order: object) -> None:
        for gauge in self._single[limit]:
            if value > gauge.peak or gauge.seen is None:
                _raise(gauge, value, Seen(time, number, str(order)))


def _raise(gauge: Closeness, value: int, seen: Seen) -> None:
    if value > gauge.peak or gauge.seen is None:
        gauge.peak, gauge.seen = value, seen


_NOT_GAUGED: Final = {
    "message_rate_sustained",
    "parent_overfill_halt_after",
    "price_collar_auction_bps",
    "own_drift_bps",
    "short_locate",
}
"""Times in breach of a limit that is gauged itself; refusals over parents; phases and markings that no recording has; and
what fills did to one side, which only the next order of that side meets."""
