"""What each scope holds: sums over all orders and fills, formed anew whenever they are asked for.

Nothing here is kept up by deltas, as the core does for speed; that is the point of comparing the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.embedding.model.market import Market
from tests.embedding.model.orders import Order
from tests.embedding.model.scopes import CELLS, kind, symbol_of


@dataclass
class Books:
    """The firm's orders, its markets, and what it brought into the day, by account and symbol: quantity and mark."""

    accounts: tuple[str, ...]
    routers: tuple[str, ...]
    markets: dict[str, Market]
    opening: dict[tuple[str, str], tuple[int, int]]
    orders: dict[int, Order] = field(default_factory=dict)

    def of(self, scope: str) -> Iterator[Order]:
        """The orders that touch a scope."""
        return (order for order in self.orders.values() if scope in order.scopes)

    def value(self, symbol: str, price: int, qty: int) -> int:
        """The notional of a quantity."""
        return price * qty * self.markets[symbol].multiplier

    def cells(self, scope: str) -> list[str]:
        """The cells that make up a scope: those of its accounts, or of its router."""
        kind_of, _, name = scope.partition(":")
        if kind_of in CELLS:
            return [scope]
        if kind_of == "router":
            return [f"router_symbol:{name}/{symbol}" for symbol in self.markets]
        accounts = self.accounts if kind_of == "firm" else (name,)
        return [f"account_symbol:{account}/{symbol}" for account in accounts for symbol in self.markets]

    def owners(self, cell: str) -> list[str]:
        """The sums that a cell is part of."""
        name = cell.partition(":")[2].partition("/")[0]
        if kind(cell) == "account_symbol":
            return ["firm", f"account:{name}"]
        return [f"router:{name}"] if kind(cell) == "router_symbol" else []

    def opened(self, cell: str) -> Iterator[tuple[int, int]]:
        """What was brought into the day, in a cell that is not a router's."""
        for (account, symbol), held in self.opening.items():
            if cell in {f"symbol:{symbol}", f"account_symbol:{account}/{symbol}"}:
                yield held

    def position(self, cell: str) -> int:
        """Bought less sold."""
        filled = sum(order.sign * order.cum for order in self.of(cell))
        return filled + sum(qty for qty, _ in self.opened(cell))

    def open(self, cell: str, *, buys: bool) -> int:
        """Open quantity of a side."""
        return sum(order.reserved for order in self.of(cell) if order.buys == buys)

    def open_short(self, cell: str) -> int:
        """Open quantity that is marked short."""
        return sum(order.reserved for order in self.of(cell) if order.short)

    def worst_long(self, cell: str) -> int:
        """The position if every open buy filled."""
        return self.position(cell) + self.open(cell, buys=True)

    def worst_short(self, cell: str) -> int:
        """The position if every open sell filled."""
        return self.position(cell) - self.open(cell, buys=False)

    def reduces(self, cell: str, *, buys: bool, added: int) -> bool:
        """Whether so much more, with what is open on its side, fits inside the opposite position."""
        position = self.position(cell)
        if buys:
            return position < 0 and self.open(cell, buys=True) + added <= -position
        return position > 0 and self.open(cell, buys=False) + added <= position

    def realized(self, cell: str) -> int:
        """Cash of the day: what was sold less what was bought, less the opening position at its mark."""
        flows = [order.sign * qty * price for order in self.of(cell) for qty, price in order.fills]
        cash = -sum(flows) - sum(qty * mark for qty, mark in self.opened(cell))
        return cash * self.markets[symbol_of(cell)].multiplier

    def unrealized(self, cell: str) -> int:
        """The position at the worse of the touch and the slow reference."""
        market, position = self.markets[symbol_of(cell)], self.position(cell)
        if position == 0:
            return 0
        return self.value(symbol_of(cell), market.long_mark if position > 0 else market.short_mark, position)

    def pnl(self, scope: str) -> int:
        """Profit and loss of the day."""
        return sum(self.realized(cell) + self.unrealized(cell) for cell in self.cells(scope))

    def worst(self, cell: str) -> int:
        """The largest position the cell can reach, long or short."""
        return max(abs(self.worst_long(cell)), abs(self.worst_short(cell)))

    def gross(self, scope: str) -> int:
        """The largest positions its cells can reach, at the worse of the offer and the slow reference."""
        return sum(
            self.value(symbol_of(cell), self.markets[symbol_of(cell)].short_mark, self.worst(cell))
            for cell in self.cells(scope)
        )

    def open_notional(self, scope: str) -> int:
        """Open buys plus open sells, at their risk prices."""
        return sum(self.value(order.symbol, order.reserved_px, order.reserved) for order in self.of(scope))

    def turnover(self, scope: str) -> int:
        """Everything executed and everything open, bought and sold."""
        executed = sum(self.value(order.symbol, price, qty) for order in self.of(scope) for qty, price in order.fills)
        return executed + self.open_notional(scope)

    def open_orders(self, scope: str) -> int:
        """How many can still fill."""
        return sum(order.open for order in self.of(scope))


def is_cell(scope: str) -> bool:
    """Whether a scope holds one instrument."""
    return kind(scope) in CELLS
