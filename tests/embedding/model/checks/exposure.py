"""What could come of everything that is open, and what the day has come to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.embedding.model.ask import Ask, Held
from tests.embedding.model.books import is_cell
from tests.embedding.model.market import of_whole_bps
from tests.embedding.model.scopes import kind

if TYPE_CHECKING:
    from tests.embedding.model.firm import Firm


def net_position(firm: Firm, ask: Ask) -> Iterator[Held]:
    """X1: ``position + open buys + q <= max long``; ``position - open sells - q >= -max short``."""
    if ask.added > 0:
        for cell in filter(is_cell, ask.scopes):
            worst = firm.books.worst_long(cell) if ask.buys else -firm.books.worst_short(cell)
            limit = "max_long_position" if ask.buys else "max_short_position"
            yield Held(cell, limit, worst + ask.added, "POSITION_LIMIT")


def open_orders(firm: Firm, ask: Ask) -> Iterator[Held]:
    """X2: ``open + 1 <= n``; ``open + q <= max``; ``open notional + q * risk price <= max``. A replace is no further one."""
    for scope in ask.scopes:
        if ask.replaces is None:
            yield Held(scope, "max_open_orders", firm.books.open_orders(scope) + 1, "MAX_OPEN_ORDERS")
        if ask.added > 0 and is_cell(scope):
            yield Held(scope, "max_open_qty", open_qty(firm, scope) + ask.added, "MAX_OPEN_QTY")
        if ask.added_notional > 0:
            value = firm.books.open_notional(scope) + ask.added_notional
            yield Held(scope, "max_open_notional", value, "MAX_OPEN_NOTIONAL")


def open_qty(firm: Firm, cell: str) -> int:
    """Open buys plus open sells."""
    return firm.books.open(cell, buys=True) + firm.books.open(cell, buys=False)


def gross_with(firm: Firm, ask: Ask, cell: str) -> int | None:
    """Gross of a cell with the order, at the worse of its mark and the order's; ``None`` if it does not widen the worst case."""
    books = firm.books
    long = books.worst_long(cell) + (ask.added if ask.buys else 0)
    short = books.worst_short(cell) - (0 if ask.buys else ask.added)
    worst = max(abs(long), abs(short))
    if worst <= books.worst(cell) or ask.px_risk is None:
        return None
    return books.value(ask.symbol, max(firm.markets[ask.symbol].short_mark, ask.px_risk), worst)


def gross_notional(firm: Firm, ask: Ask) -> Iterator[Held]:
    """X3: the sum over instruments of the larger worst case at a conservative mark; firm and account before the router."""
    for scope, cell in ((ask.scopes[0], ask.scopes[4]), (ask.scopes[1], ask.scopes[4]), (ask.scopes[2], ask.scopes[5])):
        wider = gross_with(firm, ask, cell)
        if wider is not None and wider > firm.books.gross(cell):
            value = firm.books.gross(scope) - firm.books.gross(cell) + wider
            yield Held(scope, "max_gross_notional", value, "GROSS_LIMIT")


def concentration(firm: Firm, ask: Ask) -> Iterator[Held]:
    """X5: worst-case notional in one symbol ``* 10,000 <= bps * max gross notional`` of the firm or the account."""
    for cell in ask.scopes[3], ask.scopes[4]:
        wider = gross_with(firm, ask, cell)
        if wider is not None and wider > firm.books.gross(cell):
            yield Held(cell, "max_concentration_bps", of_whole_bps(wider, allowed(firm, cell)), "CONCENTRATION_LIMIT")


def allowed(firm: Firm, cell: str) -> int:
    """The gross notional that may be held by the firm, of a symbol, or by the account."""
    account = "account:" + cell.partition(":")[2].partition("/")[0]
    return firm.limits.value("firm" if kind(cell) == "symbol" else account, "max_gross_notional", 0)


def turnover_day(firm: Firm, ask: Ask) -> Iterator[Held]:
    """X4: ``executed buys + executed sells + open + q * risk price <= max``, never netted."""
    if ask.added_notional > 0:
        for scope in ask.scopes:
            yield Held(scope, "max_turnover_day", firm.books.turnover(scope) + ask.added_notional, "TURNOVER_LIMIT")
