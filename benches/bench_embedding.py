"""One decision of the core, embedded in Python, beside other libraries, each in an environment of its own.

Goal: nanoseconds of processor time per order: `riskcore` by flat calls with fresh values and by packed batches of 64,
`openpit` with its order object built each time and with the same one, `nautilus_trader`'s risk engine. Where valgrind is
installed also the instructions of what a bar compares: they do not depend on what else the machine does. Not in it: gRPC,
records, other threads, making an order's values, packing a batch, building nautilus_trader's order.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import sys
from pathlib import Path
from typing import Final

from benches import instructions
from benches.bars import Bar, Cells, Document, Measured, Table, bar, report
from benches.environments import PeerError, Turn, build, is_built, python_of, turns

FLAT: Final = "riskcore, flat call"
PACKED: Final = "riskcore, packed batch"
BUILDING: Final = "openpit, building its order"
REUSING: Final = "openpit, re-using its order"
PEERS: Final = {"openpit": "openpit_side.py", "nautilus": "nautilus_side.py"}
BARS: Final = (
    ("Python flat call against openpit building its order", FLAT, BUILDING, 0.1),
    ("Python flat call against openpit re-using its order", FLAT, REUSING, 0.6),
    ("Python packed batch against openpit re-using its order", PACKED, REUSING, 0.3),
)
METHOD: Final = (
    "Each library runs in a process and an environment of its own, pinned with hashes; all have run before they are timed.",
    "A turn is a loop of so many orders, timed as one; the figure is its share of each order, the loop included.",
    "Time is processor time of the thread that decides, page faults included: each side runs in one thread and waits for nothing.",
    "The sides take turns within a round, so that what else the machine does falls on all of them.",
    "An order's values are made before the clock starts. riskcore's engine has mapped the memory of a day's orders, as a gateway has.",
)
COUNTED: Final = 1_024
"""Orders of a turn whose instructions are counted."""


def measure(rounds: int, orders: int, *, download: bool, counting: bool) -> Document:
    """All sides, in turn; then, if `counting`, what they execute."""
    skipped = []
    present = []
    for peer in PEERS:
        if download:
            build(peer)
        if is_built(peer):
            present.append(peer)
        else:
            skipped.append(f"{peer} embedded in Python: its environment is not built (`bench_embedding.py --download`)")
    sides = [("riskcore_side.py", Path(sys.executable)), *((PEERS[peer], python_of(peer)) for peer in present)]
    with turns(sides) as found:
        figures = ask(found, rounds, orders)
    ran = {name: turn.ran for name, turn in found.items()}
    measured = {name: Measured(ran[name], figures[name]) for name in figures}
    bars = [make(name, measured, ours, theirs, bound) for name, ours, theirs, bound in BARS if theirs in measured]
    rows: Cells = [[name, statistics.median(of), min(of), max(of), ran[name]] for name, of in figures.items()]
    columns = ["library", "median", "least", "greatest", "what it ran"]
    table = Table("One order, embedded in Python, nanoseconds of processor time", columns, rows)
    document = Document({"core in Python": METHOD}, bars, [table], skipped=skipped)
    if not counting:
        return document
    if tool := instructions.missing_tool():
        return dataclasses.replace(document, skipped=[*skipped, f"instructions in Python: {tool} is not installed"])
    return dataclasses.replace(document, tables=[table, count(found)])


def count(found: dict[str, Turn]) -> Table:
    """Instructions of an order of each side that a bar compares."""
    compared = [name for name in (FLAT, PACKED, BUILDING, REUSING) if name in found]
    rows: Cells = [[name, instructions.count_timed(found[name].command, name, COUNTED)] for name in compared]
    note = "What is timed, and nothing else; - where the interpreter has no names of its functions."
    return Table("One order, embedded in Python, instructions", ["library", "instructions"], rows, note)


def ask(found: dict[str, Turn], rounds: int, orders: int) -> dict[str, list[float]]:
    """Nanoseconds per order of every side, round by round; the first round warms up."""
    figures: dict[str, list[float]] = {name: [] for name in found}
    for number in range(rounds + 1):
        for name, turn in found.items():
            taken = turn.ask(name, orders)
            if number:
                figures[name].append(taken)
    return figures


def make(name: str, measured: dict[str, Measured], ours: str, theirs: str, bound: float) -> Bar:
    """One bar of two sides."""
    return bar(name, measured[ours], measured[theirs], bound=bound)


def main() -> int:
    """Run all sides."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--orders", type=int, default=4_000, help="of each turn")
    parser.add_argument("--quick", action="store_true", help="small: shows that it runs, its figures say nothing")
    parser.add_argument("--download", action="store_true", help="build the peers' environments that are not there")
    parser.add_argument("--output", choices=("table", "json"), default="table")
    given = parser.parse_args()
    rounds, orders = (2, 128) if given.quick else (given.rounds, given.orders)
    try:
        found = measure(rounds, orders, download=given.download, counting=not given.quick)
        return report(found, given.output)
    except PeerError as error:
        print(f"bench_embedding: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
