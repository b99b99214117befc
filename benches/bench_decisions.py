"""One decision of the core, in Rust: what each kind costs, in nanoseconds and in instructions.

Goal: accepts, refusals by check, reports and cancels, with every check on, against few and many open orders and instruments.
Not in it: Python, gRPC, records, other threads. Time says how fast, on this machine and today; instructions say whether it
changed, and `--guard` holds them against `benches/core/instructions.json` (within 5 %; written anew with `--record`).
Needs cargo; instructions also need valgrind, and are skipped, with a word, where it is missing.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from benches import cargo

HERE: Final = Path(__file__).resolve().parent
CRATE: Final = HERE / "core"
BASELINE: Final = CRATE / "instructions.json"
TOLERANCE: Final = 0.05
EVENTS: Final = 1_000
"""Events of a case in `riskcore-bench count`."""

TOTAL = re.compile(r"^ *([\d,]+) .*count\.rs:riskcore_bench::count::measured::(\w+)", re.MULTILINE)
LARGE: Final = "100000,1000000"


def missing_tool() -> str | None:
    """The tool that counting needs and that is not there."""
    return next((tool for tool in ("valgrind", "callgrind_annotate") if shutil.which(tool) is None), None)


def count(bench: Path) -> dict[str, int]:
    """Instructions per event of each case, all that it calls included."""
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "profile"
        command = ["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={profile}"]
        command += ["--toggle-collect=riskcore_bench::count::measured::*", str(bench), "count"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        annotate = ["callgrind_annotate", "--inclusive=yes", "--threshold=100", str(profile)]
        text = subprocess.run(annotate, check=True, capture_output=True, text=True).stdout
    return {case: int(total.replace(",", "")) // EVENTS for total, case in TOTAL.findall(text)}


def changes(baseline: dict[str, int], counted: dict[str, int]) -> list[str]:
    """What is not as the baseline says, in words."""
    found = []
    for case in sorted(baseline.keys() | counted.keys()):
        old, new = baseline.get(case), counted.get(case)
        if old is None or new is None:
            found.append(f"{case}: {'not in the baseline' if old is None else 'not counted any more'}")
        elif abs(new - old) > old * TOLERANCE:
            found.append(f"{case}: {old} instructions became {new} ({new / old - 1:+.1%})")
    return found


def guard(counted: dict[str, int]) -> int:
    """Whether decisions cost what they did. Fewer instructions are a change too: the baseline would hide the next one."""
    found = changes(json.loads(BASELINE.read_text()), counted)
    for line in found:
        print(f"bench_decisions: {line}")
    if found:
        print(
            f"  {BASELINE.relative_to(HERE.parent)}: write it anew with `--guard --record` if that is meant, and say why"
        )
    else:
        print(f"{len(counted)} kinds of decision cost what they did, within {TOLERANCE:.0%}")
    return 1 if found else 0


def table(rows: list[dict[str, str | int]]) -> None:
    """The figures, for people."""
    print(
        f"{'ns, clock included':20} {'limits':>10} {'open':>9} {'symbols':>7} {'routers':>7} {'p50':>7} {'p90':>7} {'p99':>7}  p50 of rounds"
    )
    for row in rows:
        print(
            f"{row['case']:20} {row['limits']:>10} {row['orders']:>9,} {row['symbols']:>7,} {row['routers']:>7,} {row['p50']:>7,} {row['p90']:>7,}"
            f" {row['p99']:>7,}  {row['median_min']:,} to {row['median_max']:,}"
        )


def main() -> int:
    """Time, then count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--large", action="store_true", help="also with 100,000 and 1,000,000 open orders (1 GiB)")
    parser.add_argument("--cases", help="only these, with commas between")
    parser.add_argument("--guard", action="store_true", help="only the instructions, against the baseline")
    parser.add_argument("--record", action="store_true", help="write the baseline anew")
    parser.add_argument("--output", choices=("table", "json"), default="table")
    given = parser.parse_args()
    bench = cargo.build("core", "riskcore-bench")

    timed: list[dict[str, str | int]] = []
    if not given.guard:
        command = [str(bench), "time", "--rounds", str(given.rounds), "--orders", f"1,{LARGE}" if given.large else "1"]
        command += ["--cases", given.cases] if given.cases else []
        timed = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        if given.output == "table":
            table(timed)
    if tool := missing_tool():
        print(f"bench_decisions: SKIPPED: counting instructions needs {tool}, which is not installed", file=sys.stderr)
        counted = {}
    else:
        counted = count(bench)
    if given.output == "json":
        print(json.dumps({"ns": timed, "instructions": counted}, indent=1))
    elif not given.guard:
        for case, instructions in counted.items():
            print(f"{case:20} {instructions:>7,} instructions")
    if counted and given.record:
        BASELINE.write_text(json.dumps(dict(sorted(counted.items())), indent=1) + "\n")
    return guard(counted) if counted and given.guard else 0


if __name__ == "__main__":
    sys.exit(main())
