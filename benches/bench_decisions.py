"""One decision of the core, in Rust: what each kind costs, beside other libraries, and in instructions.

Goal: accepts, every refusal there is, reports and cancels, with every check on, against few and many open orders, symbols
and routers; beside openpit and governor in the same run; what it allocates and what memory it takes.
Not in it: Python, gRPC, records, other threads. Time says how fast, on this machine and today; instructions say whether it
changed, and `--guard` holds them against `benches/core/instructions.json` (within 5 %; written anew with `--record`).
Needs cargo; instructions also need valgrind, and are skipped, with a word, where it is missing.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypedDict

from benches import cargo, instructions
from benches.bars import Bar, Cells, Document, Measured, Table, absolute, bar, histogram, percentile, report

MIB: Final = 1 << 20
MOST_FOR_A_MILLION: Final = 512 * MIB
ALL_ON: Final = "every limit of the catalogue at firm, account, router and symbol, every rule in force"
METHOD: Final = (
    "Each event is timed by itself; the reading of the clock is in every figure, ours and theirs, and is the row `clock`.",
    "All rows of a round are measured in turn, then the next round begins; the first round warms up and is not counted.",
    "Orders are made before the clock starts. Buys and short sales alternate; quantities differ; one every 2 ms of virtual time.",
    f"riskcore: {ALL_ON} (benches/core/src/firm.rs); an accept includes order id, order table and all reserved amounts.",
    "`no check at all` is the floor: what keeping an order costs on this machine, whatever is decided (benches/peers/src/floor.rs).",
    "openpit and governor read the real clock themselves, riskcore is given the time: that is part of what each of them does.",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    rounds: int
    batch: int
    orders: tuple[int, ...]
    symbols: tuple[int, ...]
    routers: tuple[int, ...]
    quick: bool = False


FULL: Final = Size(30, 2_000, (1, 100_000, 1_000_000), (1, 10_000), (1, 1_000))
QUICK: Final = Size(2, 100, (1, 1_000), (1, 100), (1, 10), quick=True)


class Row(TypedDict):
    """What `riskcore-bench time` prints of a case."""

    case: str
    limits: str
    orders: int
    symbols: int
    routers: int
    rounds: list[int]
    counts: list[tuple[int, int]]


class Peer(TypedDict):
    """What `riskcore-peers` prints of a side."""

    name: str
    ran: str
    rounds: list[int]
    counts: list[tuple[int, int]]


def times(bench: Path, size: Size, cases: str | None) -> list[Row]:
    """Every case of every world."""
    arguments = ["time", "--rounds", str(size.rounds), "--batch", str(size.batch)]
    for name in ("orders", "symbols", "routers"):
        arguments += [f"--{name}", ",".join(map(str, getattr(size, name)))]
    rows: list[Row] = cargo.run(bench, *arguments, *(["--cases", cases] if cases else []))
    return rows


def case_table(rows: Sequence[Row]) -> Table:
    """Percentiles of every row."""
    columns = ["case", "limits at", "open", "symbols", "routers", "p50", "p90", "p99", "p99.9", "p50 of rounds"]
    cells: Cells = [
        [
            row["case"],
            {"usual": "4 scopes", "everywhere": "7 scopes"}.get(row["limits"], "-"),
            *(row["orders"], row["symbols"], row["routers"]),
            *(percentile(row["counts"], q) for q in (0.5, 0.9, 0.99, 0.999)),
            f"{min(row['rounds']):,} to {max(row['rounds']):,}",
        ]
        for row in rows
    ]
    return Table("Decisions of the core in Rust, nanoseconds", columns, cells)


def size_bars(rows: Sequence[Row], size: Size) -> list[Bar]:
    """Accepts against the size of the world, and refusals against accepts."""
    accepts = [row for row in rows if row["case"] == "accept" and row["limits"] == "usual"]
    one = accepts[0]

    def against_one(name: str, value: int) -> Bar:
        large = next(row for row in accepts if row[name] == value)  # type: ignore[literal-required]
        ours = Measured(f"accept with {large['orders']:,} open orders, {large['symbols']:,} symbols", large["rounds"])
        theirs = Measured(f"accept with {one['orders']:,} open order, {one['symbols']:,} symbol", one["rounds"])
        title = {"orders": f"{value:,} open orders against one", "symbols": f"{value:,} symbols against one"}[name]
        return bar(title, ours, theirs, bound=1.5)

    refusals = [row for row in rows if row["case"].startswith("reject: ")]

    def against_accepts(row: Row) -> Bar:
        ran = f"the slowest of {len(refusals)} kinds: {row['case'].removeprefix('reject: ')}"
        return bar(
            "refusals against accepts", Measured(ran, row["rounds"]), Measured("accept", one["rounds"]), bound=1.0
        )

    slowest = max(map(against_accepts, refusals), key=lambda found: found.ratio.median)
    return [slowest, against_one("orders", size.orders[-1]), against_one("symbols", size.symbols[-1])]


def peers(size: Size) -> tuple[list[Bar], Table, list[Peer]]:
    """The core beside other libraries, in one process and in turn."""
    program = cargo.build("peers", "riskcore-peers", quick=size.quick)
    found: list[Peer] = cargo.run(program, "--rounds", str(size.rounds), "--batch", str(size.batch))
    side = {peer["name"]: Measured(peer["ran"], peer["rounds"]) for peer in found}
    ours = side["riskcore"]
    bars = [
        bar("core against openpit, four policies", ours, side["openpit, four policies"], bound=0.5),
        bar("core against openpit, spot funds", ours, side["openpit, spot funds and position limit"], bound=0.15),
    ]
    columns = ["library", "p50", "p90", "p99", "p99.9", "what it ran"]
    cells: Cells = [
        [peer["name"], *(percentile(peer["counts"], q) for q in (0.5, 0.9, 0.99, 0.999)), peer["ran"]] for peer in found
    ]
    return bars, Table("One order through each library in Rust, nanoseconds", columns, cells), found


def allocations(program: Path) -> Bar:
    """Allocations of a decision once the tables are warm."""
    found = [json.loads(line) for line in cargo.printed(program).splitlines()]
    worst = max(found, key=lambda case: case["allocations"])
    ran = f"a counting allocator over {len(found)} kinds of event of {worst['events']:,} each; worst: {worst['case']}"
    return absolute(
        "allocations per decision", Measured(ran, [worst["allocations"] / worst["events"]]), most=0, unit="allocations"
    )


def memory(bench: Path, size: Size) -> tuple[Bar, Table]:
    """What an engine takes, by what it holds."""
    orders, symbols, routers = size.orders[-1], size.symbols[-1], size.routers[-1]

    def resident(**large: int) -> int:
        arguments = [part for name, value in large.items() for part in (f"--{name}", str(value))]
        return int(cargo.run(bench, "memory", *arguments)["resident_bytes"])

    empty, many = resident(), resident(orders=orders)
    rows: Cells = [
        ["an engine with one of each", empty, "all of it"],
        ["an open order", round((many - empty) / (orders - 1)), f"with {orders:,} of them"],
        ["a symbol", round((resident(symbols=symbols) - empty) / (symbols - 1)), f"with {symbols:,} of them"],
        ["a router", round((resident(routers=routers) - empty) / (routers - 1)), f"with {routers:,} of them"],
    ]
    ran = f"resident memory of a process with an engine with {orders:,} open orders, every limit set"
    found = absolute("memory of a million open orders", Measured(ran, [many]), most=MOST_FOR_A_MILLION, unit="bytes")
    return found, Table("Memory of the core, bytes", ["what", "bytes", "measured"], rows)


def measure(size: Size, cases: str | None) -> Document:
    """Everything but the instructions."""
    bench = cargo.build("core", "riskcore-bench", quick=size.quick)
    rows = times(bench, size, cases)
    if cases:
        return Document({"core in Rust": METHOD}, tables=[case_table(rows)])
    peer_bars, peer_table, sides = peers(size)
    memory_bar, memory_table = memory(bench, size)
    first = [row for row in rows if row["case"] in {"accept", "reject: price_collar_bps", "fill"}]
    drawn = [
        *(histogram(f"one order through {peer['name']}", "ns", peer["counts"]) for peer in sides),
        *(
            histogram(
                f"{row['case']}, {row['orders']:,} open, {row['symbols']:,} symbols, {row['limits']}",
                "ns",
                row["counts"],
            )
            for row in first
        ),
    ]
    return Document(
        {"core in Rust": METHOD},
        [*peer_bars, *size_bars(rows, size), allocations(bench.with_name("riskcore-allocations")), memory_bar],
        [peer_table, case_table(rows), memory_table],
        drawn,
    )


def instruction_table(counted: dict[str, int]) -> Table:
    """Instructions of each case."""
    rows: Cells = [[case, count] for case, count in counted.items()]
    return Table("Instructions of a decision", ["case", "instructions"], rows)


def main() -> int:
    """Time, compare, then count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, help="repetitions of everything")
    parser.add_argument("--quick", action="store_true", help="small: shows that it runs, its figures say nothing")
    parser.add_argument("--cases", help="only these cases of the core, with commas between, and no other library")
    parser.add_argument("--guard", action="store_true", help="only the instructions, against the baseline")
    parser.add_argument("--record", action="store_true", help="write the baseline anew")
    parser.add_argument("--output", choices=("table", "json"), default="table")
    given = parser.parse_args()
    if not given.guard:
        size = QUICK if given.quick else FULL
        document = measure(dataclasses.replace(size, rounds=given.rounds or size.rounds), given.cases)
    else:
        document = Document({})
    counted: dict[str, int] = {}
    if tool := instructions.missing_tool():
        document = dataclasses.replace(document, skipped=[f"instructions: {tool} is not installed"])
    elif not given.quick:
        counted = instructions.count(cargo.build("core", "riskcore-bench"))
        document = dataclasses.replace(document, tables=[*document.tables, instruction_table(counted)])
    if given.record and counted:
        instructions.record(counted)
    if given.guard:
        return instructions.guard(counted) if counted else report(document, "table")
    return report(document, given.output)


if __name__ == "__main__":
    sys.exit(main())
