"""A router's work without its I/O: parents in, children out, reports in. Time is an argument (ns after the open).

What a parent becomes is decided by `behaviour`; this file keeps the one open child of each parent, lets passive
children rest and take back, and asks nothing of anybody. Stopping is a property of the behaviour, not of this file.
"""

from __future__ import annotations

import enum
import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass

from router_sim.behaviour import NEVER, Behaviour, Build, HealthyRouter, behaviour
from router_sim.ledger import Ledger
from router_sim.link import (
    Accepted,
    CancelRefused,
    Child,
    Closed,
    Connected,
    Disconnected,
    Halted,
    LinkEvent,
    Refused,
    Traded,
)
from router_sim.plan import Parent

OPEN = 0
"""The time of the open; before it old code answers flagged orders with a message of its own."""

PRE_OPEN_TEXT = "Power Peg disabled"
"""What the old code wrote about flagged orders before the open, 97 times (SEC release 34-70694, paragraph 19)."""


DOLLAR = 1_000_000_000
"""$1.00, the price of Goldman's orders."""

RESEND_NS = 77_000
"""Everbright's time from order to order: 26,082 in two seconds."""


THROTTLE = 10
THROTTLE_WINDOW = 100_000_000
"""Healthy code sends at most so many orders in so many ns, well below what a gateway allows."""


ASK_AGAIN = 10_000_000
"""A child that is not acknowledged yet is taken back this much later, in ns."""


class Fault(enum.Enum):
    """Incidents beside Power Peg; each overrides one habit of healthy code."""

    NONE = "none"
    DOLLAR_ORDERS = "dollar-orders"
    """Goldman Sachs, 20 August 2013: a configuration error sends every child at $1.00."""
    RESEND = "resend"
    """Everbright, 16 August 2013: a child is sent again and again without waiting for its answer."""
    BASKET = "basket"
    """Citi, 2 May 2022: the order itself is wrong, and no single child shows it (`router_sim.scenario.basket`)."""


@dataclass(slots=True)
class Work:
    """One parent in this router's hands, with its open child if it has one."""

    parent: Parent
    behaviour: Behaviour
    cross: bool
    """The next child crosses the spread instead of resting."""
    child: Child | None = None
    filled: int = 0
    alarm: int = 0
    """Number of the only entry in the schedule that still counts for this parent."""
    accepted: bool = False
    cancelling: bool = False


class Worker:
    """All parents of one router."""

    def __init__(
        self,
        build: Build,
        name_child: Callable[[int], str],
        utc: Callable[[], int],
        fault: Fault = Fault.NONE,
    ) -> None:
        """Start with nothing to do.

        Args:
            build: the code this router runs.
            fault: another incident than Knight's that this router plays.
            name_child: the ClOrdID of the n-th child; unique for the day.
            utc: UTC ns, for the ledger only.
        """
        self.build = build
        self.fault = fault
        self.ledger = Ledger()
        self._name_child = name_child
        self._utc = utc
        self._numbers = itertools.count(1)
        self._alarms = itertools.count(1)
        self._due: list[tuple[int, int, Work]] = []
        self._open: dict[str, Work] = {}
        self._window_ends = -NEVER
        self._window_left = 0

    def add(self, parent: Parent, now: int) -> None:
        """Take on a parent."""
        if parent.retail and self.build is Build.POWER_PEG and parent.first_at < OPEN:
            self.ledger.novel_rejects[PRE_OPEN_TEXT] += 1
            return
        self.ledger.opened(parent)
        plan = behaviour(
            self.build,
            rlp_flag=parent.retail,
            qty=parent.qty,
            first_at=max(now, parent.first_at),
            delay=parent.delay,
            pace=parent.pace,
        )
        if isinstance(plan, HealthyRouter):
            plan.slice_qty = parent.slice_qty
            plan.child_qty = min(parent.slice_qty, parent.qty)
        work = Work(parent, plan, cross=parent.price is None)
        if not work.cross and parent.resting == NEVER:
            plan.child_qty = parent.qty  # a standing order is worth one child
        self._schedule(work, plan.next_at)

    def next_at(self) -> int:
        """When `due` or `overdue` will next have something; NEVER when nothing is planned."""
        return self._due[0][0] if self._due else NEVER

    def due(self, now: int, most: int) -> tuple[list[Child], list[str]]:
        """Children to send and ClOrdIDs to cancel now, at most so many of both together."""
        children: list[Child] = []
        cancels: list[str] = []
        while self._due and self._due[0][0] <= now and len(children) + len(cancels) < most:
            _, alarm, work = heapq.heappop(self._due)
            if alarm != work.alarm:
                continue
            if work.child is None or self.fault is Fault.RESEND:
                if isinstance(work.behaviour, HealthyRouter) and not self._throttle(now):
                    self._schedule(work, self._window_ends)
                    continue
                children.append(self._send(work, now))
            elif not work.accepted:
                self._schedule(work, now + ASK_AGAIN)  # a cancel on its own lane could overtake its order
            elif not work.cancelling:
                work.cancelling = True
                cancels.append(work.child.cl_ord_id)
        return children, cancels

    def open_children(self) -> list[str]:
        """ClOrdIDs that have no final answer yet."""
        return list(self._open)

    def acknowledged_children(self) -> list[str]:
        """ClOrdIDs that the venue has taken and not closed."""
        return [cl_ord_id for cl_ord_id, work in self._open.items() if work.accepted]

    def hear(self, event: LinkEvent, now: int) -> None:
        """Take in one event of the session."""
        match event:
            case Traded():
                self._traded(event, now)
            case Refused():
                self._refused(event, now)
            case Closed():
                self._done(event.cl_ord_id, now)
            case Accepted():
                self._accepted(event)
            case CancelRefused():
                self.ledger.cancel_refused += event.cl_ord_id in self._open
            case Halted():
                self._halted(event)
            case Connected() | Disconnected():
                pass

    def _throttle(self, now: int) -> bool:
        """Whether healthy code may send one more order now; it knows how much a venue takes from one session."""
        if self.fault in (Fault.DOLLAR_ORDERS, Fault.RESEND):
            return True
        if now >= self._window_ends:
            self._window_ends, self._window_left = now + THROTTLE_WINDOW, THROTTLE
        self._window_left -= 1
        return self._window_left >= 0

    def _send(self, work: Work, now: int) -> Child:
        parent = work.parent
        price = DOLLAR if self.fault is Fault.DOLLAR_ORDERS else None if work.cross else parent.price
        child = Child(
            cl_ord_id=self._name_child(next(self._numbers)),
            parent_cl_ord_id=parent.parent_cl_ord_id,
            account=parent.account,
            symbol=parent.symbol,
            buy=parent.buy,
            qty=work.behaviour.child_qty,
            price=price,
            retail=parent.retail and self.build is Build.RLP,
        )
        work.child, work.filled, work.accepted, work.cancelling = child, 0, False, False
        if self.fault is Fault.RESEND:
            self._schedule(work, now + RESEND_NS)
        elif price is not None and parent.resting != NEVER:
            self._schedule(work, now + parent.resting)
        self._open[child.cl_ord_id] = work
        self.ledger.left(parent.parent_cl_ord_id, child.qty, self._utc())
        return child

    def _accepted(self, event: Accepted) -> None:
        work = self._open.get(event.cl_ord_id)
        if work is not None:  # else it is of an earlier run of this router, sent again by the gateway
            self.ledger.accepted += 1
            work.accepted = True

    def _traded(self, event: Traded, now: int) -> None:
        work = self._open.get(event.cl_ord_id)
        if work is None:
            return
        work.filled += event.qty
        self.ledger.traded(work.parent.parent_cl_ord_id, event.qty, event.price)
        if event.leaves == 0:
            self._done(event.cl_ord_id, now)

    def _done(self, cl_ord_id: str, now: int) -> None:
        work = self._open.pop(cl_ord_id, None)
        if work is None:
            return
        self.ledger.closed += 1
        if self.fault is Fault.RESEND:
            return  # nobody listens: the next copy is on its way anyhow
        passive = not work.cross
        work.child = None
        work.cross = work.parent.price is None or passive
        self._schedule(work, work.behaviour.on_done(now, work.filled))

    def _refused(self, event: Refused, now: int) -> None:
        work = self._open.pop(event.cl_ord_id, None)
        if work is None:
            return
        self.ledger.refused(event.reason, self._utc())
        if self.fault is Fault.RESEND:
            return
        work.child = None
        self._schedule(work, work.behaviour.on_reject(now))

    def _halted(self, event: Halted) -> None:
        if not self.ledger.halted_at:
            self.ledger.halted_at = self._utc()
            self.ledger.halt_text = event.text

    def _schedule(self, work: Work, at: int) -> None:
        work.alarm = next(self._alarms)
        if at != NEVER:
            heapq.heappush(self._due, (at, work.alarm, work))
