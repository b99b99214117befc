"""What the core should hold, in plain Python: sums over all orders and fills, formed anew whenever they are asked for.

Nothing here is kept up by deltas, as the core does for speed; that is the point of comparing the two. The rules are those
of docs/reference/rules.md: exposure is worst case from acceptance until evidence, and a fill always counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

BUCKETS = 60
WINDOW = 15 * 60 * 1_000_000_000
"""The slow reference: a time-weighted mean over 15 minutes, in steps of a sixtieth of it."""
BPS = 10_000


@dataclass
class Replace:
    """A replace the venue has not answered."""

    cl_ord_id: int
    qty: int
    price: int
    px_risk: int


@dataclass
class Order:
    """An accepted order; ``px_risk`` is what its open quantity is valued at."""

    router: str
    account: str
    symbol: str
    parent: str | None
    buy: bool
    qty: int
    price: int | None
    px_risk: int
    cl_ord_id: int
    open: bool = True
    cancel_requested: bool = False
    pending: Replace | None = None
    fills: list[tuple[int, int]] = field(default_factory=list)

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self.buy else -1

    @property
    def cum(self) -> int:
        """Filled quantity."""
        return sum(qty for qty, _ in self.fills)

    @property
    def reserved(self) -> int:
        """What may still fill: the rest, or, while a replace is in flight, its whole quantity if that is more."""
        if not self.open:
            return 0
        rest = max(self.qty - self.cum, 0)
        return max(rest, self.pending.qty) if self.pending else rest

    @property
    def reserved_px(self) -> int:
        """The price that is valued at: the higher one while a replace is in flight."""
        return max(self.px_risk, self.pending.px_risk) if self.pending else self.px_risk

    def finish_if_filled(self) -> None:
        """A filled order is done, unless a replace in flight may still enlarge it."""
        if self.open and not self.pending and self.cum >= self.qty:
            self.open = False


@dataclass
class Market:
    """The touch of a symbol and its slow reference, from the first own fill on."""

    multiplier: int
    bid: int = 0
    ask: int = 0
    begun: int | None = None
    at: int = 0
    mids: list[tuple[int, int]] = field(default_factory=list)

    @property
    def mid(self) -> int:
        """Half-way, rounded down."""
        return self.bid + (self.ask - self.bid) // 2

    def tick(self, now: int, bid: int, ask: int) -> None:
        """A usable touch is the new one; any other is ignored."""
        if not 0 < bid < ask:
            return
        self.advance(now)
        self.bid, self.ask = bid, ask
        self.mids.append((now, self.mid))

    def own_fill(self, now: int) -> None:
        """The first one begins the reference, as if the mid had always been what it is."""
        if self.begun is None:
            self._begin(now)

    def _begin(self, now: int) -> None:
        self.begun = self.at = now
        self.mids = [(now - 2 * WINDOW, self.mid)]

    def advance(self, now: int) -> None:
        """The reference is as of now; after a silence of two windows it begins anew."""
        if self.begun is None:
            return
        step = WINDOW // BUCKETS
        bucket = self.begun + (self.at - self.begun) // step * step
        if now - bucket > 2 * WINDOW:
            self._begin(now)
        self.at = now

    def mean(self) -> tuple[int, int]:
        """The mean of the mid over the last sixty full steps and the running one, rounded down and up."""
        assert self.begun is not None
        step = WINDOW // BUCKETS
        start = self.begun + ((self.at - self.begun) // step - BUCKETS) * step
        ends = [time for time, _ in self.mids[1:]] + [self.at]
        total = sum(
            mid * max(min(end, self.at) - max(begin, start), 0)
            for (begin, mid), end in zip(self.mids, ends, strict=True)
        )
        span = self.at - start
        return total // span, -(-total // span)

    @property
    def long_mark(self) -> int:
        """What a long position is worth: the worse of the bid and the reference."""
        return self.bid if self.begun is None else min(self.bid, self.mean()[0])

    @property
    def short_mark(self) -> int:
        """What a short position costs: the worse of the offer and the reference."""
        return self.ask if self.begun is None else max(self.ask, self.mean()[1])

    def risk_price(self, *, buy: bool, price: int | None, collar_bps: int) -> int:
        """What an order is valued at, worst case."""
        if price is None:
            return -(-self.ask * (BPS + collar_bps) // BPS)
        return price if buy else max(price, self.bid)


@dataclass
class Model:
    """The firm: its orders, its markets, what it brought into the day and what its clients ordered."""

    markets: dict[str, Market]
    opening: dict[tuple[str, str], tuple[int, int]]
    """Account and symbol to quantity and mark."""
    parents: dict[str, int]
    orders: dict[int, Order] = field(default_factory=dict)

    def of(self, **where: str) -> Iterator[Order]:
        """The orders of an account, a router, a symbol, a parent, or several of these."""
        for order in self.orders.values():
            if all(getattr(order, kind) == name for kind, name in where.items()):
                yield order

    def headroom(self, parent: str) -> int:
        """What a further child may ask for."""
        return self.parents[parent] - sum(order.cum + order.reserved for order in self.of(parent=parent))

    def opened(self, **where: str) -> list[tuple[int, int]]:
        """What was brought into the day, in a cell that is not a router's."""
        if "router" in where:
            return []
        return [
            held
            for (account, symbol), held in self.opening.items()
            if where.get("account", account) == account and where.get("symbol", symbol) == symbol
        ]

    def position(self, **cell: str) -> tuple[int, int, int]:
        """Position, open buys and open sells of a cell."""
        orders = list(self.of(**cell))
        position = sum(order.sign * order.cum for order in orders) + sum(qty for qty, _ in self.opened(**cell))
        open_buy = sum(order.reserved for order in orders if order.buy)
        open_sell = sum(order.reserved for order in orders if not order.buy)
        return position, open_buy, open_sell

    def cell_pnl(self, **cell: str) -> int:
        """Cash and position at its mark."""
        market = self.markets[cell["symbol"]]
        flows = [order.sign * qty * price for order in self.of(**cell) for qty, price in order.fills]
        cash = -sum(flows) - sum(qty * mark for qty, mark in self.opened(**cell))
        position, _, _ = self.position(**cell)
        mark = market.long_mark if position > 0 else market.short_mark
        return (cash + position * mark) * market.multiplier

    def cell_gross(self, **cell: str) -> int:
        """The largest position the cell can reach, at its mark."""
        market = self.markets[cell["symbol"]]
        position, open_buy, open_sell = self.position(**cell)
        return max(abs(position + open_buy), abs(position - open_sell)) * market.short_mark * market.multiplier

    def turnover(self, **where: str) -> int:
        """Everything executed and everything open, bought and sold."""
        return sum(
            (sum(qty * price for qty, price in order.fills) + order.reserved * order.reserved_px)
            * self.markets[order.symbol].multiplier
            for order in self.of(**where)
        )

    def pnl(self, kind: str, names: Iterable[str]) -> int:
        """The sum over cells: of accounts, or of routers."""
        return sum(self.cell_pnl(**{kind: name, "symbol": symbol}) for name in names for symbol in self.markets)

    def gross(self, kind: str, names: Iterable[str]) -> int:
        """The same for gross notional."""
        return sum(self.cell_gross(**{kind: name, "symbol": symbol}) for name in names for symbol in self.markets)
