"""What it costs an order to be recorded: a decision without a record, with one in memory, and with a copy in a file.

Goal: nanoseconds of an accepted order, every check on, as the gateway's loop does it: decide, encode, append. Not in it:
gRPC, a disk that must have it (the file is a copy that nothing waits for; another thread writes it).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from typing import Final

from benches import cargo
from benches.bars import Cells, Document, Table, histogram, percentile, report

METHOD: Final = (
    "One accepted order is timed by itself, its record included; every check is on, as in `core in Rust`.",
    "The three ways take turns; the first round warms up. After each round the file is flushed, outside of the times.",
)
WHERE: Final = {"off": "nowhere", "memory": "a ring in memory", "file": "the ring and a file"}


def measure(rounds: int, batch: int, *, quick: bool) -> Document:
    """All three ways, in turn."""
    program = cargo.build("records", "riskcore-records", quick=quick)
    with tempfile.TemporaryDirectory() as directory:
        arguments = ("--rounds", str(rounds), "--batch", str(batch))
        found = cargo.run(program, "write", "--directory", directory, *arguments)
    shares = (0.5, 0.9, 0.99, 0.999)
    rows: Cells = [[WHERE[side["records"]], *(percentile(side["counts"], share) for share in shares)] for side in found]
    table = Table(
        "An accepted order and its record, nanoseconds", ["records go to", "p50", "p90", "p99", "p99.9"], rows
    )
    drawn = [histogram(f"an order, records to {WHERE[side['records']]}", "ns", side["counts"]) for side in found]
    return Document({"journal": METHOD}, tables=[table], histograms=drawn)


def main() -> int:
    """Run all ways."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--quick", action="store_true", help="small: shows that it runs, its figures say nothing")
    parser.add_argument("--output", choices=("table", "json"), default="table")
    given = parser.parse_args()
    rounds, batch = (2, 100) if given.quick else (given.rounds, 2_000)
    return report(measure(rounds, batch, quick=given.quick), given.output)


if __name__ == "__main__":
    sys.exit(main())
