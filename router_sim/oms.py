"""The simulated order management system: it says what a parent order may amount to, and only then routes it.

The gateway learns a parent's quantity from here (`riskgate.v1.ParentOrders`), never from a router. A parent whose
registration is refused or unanswered is not routed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable

from gateway.client import ParentOrdersClient, Side, Verdict
from router_sim.plan import Parent
from router_sim.scenario import Assignment

AT_ONCE = 128
"""Registrations asked for in one breath."""

Route = Callable[[str, Parent], None]
"""Hands a parent to a router of the fleet."""


class Oms:
    """Registers the assignments of a scenario at their time and routes those the gateway took."""

    def __init__(self, parents: ParentOrdersClient, route: Route, now: Callable[[], int]) -> None:
        """Prepare.

        Args:
            parents: the stream to the gateway.
            route: called for each parent after the gateway has acknowledged it.
            now: ns since the open.
        """
        self._parents = parents
        self._route = route
        self._now = now
        self.registered = 0
        self.refused: Counter[str] = Counter()

    async def run(self, assignments: Iterable[Assignment]) -> None:
        """Work through assignments in order of time."""
        due: list[Assignment] = []
        for assignment in assignments:
            if due and (assignment.parent.at > self._now() or len(due) == AT_ONCE):
                await self._register(due)
                due = []
            await self._until(assignment.parent.at)
            due.append(assignment)
        await self._register(due)

    async def _until(self, at: int) -> None:
        delay = at - self._now()
        if delay > 0:
            await asyncio.sleep(delay / 1e9)

    async def _register(self, due: list[Assignment]) -> None:
        answers = await asyncio.gather(*(self._open(assignment.parent) for assignment in due))
        for assignment, reason in zip(due, answers, strict=True):
            if reason:
                self.refused[reason] += 1
            else:
                self.registered += 1
                self._route(assignment.router, assignment.parent)

    async def _open(self, parent: Parent) -> str:
        """Register one parent; why not, or an empty text."""
        result = await self._parents.open(
            parent.parent_cl_ord_id,
            account=parent.account,
            symbol=parent.symbol,
            side=Side.BUY if parent.buy else Side.SELL,
            qty=parent.qty,
        )
        if result.verdict is Verdict.ACCEPTED:
            return ""
        return result.reject.name if result.reject is not None else result.verdict.name
