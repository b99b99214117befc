"""Instructions of a script's turn are those between its two looks at the clock."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benches import instructions

ORDERS = 1_000
SCRIPT = """
import sys, time

for line in sys.stdin:
    orders = int(line.split()[-1])
    sum(range(100 * orders))
    time.thread_time_ns()
    sum(range({work} * orders))
    time.thread_time_ns()
    sum(range(100 * orders))
"""
"""A side that does ten times as much before and after it is timed."""


@pytest.mark.skipif(instructions.missing_tool() is not None, reason="valgrind is not installed")
def test_what_is_not_timed_is_not_counted(tmp_path: Path) -> None:
    counted = []
    for work in (10, 20):
        script = tmp_path / f"side{work}.py"
        script.write_text(SCRIPT.format(work=work))
        counted.append(instructions.count_timed((sys.executable, str(script)), "side", ORDERS))
    less, more = counted
    if less is None or more is None:
        pytest.skip("this interpreter has no names of its functions")

    assert more / less == pytest.approx(2, rel=0.05)
