"""The gateway from a tenth of its capacity to beyond it: what an order costs, and what happens to one too many."""

from __future__ import annotations

from typing import Final

from benches.bars import Bar, Document, Measured, absolute, bar
from benches.gateway.rounds import Rounds
from benches.gateway.sending import ROUTERS, Load, measure
from benches.gateway.settings import Settings
from benches.stage import gateway, venue_stub

SHARES: Final = (10, 25, 50, 75, 90)
"""Per cent of capacity."""
BEYOND_SHARE: Final = 150
BEYOND: Final = f"{BEYOND_SHARE} %"
BEYOND_TIMES: Final = 4
"""The load beyond capacity lasts so many times as long, so that a queue that grew would have the time to."""
CAPACITY_RATE: Final = 1_000_000
ORDERS_A_SECOND: Final = 3_000_000
REASON: Final = "GATEWAY_BUSY"
METHOD: Final = (
    (
        "Eight sessions, evenly spaced and in step; the shares of capacity in turn, a fresh gateway for each round. Capacity is "
        "what the same gateway took of 1,000,000 orders/s before, in bursts of eight."
    ),
    f"Beyond: {BEYOND} of capacity, {BEYOND_TIMES} times as long.",
    "Above capacity the generator needs the processor as well: how far it fell behind its own schedule is `lag`.",
)


def run(settings: Settings) -> Document:
    """Measure; the bars and the tables."""
    rounds = Rounds()
    room = max(int(ORDERS_A_SECOND * settings.seconds), 1 << 20)
    with venue_stub() as venue:
        for number in range(settings.rounds):
            place = settings.directory / f"pressure-{number}"
            with gateway(place, venue, ROUTERS, max_orders=room, journal=settings.journal) as target:
                full = Load("capacity", CAPACITY_RATE, burst=8, cut=True)
                capacity = int(measure(target, full, 8, settings.seconds).taken)
                for share in SHARES:
                    load = Load(f"{share} %", capacity * share // 100)
                    rounds.add(load.name, "gateway", measure(target, load, 8, settings.seconds))
                beyond = Load(BEYOND, capacity * BEYOND_SHARE // 100)
                rounds.add(BEYOND, "gateway", measure(target, beyond, 8, settings.seconds * BEYOND_TIMES))
    return Document(
        method={"gateway, pressure": [*METHOD, settings.journal_mode]},
        bars=[_cost(rounds), _unexplained(rounds)],
        tables=[rounds.table("The gateway by share of its capacity", "medians of the rounds", queues=())],
    )


def _cost(rounds: Rounds) -> Bar:
    most, half = (rounds.of(f"{share} %", "gateway", lambda f: f.cpu_us_per_order) for share in (90, 50))
    return bar(
        "processor time of an order at 90 % of capacity against 50 %",
        Measured("90 % of capacity", most),
        Measured("50 % of capacity", half),
        bound=1.1,
        unit="us/order",
    )


def _unexplained(rounds: Rounds) -> Bar:
    """Orders without an answer, or refused for anything but that the way is full."""
    beyond = rounds.of(
        BEYOND, "gateway", lambda f: f.unanswered + sum(n for name, n in f.rejected.items() if name != REASON)
    )
    return absolute(
        f"orders beyond capacity not answered, or not with {REASON}",
        Measured("every round", beyond),
        most=0,
        unit="orders",
    )
