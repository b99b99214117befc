"""The order path: router to gateway to venue and back, beside router to venue, and beside a proxy that checks nothing.

Question: what does the gateway add, in latency and in capacity, with one session and with eight? All ways are walked
by the same generator (open loop, latency from the intended time) and end at the same venue stub, which fills each order
with one report. Three processes: generator, gateway or proxy, stub. The rounds alternate (A B C A B C), so that what
else the machine does falls on all; a figure is the median of its rounds, with the least and the greatest beside it.

Loads: `ping` one order in flight per session; `paced` a fixed rate far below capacity; `flood` 200,000 orders a second;
`full` more than can be taken, which says how many are (its latency is only the length of the queue and is left out).
"""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

import riskcore
from benches.gateway import tonic_proxy
from benches.stage import PRICE, BenchError, Target, gateway, parent, router_token, venue_stub

if TYPE_CHECKING:
    from riskcore import FloodReport

NANO: Final = 1_000_000_000
ROUTERS: Final = tuple(f"r{number}" for number in range(1, 9))
SESSIONS: Final = (1, 8)
TARGETS: Final = ("stub", "proxy", "gateway")
MOST_A_SECOND: Final = 800_000
"""Orders that all loads together can get through in a second each: what a gateway's tables must hold. Not more, because
the first touch of a page of a large table costs as much as a check."""


@dataclasses.dataclass(frozen=True, slots=True)
class Load:
    """One way to send."""

    name: str
    rate: int
    """All sessions together; 0 = one order in flight per session."""
    burst: int = 1
    latency: bool = True


LOADS: Final = (
    Load("ping", 0),
    Load("paced", 20_000),
    Load("flood", 200_000),
    Load("full", 1_000_000, burst=8, latency=False),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    """One measurement."""

    target: str
    sessions: int
    load: str
    throughput: int
    p50_us: float
    p99_us: float
    p999_us: float
    lag_p99_us: float
    """How far the generator itself was behind: a latency below this says nothing about the target."""
    sent: int
    unanswered: int
    rejected: dict[str, int]
    cpu_us_per_order: float
    """Processor time of the target's process for each answered order."""


def main(
    *,
    rounds: Annotated[int, typer.Option(min=1, help="Repetitions of everything.")] = 3,
    seconds: Annotated[float, typer.Option(min=0.1, help="Length of one measurement.")] = 1.0,
    load: Annotated[list[str] | None, typer.Option(help="Only these loads.")] = None,
    target: Annotated[list[str] | None, typer.Option(help="Only these targets.")] = None,
    journal: Annotated[bool, typer.Option("--journal", help="Let the gateway write its records to a file.")] = False,
    output: Annotated[Literal["table", "json"], typer.Option(help="Form of the result.")] = "table",
) -> None:
    """Measure the gateway path beside the venue stub alone and beside a bare proxy."""
    loads = [known for known in LOADS if not load or known.name in load]
    targets = [known for known in TARGETS if not target or known in target]
    runs: list[Run] = []
    room = max(int(seconds * MOST_A_SECOND), 1 << 20)
    try:
        with tempfile.TemporaryDirectory() as directory, venue_stub() as venue:
            ways: dict[str, Callable[[str], AbstractContextManager[Target]]] = {
                "stub": lambda _: nullcontext(venue),
                "proxy": lambda _: tonic_proxy.running(venue),
                "gateway": lambda place: gateway(
                    Path(directory) / place, venue, ROUTERS, max_orders=room, journal=journal
                ),
            }
            for number in range(rounds):
                for sessions in SESSIONS:
                    for name in targets:
                        with ways[name](f"bench-{number}-{sessions}") as way:
                            runs += _measure(way, loads, sessions, seconds)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        raise typer.Exit(1) from error
    if output == "json":
        print(json.dumps({"machine": _machine(), "seconds": seconds, "runs": [dataclasses.asdict(r) for r in runs]}))
    else:
        print(_table(runs, loads, targets, rounds, seconds))


def _measure(target: Target, loads: Sequence[Load], sessions: int, seconds: float) -> list[Run]:
    return [_one(target, load, sessions, seconds) for load in loads]


def _one(target: Target, load: Load, sessions: int, seconds: float) -> Run:
    lines = [
        riskcore.FloodLine(
            account="ACC1", symbol="AAPL", side=side, order_qty=1, price=PRICE, parent_cl_ord_id=parent(side)
        )
        for side in ("buy", "sell")
    ]
    flood = riskcore.Flood(
        target=target.address,
        venue_epoch=target.venue_epoch,
        sessions=[
            riskcore.FloodSession(
                router=router,
                token=router_token(router),
                lines=lines,
                rate=max(load.rate // sessions, 1),
                duration_ns=int(seconds * NANO),
                burst=load.burst,
                ping_pong=load.rate == 0,
            )
            for router in ROUTERS[:sessions]
        ],
        drain_timeout_ms=10_000,
    )
    before = target.cpu_s()
    flood.start()
    if load.name == "full":
        # More is due than can be taken: what is left when the time is up is not wanted any more.
        flood.wait(int(seconds * 1_000))
        flood.stop()
    while not flood.wait(200):
        pass
    report = flood.report()
    errors = [session["error"] for session in report["sessions"] if session["error"]]
    if errors:
        raise BenchError(f"{target.name}, {load.name}, {sessions} sessions: {errors[0]}")
    return _run(target, load, sessions, report, target.cpu_s() - before)


def _run(target: Target, load: Load, sessions: int, report: FloodReport, cpu_s: float) -> Run:
    times = report["latency_ns"]
    return Run(
        target=target.name,
        sessions=sessions,
        load=load.name,
        throughput=report["throughput"],
        p50_us=times["p50"] / 1_000,
        p99_us=times["p99"] / 1_000,
        p999_us=times["p99_9"] / 1_000,
        lag_p99_us=report["lag_ns"]["p99"] / 1_000,
        sent=report["sent"],
        unanswered=report["unanswered"],
        rejected=report["reject_reasons"],
        cpu_us_per_order=cpu_s * 1_000_000 / max(report["answered"], 1),
    )


def _machine() -> dict[str, object]:
    return {"cpus": os.cpu_count(), "machine": platform.machine(), "kernel": platform.release()}


def _table(runs: Sequence[Run], loads: Sequence[Load], targets: Sequence[str], rounds: int, seconds: float) -> str:
    head = f"{'load':7}{'sessions':>9} {'target':8}{'orders/s':>32}{'p50 us':>30}{'p99 us':>34}{'cpu us/order':>14}"
    lines = [f"{rounds} rounds of {seconds} s, {os.cpu_count()} processors: median (least - greatest)", head]
    for load in loads:
        for sessions in SESSIONS:
            for target in targets:
                group = [r for r in runs if (r.load, r.sessions, r.target) == (load.name, sessions, target)]
                lines.append(_row(load, sessions, target, group))
    wrong = [
        f"  {r.target}, {r.load}, {r.sessions} sessions: {r.unanswered} unanswered, rejected {r.rejected}"
        for r in runs
        if r.unanswered or r.rejected
    ]
    return "\n".join(lines + (["not every order was filled:", *wrong] if wrong else []))


def _row(load: Load, sessions: int, target: str, group: Sequence[Run]) -> str:
    rates = _spread([run.throughput for run in group])
    p50 = _spread([run.p50_us for run in group]) if load.latency else "-"
    p99 = _spread([run.p99_us for run in group]) if load.latency else "-"
    cpu = statistics.median(run.cpu_us_per_order for run in group)
    return f"{load.name:7}{sessions:>9} {target:8}{rates:>32}{p50:>30}{p99:>34}{cpu:>14.2f}"


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):,.0f} ({min(values):,.0f} - {max(values):,.0f})"


if __name__ == "__main__":
    typer.run(main)
