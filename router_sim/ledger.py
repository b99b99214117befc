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
class Excess:
    """Excess fills in one symbol: signed shares, and signed money paid for them (1e-9)."""

    net: int = 0
    paid: int = 0


@dataclass(slots=True)
class Ledger:
    """Counters of one router since it started. Times are UTC ns, 0 = has not happened."""

    sent: int = 0
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    executions: int = 0
    shares: int = 0
    closed: int = 0
    retail_executions: int = 0
    excess_executions: int = 0
    excess_shares: int = 0
    excess: dict[str, Excess] = field(default_factory=dict)
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
        self.retail_executions += parent.retail
        over = min(qty, count.cum - parent.qty)
        if over <= 0:
            return
        self.excess_executions += 1
        self.excess_shares += over
        excess = self.excess.setdefault(parent.symbol, Excess())
        sign = 1 if parent.buy else -1
        excess.net += sign * over
        excess.paid += sign * over * price

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
            "retail_executions": self.retail_executions,
            "excess_executions": self.excess_executions,
            "excess_shares": self.excess_shares,
            "excess": {symbol: [excess.net, excess.paid] for symbol, excess in self.excess.items()},
            "first_excess_sent": self.first_excess_sent,
            "first_reject": self.first_reject,
            "halted_at": self.halted_at,
            "halt_text": self.halt_text,
            "cancel_refused": self.cancel_refused,
            "novel_rejects": dict(self.novel_rejects),
        }
