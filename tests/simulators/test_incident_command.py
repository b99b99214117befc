"""``riskgate replay goldman``, ``everbright`` and ``citi``: the card, the JSON, and wrong arguments."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

CONTROLLED = {
    "check",
    "halted_scope",
    "culprit",
    "named_by",
    "first_excess_ms",
    "first_reject_ms",
    "halt_ms",
    "excess_to_culprit_ms",
    "orders_until_halt",
    "sent_orders",
    "leaked_orders",
    "leaked_qty",
    "leaked_notional",
    "loss",
    "healthy_orders",
    "healthy_rejected",
    "cancels_outstanding",
}
UNCONTROLLED = {
    "orders",
    "notional_sent",
    "executed_orders",
    "executed_qty",
    "executed_notional",
    "symbols",
    "loss",
}


def riskgate(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", "replay", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("incident", "culprit", "check"),
    [
        ("goldman", "options-i-k", "rate_limit"),
        ("everbright", "etf-1", "acknowledgement_overdue"),
        ("citi", "basket-1", "notional_velocity"),
    ],
)
def test_json_has_the_documented_keys_and_names_the_culprit(
    incident: str, culprit: str, check: str, root: Path
) -> None:
    done = riskgate(incident, "--until", "3s", "--output", "json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    page = (root / "docs/reference/replay.md").read_text()

    assert document["incident"] == incident
    assert set(document["uncontrolled"]) == UNCONTROLLED
    assert set(document["controlled"]) == CONTROLLED
    assert (document["controlled"]["culprit"], document["controlled"]["check"]) == (culprit, check)
    assert document["controlled"]["excess_to_culprit_ms"] < 1_000
    assert document["controlled"]["healthy_rejected"] == 0
    missing = [key for key in UNCONTROLLED | CONTROLLED if f"`{key}`" not in page]
    assert not missing, f"describe {missing} in docs/reference/replay.md"


@pytest.mark.parametrize(
    ("incident", "line"), [("goldman", "price_collar"), ("everbright", "open_orders"), ("citi", "turnover")]
)
def test_card_and_ladder_name_the_lines(incident: str, line: str) -> None:
    done = riskgate(incident, "--ladder")

    assert done.returncode == 0, done.stderr
    assert line in done.stdout
    assert "known figures are met" in done.stdout
    assert "first excess to culprit" in done.stdout
    assert "the next line catches" in done.stdout


def test_line_of_another_incident_is_refused_before_anything_runs() -> None:
    done = riskgate("goldman", "--without", "parent_overfill")

    assert done.returncode == 64
    assert "unknown line of defence parent_overfill" in done.stderr
    assert len(done.stderr.splitlines()) == 1
