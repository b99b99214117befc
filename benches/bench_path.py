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
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from benches import facts
from benches.gateway.sending import ROUTERS, Figures, Load, measure
from benches.gateway.targets import tonic_proxy
from benches.stage import BenchError, Target, gateway, venue_stub

SESSIONS: Final = (1, 8)
TARGETS: Final = ("stub", "proxy", "gateway")
MOST_A_SECOND: Final = 800_000
"""Orders that all loads together can get through in a second each: what a gateway's tables must hold. Not more, because
the first touch of a page of a large table costs as much as a check."""


LOADS: Final = (
    Load("ping", 0),
    Load("paced", 20_000),
    Load("flood", 200_000),
    Load("full", 1_000_000, burst=8, cut=True),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    """One measurement."""

    target: str
    sessions: int
    load: str
    figures: Figures


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
                "proxy": lambda _: tonic_proxy(venue),
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
        print(
            json.dumps({"machine": facts.machine(), "seconds": seconds, "runs": [dataclasses.asdict(r) for r in runs]})
        )
    else:
        print(_table(runs, loads, targets, rounds, seconds))


def _measure(target: Target, loads: Sequence[Load], sessions: int, seconds: float) -> list[Run]:
    return [Run(target.name, sessions, load.name, measure(target, load, sessions, seconds)) for load in loads]


def _table(runs: Sequence[Run], loads: Sequence[Load], targets: Sequence[str], rounds: int, seconds: float) -> str:
    head = f"{'load':7}{'sessions':>9} {'target':8}{'orders/s':>32}{'p50 us':>30}{'p99 us':>34}{'cpu us/order':>14}"
    lines = [f"{rounds} rounds of {seconds} s, {os.cpu_count()} processors: median (least - greatest)", head]
    for load in loads:
        for sessions in SESSIONS:
            for target in targets:
                group = [r for r in runs if (r.load, r.sessions, r.target) == (load.name, sessions, target)]
                lines.append(_row(load, sessions, target, group))
    wrong = [
        f"  {r.target}, {r.load}, {r.sessions} sessions: {r.figures.unanswered} unanswered, rejected {r.figures.rejected}"
        for r in runs
        if r.figures.unanswered or r.figures.rejected
    ]
    return "\n".join(lines + (["not every order was filled:", *wrong] if wrong else []))


def _row(load: Load, sessions: int, target: str, group: Sequence[Run]) -> str:
    rates = _spread([run.figures.throughput for run in group])
    p50 = _spread([run.figures.p50_us for run in group]) if not load.cut else "-"
    p99 = _spread([run.figures.p99_us for run in group]) if not load.cut else "-"
    cpu = statistics.median(run.figures.cpu_us_per_order for run in group)
    return f"{load.name:7}{sessions:>9} {target:8}{rates:>32}{p50:>30}{p99:>34}{cpu:>14.2f}"


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):,.0f} ({min(values):,.0f} - {max(values):,.0f})"


if __name__ == "__main__":
    typer.run(main)
