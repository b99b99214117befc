"""What one router did, counted beside its code and not by it: the faulty code does not know that it is faulty.

An execution is *excess* from the share on that takes its parent over the parent's quantity.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from router_sim.plan import Parent


@dataclass(slots=True)
class ParentCount:
    """One parent's fills."""

    parent: Parent
    cum: int = 0


@dataclass(slots=True)
class Flow:
    """Fills in one symbol: how many, signed shares, all shares, and the signed money paid (1e-9)."""

    executions: int = 0
    net: int = 0
    shares: int = 0
    paid: int = 0

    def add(self, sign: int, qty: int, price: int) -> None:
        """Count a fill."""
        self.executions += 1
        self.net += sign * qty
        self.shares += qty
        self.paid += sign * qty * price

    def as_list(self) -> list[int]:
        """For a line of JSON."""
        return [self.executions, self.net, self.shares, self.paid]


@dataclass(slots=True)
class Ledger:
    """Counters of one router since it started. Times are UTC ns, 0 = has not happened."""

    sent: int = 0
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    executions: int = 0
    shares: int = 0
    closed: int = 0
    flagged: dict[str, Flow] = field(default_factory=dict)
    """Everything executed for parents that carry the flag, by symbol."""
    excess: dict[str, Flow] = field(default_factory=dict)
    """The part of all executions that exceeds the parents, by symbol."""
    first_excess_sent: int = 0
    """When the first child left that exceeded its parent, whatever became of it."""
    first_reject: int = 0
    halted_at: int = 0
    halt_text: str = ""
    cancel_refused: int = 0
    novel_rejects: Counter[str] = field(default_factory=Counter)
    """Messages of the router's own code that are no order rejects, by text."""
    parents: dict[str, ParentCount] = field(default_factory=dict, repr=False)

    def opened(self, parent: Parent) -> None:
        """The OMS has routed a parent here."""
        self.parents[parent.parent_cl_ord_id] = ParentCount(parent)

    def left(self, parent_cl_ord_id: str, qty: int, now: int) -> None:
        """A child was sent."""
        self.sent += 1
        count = self.parents[parent_cl_ord_id]
        if not self.first_excess_sent and count.cum + qty > count.parent.qty:
            self.first_excess_sent = now

    def traded(self, parent_cl_ord_id: str, qty: int, price: int) -> None:
        """A child executed."""
        count = self.parents[parent_cl_ord_id]
        parent = count.parent
        count.cum += qty
        self.executions += 1
        self.shares += qty
        sign = 1 if parent.buy else -1
        if parent.retail:
            self.flagged.setdefault(parent.symbol, Flow()).add(sign, qty, price)
        over = min(qty, count.cum - parent.qty)
        if over > 0:
            self.excess.setdefault(parent.symbol, Flow()).add(sign, over, price)

    def refused(self, reason: str, now: int) -> None:
        """A child was refused."""
        self.rejected[reason] += 1
        if not self.first_reject:
            self.first_reject = now

    def snapshot(self) -> dict[str, object]:
        """The counters, for a line of JSON."""
        return {
            "sent": self.sent,
            "accepted": self.accepted,
            "rejected": dict(self.rejected),
            "executions": self.executions,
            "shares": self.shares,
            "closed": self.closed,
            "flagged": {symbol: flow.as_list() for symbol, flow in self.flagged.items()},
            "excess": {symbol: flow.as_list() for symbol, flow in self.excess.items()},
            "first_excess_sent": self.first_excess_sent,
            "first_reject": self.first_reject,
            "halted_at": self.halted_at,
            "halt_text": self.halt_text,
            "cancel_refused": self.cancel_refused,
            "novel_rejects": dict(self.novel_rejects),
        }
