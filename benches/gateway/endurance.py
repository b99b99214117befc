"""The flood for minutes on end: does latency creep, does memory grow?

The load is that of :mod:`benches.gateway.runaway`, without the round alone: seven routers trade, one cancels what it has
resting, and the runaway is refused two hundred thousand times a second from the moment its limit has halted it.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benches.bars import Bar, Cell, Document, Measured, Table, absolute, bar
from benches.gateway import picture
from benches.gateway.runaway import (
    CANCEL_RATE,
    HEALTHY,
    HEALTHY_RATE,
    LIMIT,
    LIMITS,
    ROUTERS,
    TIMES,
    cancels,
    healthy,
    rest,
    runaway,
)
from benches.gateway.sending import finish
from benches.gateway.settings import Settings
from benches.stage import Target, gateway, venue_stub

WARM_S: Final = 60
"""Memory of the last seconds is compared with that after this time, or after a tenth of a short run."""
METHOD: Final = (
    (
        f"Seven routers send {HEALTHY_RATE:,} orders/s each, one cancels {CANCEL_RATE} resting orders/s, the runaway sends "
        f"{LIMIT * TIMES:,}/s against a limit of {LIMIT:,}/s that halts it, all evenly spaced, from one generator process."
    ),
    "Latency counts from the time an order was due, second by second; memory is the gateway's resident set.",
)


@dataclass(frozen=True, slots=True)
class Second:
    """What one second showed."""

    at_s: float
    p50_us: float
    p99_us: float
    max_us: float
    """Of the healthy routers' orders."""
    cancel_p99_us: float
    lag_p99_us: float
    refused: int
    """Orders of the runaway."""
    resident_mib: float


def run(settings: Settings, minutes: float, results: Path) -> Document:
    """Flood for so long; the pictures go to `results`."""
    duration = minutes * 60
    room = int(duration * (len(HEALTHY) * HEALTHY_RATE + CANCEL_RATE)) + 2 * LIMIT
    with (
        venue_stub() as venue,
        gateway(
            settings.directory / "endurance",
            venue,
            ROUTERS,
            max_orders=room,
            journal=settings.journal,
            limits=LIMITS,
        ) as target,
    ):
        rest(target, int(CANCEL_RATE * duration))
        seconds, refused = _flood(target, duration)
    results.mkdir(parents=True, exist_ok=True)
    picture.latency(seconds, results / "flood-latency.svg")
    picture.memory(seconds, results / "flood-memory.svg")
    return Document(
        method={"gateway, long flood": [*METHOD, settings.journal_mode]},
        bars=_bars(seconds, refused),
        tables=[_table(seconds)],
    )


def _flood(target: Target, duration: float) -> tuple[list[Second], int]:
    """The seconds, and orders of healthy routers or cancels that were refused or not answered."""
    trading, cancelling, flooding = (make(target, duration) for make in (healthy, cancels, runaway))
    for one in (trading, cancelling, flooding):
        one.start()
    started = time.monotonic()
    seconds: list[Second] = []
    while not trading.wait(max(1, int((started + len(seconds) + 1 - time.monotonic()) * 1_000))):
        orders, cancelled = trading.recent(), cancelling.recent()
        times = orders["latency_ns"]
        seconds.append(
            Second(
                at_s=time.monotonic() - started,
                p50_us=times["p50"] / 1_000,
                p99_us=times["p99"] / 1_000,
                max_us=times["max"] / 1_000,
                cancel_p99_us=cancelled["latency_ns"]["p99"] / 1_000,
                lag_p99_us=orders["lag_ns"]["p99"] / 1_000,
                refused=flooding.recent()["rejected"],
                resident_mib=target.resident_kib() / 1_024,
            )
        )
    reports = [finish(one, "the long flood") for one in (trading, cancelling)]
    finish(flooding, "the runaway of the long flood")
    return seconds, sum(one["rejected"] + one["unanswered"] + one["unsent"] for one in reports)


def _bars(seconds: list[Second], refused: int) -> list[Bar]:
    warm = min(WARM_S, len(seconds) // 10)
    early, late = seconds[warm : warm + 10], seconds[-10:]
    return [
        bar(
            "memory at the end of the flood against its first minute",
            Measured("the last ten seconds", [statistics.median(one.resident_mib for one in late)]),
            Measured("ten seconds after the first minute", [statistics.median(one.resident_mib for one in early)]),
            bound=1.05,
            unit="MiB",
        ),
        bar(
            "p99 of healthy routers, last minute of the flood against its first",
            Measured("last minute", [statistics.median(one.p99_us for one in seconds[-60:])]),
            Measured("first minute", [statistics.median(one.p99_us for one in seconds[:60])]),
            bound=1.5,
            unit="us",
        ),
        absolute(
            "orders of healthy routers and cancels refused or unanswered, long flood",
            Measured("the whole flood", [refused]),
            most=0,
            unit="orders",
        ),
    ]


def _table(seconds: list[Second]) -> Table:
    minute = max(len(seconds) // 10, 1)
    rows: list[list[Cell]] = []
    for start in range(0, len(seconds), minute):
        part = seconds[start : start + minute]
        rows.append(
            [
                round(part[0].at_s),
                *(
                    statistics.median(getattr(one, name) for one in part)
                    for name in ("p50_us", "p99_us", "max_us", "cancel_p99_us", "lag_p99_us", "refused", "resident_mib")
                ),
            ]
        )
    return Table(
        f"The flood over {len(seconds)} seconds",
        ["from s", "p50 us", "p99 us", "max us", "cancel p99 us", "lag p99 us", "refused/s", "memory MiB"],
        rows,
        "medians of the seconds of each part",
    )
