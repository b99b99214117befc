"""Healthy flow on all eight servers: what the controls must never disturb.

Each server works 3-5 children a second for other clients, and 10-20 times that in the first two seconds. The burst is
made of more parents at once: no parent sends identical children faster than twice a second.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from router_sim.behaviour import CHILD_QTY, HEALTHY_PACE, NEVER
from router_sim.units import SECOND

if TYPE_CHECKING:
    from router_sim.knight.universe import KnightParent

CHILDREN_PER_SECOND: Final = (3.0, 5.0)
"""Of a router; the seed chooses."""

BURST_FACTOR: Final = (10.0, 20.0)
"""Times as many at the open."""

BURST_NS: Final = 2 * SECOND
STANDING_ORDERS: Final = 5
"""Per router."""

STANDING_FROM: Final = -SECOND // 2


@dataclass(frozen=True, slots=True)
class HealthyParent:
    """A client order that a correct router works. Times in ns after the open."""

    at: int
    router: int
    """Index of the router, 0 for smars-1."""
    stock: int
    sign: int
    qty: int
    pace: int
    """Time between two children."""
    resting: int
    """How long each child rests at the venue before it fills; `NEVER` if the price does not come there."""
    away_bps: int = 0
    """How far behind the near touch it rests."""


def standing_orders(seed: int, router: int, symbols: int) -> list[HealthyParent]:
    """Client orders that rest all morning behind the market: what a halt has to cancel."""
    source = random.Random(f"standing/{seed}/{router}")
    return [
        HealthyParent(
            at=STANDING_FROM,
            router=router,
            stock=source.randrange(symbols),
            sign=source.choice((1, -1)),
            qty=CHILD_QTY,
            pace=HEALTHY_PACE,
            resting=NEVER,
            away_bps=100,
        )
        for _ in range(STANDING_ORDERS)
    ]


def healthy_flow(
    seed: int,
    router: int,
    symbols: int,
    until: int,
    *,
    children_per_second: float | None = None,
    burst_factor: float | None = None,
) -> list[HealthyParent]:
    """The parents of one router from the open to ``until`` (ns), in order of time; the seed chooses what is not given."""
    source = random.Random(f"background/{seed}/{router}")
    chosen = source.uniform(*CHILDREN_PER_SECOND), source.uniform(*BURST_FACTOR)
    children_per_second = children_per_second or chosen[0]
    burst_factor = burst_factor or chosen[1]
    burst_children = children_per_second * burst_factor * BURST_NS / SECOND
    parents = []
    while burst_children > 0:
        children = source.randint(1, 2)
        burst_children -= children
        parents.append(_parent(source, source.randrange(BURST_NS), router, symbols, children))
    at = float(BURST_NS)
    while True:
        children = source.randint(1, 10)
        at += source.expovariate(children_per_second / 5.5) * SECOND
        if at >= until:
            return sorted((p for p in parents if p.at < until), key=lambda p: p.at)
        parents.append(_parent(source, int(at), router, symbols, children))


def in_correct_hands(plan: KnightParent, seed: int) -> HealthyParent:
    """What correct code makes of a parent that Power Peg was to work: children until it is filled."""
    source = random.Random(f"correct/{seed}/{plan.number}")
    return HealthyParent(
        at=plan.entered_at,
        router=plan.router,
        stock=plan.stock,
        sign=plan.sign,
        qty=plan.qty,
        pace=source.randrange(HEALTHY_PACE, 2 * HEALTHY_PACE),
        resting=source.randrange(50_000_000, 450_000_000),
    )


def _parent(source: random.Random, at: int, router: int, symbols: int, children: int) -> HealthyParent:
    return HealthyParent(
        at=at,
        router=router,
        stock=source.randrange(symbols),
        sign=source.choice((1, -1)),
        qty=children * CHILD_QTY,
        pace=source.randrange(HEALTHY_PACE, 2 * HEALTHY_PACE),
        resting=source.randrange(50_000_000, 450_000_000),
    )
