"""The flood for minutes on end: does latency creep, does memory grow?

The load is that of :mod:`benches.gateway.runaway`, without the round alone: seven routers trade, one cancels what it has
resting, and the runaway is refused two hundred thousand times a second from the moment its limit has halted it.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benches.bars import Bar, Cell, Document, Measured, Table, absolute, bar
from benches.gateway import picture
from benches.gateway.capacity import settle
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
from benches.gateway.sending import check, finish
from benches.gateway.settings import Settings
from benches.stage import BenchError, Target, gateway, venue_stub

if TYPE_CHECKING:
    import riskcore

WARM_S: Final = 60
"""Memory of the last seconds is compared with that after this time, or after a tenth of a short run."""
METHOD: Final = (
    (
        f"Seven routers send {HEALTHY_RATE:,} orders/s each, one cancels {CANCEL_RATE} resting orders/s, the runaway sends "
        f"{LIMIT * TIMES:,}/s against a limit of {LIMIT:,}/s that halts it, all evenly spaced, from one generator process."
    ),
    "Latency counts from the time an order was due, second by second; memory is the gateway's resident set.",
    (
        "The gateway has first refused as many orders of each router as fill what it holds of their reports: their memory is "
        "mapped once, in the first minutes of a day."
    ),
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


@dataclass(frozen=True, slots=True)
class Flooded:
    """What a flood showed, also one that ended before its time."""

    wanted_s: float
    seconds: list[Second]
    failed: int
    """Orders of healthy routers and cancels that were refused or not answered."""
    ended: str
    """Why it ended before its time; empty if it did not."""


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
        flooded = flood(target, duration)
    results.mkdir(parents=True, exist_ok=True)
    picture.latency(flooded.seconds, results / "flood-latency.svg")
    picture.memory(flooded.seconds, results / "flood-memory.svg")
    return Document(
        method={"gateway, long flood": [*METHOD, settings.journal_mode]},
        bars=bars(flooded),
        tables=[_table(flooded.seconds)],
    )


def flood(target: Target, duration: float) -> Flooded:
    """Flood a gateway for so long, or until a session or the gateway ends.

    Raises:
        BenchError: It ended in its first second: there is nothing to show.
    """
    settle(target, ROUTERS, duration / 60)
    rest(target, int(CANCEL_RATE * duration))
    trading, cancelling, flooding = floods = tuple(make(target, duration) for make in (healthy, cancels, runaway))
    for one in floods:
        one.start()
    started = time.monotonic()
    seconds: list[Second] = []
    ended = ""
    try:
        while not trading.wait(max(1, int((started + len(seconds) + 1 - time.monotonic()) * 1_000))):
            for one in floods:
                check(one, f"the long flood, after {time.monotonic() - started:.0f} s")
            seconds.append(_second(target, trading, cancelling, flooding, time.monotonic() - started))
        for one in floods:
            finish(target, one, "the end of the long flood")
    except BenchError as error:
        if not seconds:
            raise
        ended = f"{error}; the gateway's last words: {target.last_words()}"
        for one in floods:
            one.stop()
    reports = [one.report() for one in (trading, cancelling)]
    failed = sum(one["rejected"] + one["unanswered"] + (0 if ended else one["unsent"]) for one in reports)
    return Flooded(duration, seconds, failed, ended)


def _second(
    target: Target, trading: riskcore.Flood, cancelling: riskcore.Flood, flooding: riskcore.Flood, at_s: float
) -> Second:
    orders, cancelled = trading.recent(), cancelling.recent()
    times = orders["latency_ns"]
    return Second(
        at_s=at_s,
        p50_us=times["p50"] / 1_000,
        p99_us=times["p99"] / 1_000,
        max_us=times["max"] / 1_000,
        cancel_p99_us=cancelled["latency_ns"]["p99"] / 1_000,
        lag_p99_us=orders["lag_ns"]["p99"] / 1_000,
        refused=flooding.recent()["rejected"],
        resident_mib=target.resident_kib() / 1_024,
    )


def bars(flooded: Flooded) -> list[Bar]:
    """What must hold; of a flood that ended before its time too, with the reason."""
    seconds = flooded.seconds
    missing = flooded.wanted_s - seconds[-1].at_s if flooded.ended else 0
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
            Measured("the whole flood", [flooded.failed]),
            most=0,
            unit="orders",
        ),
        absolute(
            "seconds of the long flood that are missing because it ended early",
            Measured(flooded.ended or "the whole flood", [missing]),
            most=0,
            unit="s",
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
