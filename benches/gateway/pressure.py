"""The gateway from a tenth of its capacity to beyond it: what an order costs, and what happens to one too many."""

from __future__ import annotations

import time
from typing import Final

from benches.bars import Bar, Cell, Document, Measured, Table, absolute, bar
from benches.gateway import capacity
from benches.gateway.rounds import Rounds
from benches.gateway.sending import NANO, ROUTERS, Load, finish, flood, measure, session
from benches.gateway.settings import Settings
from benches.stage import BenchError, Target, gateway, venue_stub

SHARES: Final = (10, 25, 50, 75, 90)
"""Per cent of capacity."""
BEYOND: Final = 150
BEYOND_TIMES: Final = 4
"""The load beyond capacity lasts so many times as long, so that a queue that grew would have the time to."""
SETTLED: Final = 1
"""The part that later ones are compared with: the first has the start in it."""
ORDERS_A_SECOND: Final = 4_000_000
REASON: Final = "GATEWAY_BUSY"
METHOD: Final = (
    (
        "Eight sessions, evenly spaced and in step; the shares of capacity in turn, a fresh gateway for each round. Capacity is "
        "the most that the same gateway took before, in frames of one, as evenly spaced orders come."
    ),
    (
        f"Beyond: {BEYOND} % of capacity, {BEYOND_TIMES} times as long; its latency is told second part by second part, of those "
        "orders that were taken."
    ),
    "Above capacity the generator needs the processor as well: how far it fell behind its own schedule is `lag`.",
    *capacity.METHOD,
)


def run(settings: Settings) -> Document:
    """Measure; the bars and the tables."""
    rounds, beyond = Rounds(), []
    room = max(int(ORDERS_A_SECOND * settings.seconds), 1 << 20)
    with venue_stub() as venue:
        for number in range(settings.rounds):
            place = settings.directory / f"pressure-{number}"
            with gateway(place, venue, ROUTERS, max_orders=room, journal=settings.journal) as target:
                capacity.settle(target, ROUTERS, settings.seconds)
                full = Load("capacity", capacity.RATE, batch=1, cut=True)
                most = int(capacity.most(target, full, 8, settings.seconds)[1])
                for share in SHARES:
                    load = Load(f"{share} %", most * share // 100)
                    rounds.add(load.name, "gateway", measure(target, load, 8, settings.seconds))
                beyond.append(Beyond(target, most * BEYOND // 100, settings.seconds))
    return Document(
        method={"gateway, pressure": [*METHOD, settings.journal_mode]},
        bars=[_cost(rounds), *_beyond(beyond)],
        tables=[
            rounds.table("The gateway by share of its capacity", "medians of the rounds", queues=()),
            _parts(beyond),
        ],
    )


class Beyond:
    """One flow beyond capacity, and how it went, part by part."""

    def __init__(self, target: Target, rate: int, seconds: float) -> None:
        self.rate = rate
        self.parts: list[tuple[float, float, float]] = []
        """Of each part: orders taken and refused per second, p99 of those taken in us."""
        running = flood(target, [session(target, name, rate // 8, seconds * BEYOND_TIMES) for name in ROUTERS])
        running.start()
        due = time.monotonic()
        while not running.wait(max(1, int((due + seconds - time.monotonic()) * 1_000))):
            due += seconds
            part = running.recent()
            if part["accepted"]:
                times = part["accepted_latency_ns"]
                self.parts.append((part["accepted"] / seconds, part["rejected"] / seconds, times["p99"] / 1_000))
        self.report = finish(target, running, "beyond capacity")
        if len(self.parts) <= SETTLED:
            raise BenchError("the flow beyond capacity ended before its time")

    @property
    def unexplained(self) -> int:
        """Orders without an answer, or refused for anything but that the way is full."""
        others = sum(count for name, count in self.report["reject_reasons"].items() if name != REASON)
        return self.report["unanswered"] + self.report["unsent"] + others


def _cost(rounds: Rounds) -> Bar:
    most, half = (rounds.of(f"{share} %", "gateway", lambda f: f.cpu_us_per_order) for share in (90, 50))
    return bar(
        "processor time of an order at 90 % of capacity against 50 %",
        Measured("90 % of capacity", most),
        Measured("50 % of capacity", half),
        bound=1.1,
        unit="us/order",
    )


def _beyond(rounds: list[Beyond]) -> list[Bar]:
    last = Measured("the last part", [one.parts[-1][2] for one in rounds])
    second = Measured("the second part", [one.parts[SETTLED][2] for one in rounds])
    unexplained = Measured("every round", [one.unexplained for one in rounds])
    return [
        bar("p99 of orders taken beyond capacity, late against early", last, second, bound=1.5, unit="us"),
        absolute(f"orders beyond capacity not answered, or not with {REASON}", unexplained, most=0, unit="orders"),
    ]


def _parts(rounds: list[Beyond]) -> Table:
    rows: list[list[Cell]] = [
        [number, one.rate, part, *figures]
        for number, one in enumerate(rounds, 1)
        for part, figures in enumerate(one.parts, 1)
    ]
    lag = max(one.report["lag_ns"]["p99"] for one in rounds) * 1_000 / NANO
    return Table(
        f"{BEYOND} % of capacity, part by part",
        ["round", "offered/s", "part", "taken/s", "refused/s", "p99 us of those taken"],
        rows,
        f"the generator was up to {lag:,.1f} ms late itself (p99, worst round)",
    )
