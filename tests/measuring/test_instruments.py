"""The benches themselves run: what they find is not asserted, that they find it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benches import environments
from benches.bars import Document

# The first run builds the benches' crates.
pytestmark = pytest.mark.timeout(900)


def quick(root: Path, script: str) -> Document:
    command = [sys.executable, str(root / "benches" / script), "--quick", "--output", "json"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    return Document.from_json(done.stdout)


def test_core(root: Path) -> None:
    found = quick(root, "bench_decisions.py")
    bars = {bar.name: bar.ratio for bar in found.bars}

    assert len(bars) == 7
    assert bars["allocations per decision"].holds
    assert all(ratio.median > 0 for name, ratio in bars.items() if name != "allocations per decision")
    cases = {row[0] for table in found.tables for row in table.rows}
    assert {"accept", "reject: max_order_qty", "governor", "an open order"} <= cases


def test_embedding_runs_with_the_peers_that_are_there_and_names_the_others(root: Path) -> None:
    found = quick(root, "bench_embedding.py")
    here = [peer for peer in ("openpit", "nautilus") if environments.is_built(peer)]

    rows = [str(row[0]) for row in found.tables[0].rows]
    assert {"riskcore, flat call", "riskcore, packed batch"} <= set(rows)
    assert len(found.bars) == (3 if "openpit" in here else 0)
    assert len(found.skipped) == 2 - len(here)


@pytest.mark.parametrize(("script", "rows"), [("bench_journal.py", 3), ("bench_recovery.py", 2)])
def test_records(root: Path, script: str, rows: int) -> None:
    assert [len(table.rows) for table in quick(root, script).tables] == [rows]
