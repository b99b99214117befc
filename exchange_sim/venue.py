"""The matching engine: an order's life at the venue, from arrival to its last report. Pure: time is an argument.

Semantics are those of FIX 5.0 SP2: what an IMMEDIATE_OR_CANCEL order finds no counterparty for is Canceled; a replace
carries the new total quantity, filled part included, and keeps its place in the queue only when it just lowers it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from exchange_sim.instruments import Instrument
from exchange_sim.market import Market
from exchange_sim.rlp import RETAIL_FLAG
from exchange_sim.trading import Phase, Trading

KEEP_DONE = 100_000
"""Finished orders that are remembered, to tell "too late" from "unknown" and to bust their executions."""

KEEP_EXECUTIONS = 10_000
"""Executions that can still be busted or corrected."""


class Kind(Enum):
    """What a report says; the names of FIX ExecType."""

    NEW = "NEW"
    CANCELED = "CANCELED"
    REPLACED = "REPLACED"
    REJECTED = "REJECTED"
    TRADE = "TRADE"
    TRADE_CORRECT = "TRADE_CORRECT"
    TRADE_CANCEL = "TRADE_CANCEL"


class RejectCode(Enum):
    """FIX OrdRejReason (103), the values this venue uses."""

    UNKNOWN_SYMBOL = 1
    EXCHANGE_CLOSED = 2
    DUPLICATE_ORDER = 6
    INCORRECT_QUANTITY = 13
    PRICE_EXCEEDS_BAND = 16
    OTHER = 99


class CancelRefusal(Enum):
    """Why a cancel or replace is refused; FIX CxlRejReason (102)."""

    TOO_LATE_TO_CANCEL = 0
    UNKNOWN_ORDER = 1
    OTHER = 99


class Tif(Enum):
    """FIX TimeInForce (59), the values this venue serves."""

    DAY = "DAY"
    IOC = "IOC"
    FOK = "FOK"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A new order as it reached the venue. Prices in 1e-9, `price` None = market order."""

    gateway: str
    cl_ord_id: int
    account: str
    symbol: str
    buy: bool
    qty: int
    price: int | None
    tif: Tif = Tif.DAY
    flags: int = 0
    router: str = ""


@dataclass(slots=True)
class Order:
    """An order of the venue: what arrived, and what became of it."""

    arrival: Arrival
    venue_id: int
    qty: int
    price: int | None
    cum: int = 0
    leaves: int = 0

    @property
    def open(self) -> bool:
        """Whether it can still execute."""
        return self.leaves > 0


@dataclass(frozen=True, slots=True)
class Report:
    """One execution report to the gateway that owns the order."""

    order: Order
    kind: Kind
    time: int
    cum: int
    leaves: int
    exec_id: int
    last_qty: int = 0
    last_px: int = 0
    exec_ref_id: int = 0
    reject: RejectCode | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class CancelReject:
    """A cancel or replace that came to nothing."""

    gateway: str
    cl_ord_id: int
    refusal: CancelRefusal
    replace: bool


Outcome = Report | CancelReject


@dataclass(slots=True)
class Tally:
    """What the venue saw of one router; the independent side of every count."""

    orders: int = 0
    rejected: int = 0
    executions: int = 0
    shares: int = 0
    notional: int = 0
    retail_shares: int = 0
    canceled: int = 0
    open_orders: int = 0
    net: dict[str, int] = field(default_factory=dict)
    """Position by symbol, busts taken back; everything above counts what happened, bust or not."""


class Venue:
    """All markets and all orders of the exchange."""

    def __init__(self, instruments: Iterable[Instrument], coins: Iterator[int] | None = None) -> None:
        """Open the markets of these instruments.

        Args:
            instruments: what is traded.
            coins: per immediate-or-cancel order, the share of it (in percent) that meets a counterparty; None = all
                that the book shows. `exchange_sim.impact.fills` makes them.
        """
        self._coins = coins
        self.markets = {instrument.symbol: Market(instrument) for instrument in instruments}
        self.trading = Trading(self.markets)
        self.tallies: dict[str, Tally] = {}
        self._held: dict[int, Order] = {}
        self._orders: dict[tuple[str, int], Order] = {}
        self._done: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._by_venue_id: dict[int, Order] = {}
        self._executions: OrderedDict[int, Report] = OrderedDict()
        self._last_venue_id = 0
        self._last_exec_id = 0

    def open_orders(self, gateway: str) -> list[Order]:
        """Every order of this gateway that can still execute, oldest first."""
        return [order for order in self._by_venue_id.values() if order.arrival.gateway == gateway]

    def new_order(self, now: int, arrival: Arrival) -> list[Outcome]:
        """Take a new order: match it, rest it or cancel what is left, after its time in force."""
        tally = self._tally(arrival.router)
        tally.orders += 1
        refused = self._refuse(arrival)
        if refused is not None:
            tally.rejected += 1
            return [self._rejected(now, arrival, *refused)]
        order = self._admit(arrival)
        reports: list[Outcome] = [self._report(now, order, Kind.NEW)]
        reports += self._work(now, order)
        return reports

    def reject(self, now: int, arrival: Arrival, text: str) -> Report:
        """Refuse a new order without looking at it (a fault drill)."""
        tally = self._tally(arrival.router)
        tally.orders += 1
        tally.rejected += 1
        return self._rejected(now, arrival, RejectCode.OTHER, text)

    def cancel(self, now: int, gateway: str, cl_ord_id: int) -> list[Outcome]:
        """Cancel what is open of an order."""
        order = self._orders.get((gateway, cl_ord_id))
        if order is None or not order.open:
            return [self._refused(gateway, cl_ord_id, order, replace=False)]
        return [self._cancel_rest(now, order, "")]

    def cancel_all(self, now: int, gateway: str, text: str) -> list[Outcome]:
        """Cancel every open order of a gateway, as on the loss of its session."""
        return [self._cancel_rest(now, order, text) for order in self.open_orders(gateway)]

    def replace(self, now: int, gateway: str, cl_ord_id: int, qty: int, price: int | None) -> list[Outcome]:
        """Change quantity (new total) and price of an open order; it may execute at once at its new price."""
        order = self._orders.get((gateway, cl_ord_id))
        if order is None or not order.open:
            return [self._refused(gateway, cl_ord_id, order, replace=True)]
        market = self.markets[order.arrival.symbol]
        if qty <= 0 or price is None or price <= 0 or price % market.instrument.tick:
            return [CancelReject(gateway, cl_ord_id, CancelRefusal.OTHER, replace=True)]
        leaves = max(0, qty - order.cum)
        only_less = price == order.price and 0 < leaves <= order.leaves
        order.qty, order.price = qty, price
        if only_less and order.venue_id in market.book:
            market.book.reduce(order.venue_id, leaves)
            order.leaves = leaves
            return [self._report(now, order, Kind.REPLACED)]
        market.book.cancel(order.venue_id)
        order.leaves = leaves
        reports: list[Outcome] = [self._report(now, order, Kind.REPLACED)]
        if leaves == 0:
            self._finish(order)
            return reports
        return reports + self._work(now, order)

    def bust(self, now: int, exec_id: int) -> Report | None:
        """Take back an execution (TradeCancel); None when it is not known any more."""
        trade = self._executions.pop(exec_id, None)
        if trade is None:
            return None
        order = trade.order
        order.cum -= trade.last_qty
        source = order.arrival
        net = self._tally(source.router).net
        net[source.symbol] += -trade.last_qty if source.buy else trade.last_qty
        return self._report(
            now, order, Kind.TRADE_CANCEL, last_qty=trade.last_qty, last_px=trade.last_px, exec_ref_id=exec_id
        )

    def correct(self, now: int, exec_id: int, price: int) -> Report | None:
        """Change the price of an execution (TradeCorrect); None when it is not known any more."""
        trade = self._executions.pop(exec_id, None)
        if trade is None:
            return None
        corrected = self._report(
            now, trade.order, Kind.TRADE_CORRECT, last_qty=trade.last_qty, last_px=price, exec_ref_id=exec_id
        )
        self._executions[corrected.exec_id] = corrected
        return corrected

    def pin(self, now: int, symbol: str, prices: tuple[int, int] | None) -> list[Outcome]:
        """Tell the maker of a symbol which bid and offer to show; None lets the market go its own way again."""
        market = self.markets[symbol]
        market.pinned = prices
        return self._settle_maker(now, market)

    def set_phase(self, now: int, symbol: str | None, phase: Phase) -> list[Outcome]:
        """Put a symbol, or without one the whole venue, into a phase. Continuous trading begins with what was held.

        There is no uncrossing at one price: held orders are worked one by one, oldest first.
        """
        if symbol is None:
            self.trading.set_market(phase)
        else:
            self.trading.securities[symbol].phase = phase
        reports = self._release(now)
        for name in [symbol] if symbol is not None else self.markets:
            reports += self._settle_maker(now, self.markets[name])
        return reports

    def _refuse(self, arrival: Arrival) -> tuple[RejectCode, str] | None:
        market = self.markets.get(arrival.symbol)
        if market is None:
            return RejectCode.UNKNOWN_SYMBOL, f"symbol {arrival.symbol} is not traded here"
        if (arrival.gateway, arrival.cl_ord_id) in self._orders:
            return RejectCode.DUPLICATE_ORDER, f"order {arrival.cl_ord_id} was sent before"
        if arrival.qty <= 0:
            return RejectCode.INCORRECT_QUANTITY, f"quantity {arrival.qty} is not positive"
        if arrival.price is not None and (arrival.price <= 0 or arrival.price % market.instrument.tick):
            return RejectCode.OTHER, f"price {arrival.price} is not a positive multiple of the tick"
        return self._does_not_trade(arrival)

    def _does_not_trade(self, arrival: Arrival) -> tuple[RejectCode, str] | None:
        phase = self.trading.phase(arrival.symbol)
        if not phase.takes_orders:
            return RejectCode.EXCHANGE_CLOSED, f"{arrival.symbol} is {phase.value}"
        if self.trading.outside(arrival.symbol, arrival.price, buy=arrival.buy):
            return RejectCode.PRICE_EXCEEDS_BAND, f"price {arrival.price} is outside of the price bands"
        return None

    def _admit(self, arrival: Arrival) -> Order:
        self._last_venue_id += 1
        order = Order(arrival, self._last_venue_id, arrival.qty, arrival.price, leaves=arrival.qty)
        self._orders[arrival.gateway, arrival.cl_ord_id] = order
        self._by_venue_id[order.venue_id] = order
        self._tally(arrival.router).open_orders += 1
        return order

    def _work(self, now: int, order: Order) -> list[Outcome]:
        """Execute what can be executed, then rest or cancel what is left."""
        arrival, market = order.arrival, self.markets[order.arrival.symbol]
        if self.trading.phase(arrival.symbol) is not Phase.CONTINUOUS:
            return self._hold(now, order)
        if arrival.tif is Tif.FOK and self._fillable(market, order) < order.leaves:
            return [self._cancel_rest(now, order, "not enough at this price to fill it whole")]
        reports = self._retail(now, order, market) if arrival.flags & RETAIL_FLAG else []
        reachable = self._reachable(order)
        for fill in market.book.take(buy=arrival.buy, limit=order.price, qty=reachable):
            reports.append(self._trade(now, order, fill.qty, fill.price))
            if fill.resting_id > 0:
                reports.append(self._trade(now, self._by_venue_id[fill.resting_id], fill.qty, fill.price))
            else:
                market.taken(fill.qty, buy=arrival.buy)
        if order.open and arrival.tif is Tif.DAY and order.price is not None:
            market.book.rest(order.venue_id, buy=arrival.buy, price=order.price, qty=order.leaves)
        elif order.open:
            reports.append(self._cancel_rest(now, order, "nothing more at this price"))
        return reports + self._settle_maker(now, market)

    def _hold(self, now: int, order: Order) -> list[Outcome]:
        """Nothing matches now: keep the order until it does, cancel what cannot wait."""
        if order.arrival.tif is not Tif.DAY:
            return [self._cancel_rest(now, order, "nothing is matched in this phase")]
        self._held.pop(order.venue_id, None)  # a replaced order waits at the end
        self._held[order.venue_id] = order
        return []

    def _release(self, now: int) -> list[Outcome]:
        """Work the held orders that can be matched now, in the order in which they came."""
        held, self._held = self._held, {}
        reports: list[Outcome] = []
        for order in held.values():
            if order.open:
                reports += self._work(now, order)  # which holds it again where nothing is matched yet
        return reports

    def _reachable(self, order: Order) -> int:
        if self._coins is None or order.arrival.tif is not Tif.IOC:
            return order.leaves
        return order.leaves * next(self._coins) // 100

    def _fillable(self, market: Market, order: Order) -> int:
        return market.book.available(buy=order.arrival.buy, limit=order.price, enough=order.leaves)

    def _retail(self, now: int, order: Order, market: Market) -> list[Outcome]:
        arrival, book = order.arrival, market.book
        fill = market.retail.take(
            now,
            buy=arrival.buy,
            limit=order.price,
            qty=order.leaves,
            bid=book.best_bid(),
            offer=book.best_offer(),
        )
        if fill is None:
            return []
        self._tally(arrival.router).retail_shares += fill.qty
        market.taken(fill.qty, buy=arrival.buy)
        return [self._trade(now, order, fill.qty, fill.price)]

    def _settle_maker(self, now: int, market: Market) -> list[Outcome]:
        reports: list[Outcome] = []
        if self.trading.phase(market.instrument.symbol) is not Phase.CONTINUOUS:
            return reports  # its quotes stand as they are until trading goes on
        for fill in market.refresh():
            order = self._by_venue_id[fill.resting_id]
            market.taken(fill.qty, buy=order.arrival.buy)
            reports.append(self._trade(now, order, fill.qty, fill.price))
        return reports

    def _trade(self, now: int, order: Order, qty: int, price: int) -> Report:
        order.cum += qty
        order.leaves -= qty
        tally = self._tally(order.arrival.router)
        tally.executions += 1
        tally.shares += qty
        tally.notional += qty * price
        symbol = order.arrival.symbol
        tally.net[symbol] = tally.net.get(symbol, 0) + (qty if order.arrival.buy else -qty)
        report = self._report(now, order, Kind.TRADE, last_qty=qty, last_px=price)
        self._executions[report.exec_id] = report
        if len(self._executions) > KEEP_EXECUTIONS:
            self._executions.popitem(last=False)
        if not order.open:
            self._finish(order)
        return report

    def _cancel_rest(self, now: int, order: Order, text: str) -> Report:
        self.markets[order.arrival.symbol].book.cancel(order.venue_id)
        order.leaves = 0
        self._tally(order.arrival.router).canceled += 1
        self._finish(order)
        return self._report(now, order, Kind.CANCELED, text=text)

    def _finish(self, order: Order) -> None:
        del self._by_venue_id[order.venue_id]
        self._tally(order.arrival.router).open_orders -= 1
        self._done[order.arrival.gateway, order.arrival.cl_ord_id] = None
        if len(self._done) > KEEP_DONE:
            forgotten, _ = self._done.popitem(last=False)
            del self._orders[forgotten]

    def _refused(self, gateway: str, cl_ord_id: int, order: Order | None, *, replace: bool) -> CancelReject:
        refusal = CancelRefusal.UNKNOWN_ORDER if order is None else CancelRefusal.TOO_LATE_TO_CANCEL
        return CancelReject(gateway, cl_ord_id, refusal, replace)

    def _rejected(self, now: int, arrival: Arrival, code: RejectCode, text: str) -> Report:
        order = Order(arrival, 0, arrival.qty, arrival.price)
        return self._report(now, order, Kind.REJECTED, reject=code, text=text)

    def _report(
        self,
        now: int,
        order: Order,
        kind: Kind,
        *,
        last_qty: int = 0,
        last_px: int = 0,
        exec_ref_id: int = 0,
        reject: RejectCode | None = None,
        text: str = "",
    ) -> Report:
        self._last_exec_id += 1
        return Report(
            order,
            kind,
            now,
            order.cum,
            order.leaves,
            self._last_exec_id,
            last_qty,
            last_px,
            exec_ref_id,
            reject,
            text,
        )

    def _tally(self, router: str) -> Tally:
        tally = self.tallies.get(router)
        if tally is None:
            self.tallies[router] = tally = Tally()
        return tally
