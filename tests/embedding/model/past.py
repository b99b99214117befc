"""Everything that happened, never forgotten: attempts, commitments, executions. Windows are looked for in these lists."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

Content: TypeAlias = tuple[str, str, str, int, int | None]
"""What makes two orders of a router the same: account, symbol, side, quantity, price."""

Work: TypeAlias = tuple[str, ...]
"""What repeats: a parent, or a strategy, symbol and side."""


class Attempt(NamedTuple):
    """A message of a router; ``content`` of a new order alone."""

    n: int
    time: int
    router: str
    content: Content | None


class Commitment(NamedTuple):
    """An order or replace that passed, and the notional it added."""

    n: int
    time: int
    scopes: tuple[str, ...]
    notional: int


class Execution(NamedTuple):
    """An execution, its distance to the mid (positive: lost), and the mid before it."""

    n: int
    time: int
    scopes: tuple[str, ...]
    buys: bool
    price: int
    mid: int
    loss: int


class Decision(NamedTuple):
    """An order that was executed for the first time, or enlarged after an execution (rules.md R3)."""

    n: int
    scopes: tuple[str, ...]
    work: Work


class Child(NamedTuple):
    """An order that asked for more, and its parent's quantity at that moment; ``order`` is the event that accepted it."""

    order: int
    scopes: tuple[str, ...]
    parent: str
    parent_qty: int


@dataclass
class Past:
    """The lists."""

    attempts: list[Attempt] = field(default_factory=list)
    commitments: list[Commitment] = field(default_factory=list)
    executions: list[Execution] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    children: list[Child] = field(default_factory=list)
    refusals: list[tuple[int, int, str]] = field(default_factory=list)
    """Event, time and router of each refusal, by us or by the venue."""
    excess_attempts: list[tuple[int, str]] = field(default_factory=list)
    """Event and router of each order beyond its parent."""
    values: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """Per scope: its profit and loss since it is limited in its drawdown, by the time from which it held."""
    armed: dict[str, int] = field(default_factory=dict)
    """Per scope: the event of its last reinstatement."""

    def since(self, scope: str, limited: int) -> int:
        """Counters that a person starts again: the later of the limit's and the reinstatement's event."""
        return max(limited, self.armed.get(scope, 0))
