"""An order, or an order as a replace would make it, on its way through the checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from tests.embedding.model.orders import Order
from tests.embedding.model.side import Sided


@dataclass(frozen=True, kw_only=True)
class Ask(Sided):
    """What the checks are asked about. ``added`` is what it adds to the open quantity, ``added_notional`` to its value."""

    router: str
    account: str
    symbol: str
    strategy: str | None
    parent: str | None
    side: str
    qty: int
    price: int | None
    rests: bool
    scopes: tuple[str, ...]
    replaces: Order | None
    px_risk: int | None
    notional: int
    added: int
    added_notional: int
    asks_more: bool
    reduces: bool

    @property
    def cell(self) -> str:
        """Account and symbol."""
        return self.scopes[4]


class Held(NamedTuple):
    """An order held against a limit of a scope; the limit's own value is the bound unless another is given."""

    scope: str
    limit: str
    value: int
    reason: str
    bound: int | None = None


class Refusal(NamedTuple):
    """Why not: as the core names it."""

    reason: str
    scope: str = ""
    limit: int = 0
    value: int = 0
    halts: tuple[str, str] | None = None
    """The scope that is halted as well, and how severely."""
