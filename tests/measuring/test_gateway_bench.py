"""The end-to-end bench still runs, and what does not depend on the machine holds. Its baselines on cargo are not built."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benches.bars import Document
from tests.support import ROOT

EXACT = {
    "orders of healthy routers refused or unanswered",
    "cancels refused or unanswered",
    "orders between the one that breaks the limit and the halt",
    "orders of the runaway at the venue after its halt",
    "orders beyond capacity not answered, or not with GATEWAY_BUSY",
}


@pytest.mark.timeout(180)
def test_every_case_runs_and_the_bars_that_count_orders_hold() -> None:
    command = [sys.executable, "benches/bench_gateway.py", "--quick", "--output", "json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    document = Document.from_json(done.stdout)
    bars = {bar.name: bar.ratio for bar in document.bars}
    assert {name for name in EXACT if bars[name].holds} == EXACT
    assert len(bars) > len(EXACT)
    assert document.skipped, "a quick run says what it left out"
    for table in document.tables:
        assert all(len(row) == len(table.columns) for row in table.rows), table.title
