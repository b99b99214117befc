"""Instructions of each kind of decision, and whether they are what they were: time cannot say that on a shared machine.

And those of an order embedded in Python, of each library.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benches.cargo import HERE

BASELINE: Final = HERE / "core" / "instructions.json"
TOLERANCE: Final = 0.05
EVENTS: Final = 1_000
"""Events of a case in `riskcore-bench count`."""

CLOCK: Final = "time_thread_time_ns"
"""The interpreter's function with which a script of `peers/` begins and ends what it times."""
TURNS: Final = 2
"""Turns of a side that is counted: the first warms up."""

TOTAL = re.compile(r"^ *([\d,]+) .*count\.rs:riskcore_bench::count::measured::(\w+)", re.MULTILINE)


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


def count_timed(command: Sequence[str], side: str, orders: int) -> float | None:
    """Instructions of an order of one side of `peers/`: of what its script times, and nothing else.

    None: the interpreter is one whose functions have no names.
    """
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "profile"
        valgrind = [
            "valgrind",
            "--quiet",
            "--tool=callgrind",
            f"--callgrind-out-file={profile}",
            f"--dump-before={CLOCK}",
        ]
        turns = f"{side} {orders}\n" * TURNS
        environment = os.environ | {"PYTHONHASHSEED": "0"}
        subprocess.run(
            [*valgrind, *command], input=turns, env=environment, check=True, stdout=subprocess.DEVNULL, text=True
        )
        dumps = sorted(profile.parent.glob("profile.*"), key=lambda dump: int(dump.suffix[1:]))
        if len(dumps) < 2 * TURNS:
            return None
        # The last dump was made when the clock was read for the last time: it is what came after the reading before.
        return int(re.findall(r"^totals: (\d+)", dumps[-1].read_text(), re.MULTILINE)[0]) / orders


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


def record(counted: dict[str, int]) -> None:
    """Writes the baseline anew."""
    BASELINE.write_text(json.dumps(dict(sorted(counted.items())), indent=1) + "\n")
