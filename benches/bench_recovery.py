"""How fast a file of records becomes an engine again: read, check, decode, decide, against the number of orders in it.

Goal: seconds and records a second for a file of so many resting orders; the replayed engine must have the recorded one's
state hash, and every decision must be the recorded one. Not in it: starting the process, reconciling with the venue.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from typing import Final

from benches import cargo
from benches.bars import Cells, Document, Table, report

METHOD: Final = (
    "Orders rest in 100 symbols of 8 routers, each acknowledged, every check on; the file has everything since the setup.",
    "A file is read so many times, the machine's cache warm; each reading ends with an engine of the same state hash.",
)
SECOND: Final = 1e9
MIB: Final = 1 << 20
FULL: Final = (1_000, 10_000, 100_000, 300_000)
QUICK: Final = (100, 1_000)


def measure(rounds: int, sizes: tuple[int, ...], *, quick: bool) -> Document:
    """Every size, so many times."""
    program = cargo.build("records", "riskcore-records", quick=quick)
    rows: Cells = []
    with tempfile.TemporaryDirectory() as directory:
        for orders in sizes:
            arguments = ("--rounds", str(rounds), "--orders", str(orders))
            found = cargo.run(program, "replay", "--directory", directory, *arguments)
            taken = statistics.median(found["rounds"])
            spread = f"{min(found['rounds']) / SECOND:.3f} to {max(found['rounds']) / SECOND:.3f}"
            rows.append(
                [
                    orders,
                    found["records"],
                    found["bytes"] / MIB,
                    taken / SECOND,
                    spread,
                    found["records"] * SECOND / taken,
                ]
            )
    columns = ["resting orders", "records", "MiB", "seconds", "least to greatest", "records/s"]
    return Document({"recovery": METHOD}, tables=[Table("A record file replayed", columns, rows)])


def main() -> int:
    """Run all sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="small: shows that it runs, its figures say nothing")
    parser.add_argument("--output", choices=("table", "json"), default="table")
    given = parser.parse_args()
    rounds, sizes = (2, QUICK) if given.quick else (given.rounds, FULL)
    return report(measure(rounds, sizes, quick=given.quick), given.output)


if __name__ == "__main__":
    sys.exit(main())
