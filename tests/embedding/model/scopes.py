"""The scopes that limits, books and halts belong to, as text: ``firm``, ``router:r1``, ``account_symbol:ACC1/AAPL``."""

from __future__ import annotations

CELLS = ("symbol", "account_symbol", "router_symbol")
"""The kinds that hold one instrument, and so a position."""


def kind(scope: str) -> str:
    """The part before the colon."""
    return scope.partition(":")[0]


def symbol_of(cell: str) -> str:
    """The instrument of a cell."""
    return cell.partition(":")[2].rpartition("/")[2]


def touched(*, account: str, router: str, symbol: str, strategy: str | None) -> tuple[str, ...]:
    """Every scope of an order, in the order in which their limits are asked."""
    six = (
        "firm",
        f"account:{account}",
        f"router:{router}",
        f"symbol:{symbol}",
        f"account_symbol:{account}/{symbol}",
        f"router_symbol:{router}/{symbol}",
    )
    return six if strategy is None else (*six, f"strategy:{strategy}")


def latch_order(scopes: tuple[str, ...]) -> list[str]:
    """The order in which a halt is looked for when a new order comes."""
    firm, account, router, symbol, account_symbol, router_symbol, *strategy = scopes
    return [firm, router, account, *strategy, symbol, account_symbol, router_symbol]
