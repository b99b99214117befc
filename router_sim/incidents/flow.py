"""Healthy flow beside a faulty router: a few orders a second of each other router, small, passive, never all at once."""

from __future__ import annotations

import random
from collections.abc import Sequence

from router_sim.incidents.scene import HealthyOrder
from router_sim.units import MILLISECOND, SECOND


def healthy_flow(
    seed: int, routers: Sequence[int], symbols: Sequence[int], *, begin: int, end: int, per_second: float, qty: int
) -> tuple[HealthyOrder, ...]:
    """Orders of these routers (indices) in these symbols from ``begin`` to ``end``, in order of time."""
    orders = []
    for router in routers:
        source = random.Random(f"healthy/{seed}/{router}")
        at = float(begin)
        while True:
            at += source.uniform(0.5, 1.5) / per_second * SECOND
            if at >= end:
                break
            orders.append(
                HealthyOrder(
                    at=int(at),
                    router=router,
                    symbol=source.choice(symbols),
                    sign=source.choice((1, -1)),
                    qty=qty,
                    resting=source.randrange(50 * MILLISECOND, 450 * MILLISECOND),
                )
            )
    return tuple(sorted(orders, key=lambda order: order.at))
