"""What a target takes at most, and the state in which it is asked: that of a gateway some minutes into its day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import riskcore
from benches.gateway.sending import Load, finish, flood, measure, session
from benches.stage import PRICE, BenchError, Target

RATE: Final = 1_000_000
"""More than anything takes, orders/s."""
MORE: Final = (110, 130, 160)
"""Offers beside the first, per cent of what was taken of it."""
REPORTS: Final = 185_000
"""Refusals whose reports fill what a gateway holds of a router (16 MiB)."""
METHOD: Final = (
    (
        "Above capacity a gateway is offered what it takes most of, sought among 1,000,000 orders/s and 110, 130 and 160 % of "
        "what it took of that: it refuses what is late, and refusing costs. The others are offered 1,000,000."
    ),
    (
        "Each gateway has first refused as many orders of each router as fill what it holds of their reports: their memory is "
        "mapped once, in the first minutes of a day. Sessions resume after the last report of the load before."
    ),
)


def most(target: Target, load: Load, sessions: int, seconds: float) -> tuple[Load, float]:
    """The offer of which a target takes most, and what it takes of it, orders/s; `load` is more than it can take."""
    first = measure(target, load, sessions, seconds).taken
    offers = [replace(load, rate=int(first) * share // 100) for share in MORE]
    taken = [first, *(measure(target, offer, sessions, seconds).taken for offer in offers)]
    best = max(range(len(taken)), key=taken.__getitem__)
    return [load, *offers][best], taken[best]


def settle(target: Target, routers: Sequence[str], seconds: float) -> None:
    """Fill what a gateway holds of its routers' reports; where less than a second is measured, less of it.

    Raises:
        BenchError: It did not refuse what is not for it.
    """
    count = int(REPORTS * min(seconds, 1))
    unknown = riskcore.FloodLine(account="ACC1", symbol="NONE", side="buy", order_qty=1, price=PRICE)
    sessions = [session(target, name, RATE, 600, lines=[unknown], burst=64, count=count) for name in routers]
    filling = flood(target, sessions)
    filling.start()
    report = finish(target, filling, "orders that are refused")
    if report["rejected"] != count * len(routers):
        raise BenchError(f"orders of an unknown symbol were not all refused: {report['reject_reasons']}")
