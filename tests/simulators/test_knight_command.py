"""``riskgate replay knight``: the card, the JSON, the picture, and wrong arguments."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CONTROLLED = {
    "variant",
    "check",
    "halted_scope",
    "culprit",
    "named_by",
    "warning_ms",
    "red_at_open",
    "gate",
    "first_excess_ms",
    "excess_to_culprit_ms",
    "first_reject_ms",
    "halt_ms",
    "executions_until_halt",
    "leaked_executions",
    "leaked_shares",
    "loss_usd",
    "healthy_orders",
    "healthy_rejected",
    "cancels_outstanding",
    "rollback_refused",
}
UNCONTROLLED = {
    "executions",
    "shares",
    "symbols",
    "long_symbols",
    "short_symbols",
    "net_long_usd",
    "net_short_usd",
    "loss_usd",
}


def riskgate(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", "replay", "knight", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], bytes]:
    """Twenty seconds of S1 as JSON, with a picture."""
    picture = tmp_path_factory.mktemp("replay") / "morning.png"
    done = riskgate("--until", "20s", "--output", "json", "--picture", str(picture))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), picture.read_bytes()


def test_json_has_the_documented_keys(answer: tuple[dict[str, Any], bytes], root: Path) -> None:
    document, _ = answer
    page = (root / "docs/reference/replay.md").read_text()

    assert set(document["uncontrolled"]) == UNCONTROLLED
    assert set(document["controlled"]) == CONTROLLED
    missing = [key for key in UNCONTROLLED | CONTROLLED if f".{key}`" not in page]
    assert not missing, f"describe {missing} in docs/reference/replay.md"


def test_json_says_who_when_and_why(answer: tuple[dict[str, Any], bytes]) -> None:
    controlled = answer[0]["controlled"]

    assert controlled["check"] == "parent_overfill"
    assert controlled["halted_scope"] == "router:smars-8"
    assert controlled["culprit"] == "smars-8"
    assert 5 < controlled["first_reject_ms"] < controlled["halt_ms"] < 50
    assert (controlled["leaked_shares"], controlled["loss_usd"]) == (0, 0)
    assert (controlled["healthy_rejected"], controlled["cancels_outstanding"]) == (0, 0)
    assert 0 < controlled["excess_to_culprit_ms"] < 1_000
    assert controlled["named_by"] == "halt"


def test_json_says_what_was_known_before_the_open(answer: tuple[dict[str, Any], bytes]) -> None:
    document = answer[0]
    controlled = document["controlled"]
    findings = [finding for finding in document["details"]["findings"] if finding["at_ms"] < 0]

    assert (document["quarantine"], document["readiness_gate"]) == (True, False)
    assert -5_340_000 <= controlled["warning_ms"] < -5_339_000
    assert (controlled["red_at_open"], controlled["gate"]) == (["parity", "findings"], None)
    assert [(f["what"], f["router"], f["occurrences"]) for f in findings] == [("Power Peg disabled", "smars-8", 97)]
    assert controlled["rollback_refused"] is None


def test_picture_is_a_png(answer: tuple[dict[str, Any], bytes]) -> None:
    assert answer[1].startswith(b"\x89PNG")
    assert len(answer[1]) > 20_000


def test_card_names_the_culprit_and_the_line(tmp_path: Path) -> None:
    picture = tmp_path / "morning.svg"
    done = riskgate("--until", "5s", "--variant", "S5", "--picture", str(picture))

    assert done.returncode == 0, done.stderr
    assert "message_rate" in done.stdout
    assert "first excess to culprit" in done.stdout
    assert "one loud finding, 08:01:00" in done.stdout
    assert "no gate, so trade went on" in done.stdout
    assert "smars-8" in done.stdout
    assert "Power Peg disabled" in done.stdout
    assert picture.read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--without", "hope"), "unknown line of defence hope"),
        (("--until", "soon"), "is not a duration"),
        (("--picture", "morning.gif"), ".png or .svg"),
        (("--picture", "nowhere/morning.png"), "no such directory"),
        (("--override-after", "1m"), "add --readiness-gate"),
        (("--override-after", "soon", "--readiness-gate"), "--override-after: "),
        (("--override-after", "9s", "--readiness-gate", "--until", "9s"), "the replay ends before"),
    ],
)
def test_wrong_value_is_refused_before_anything_runs(arguments: tuple[str, ...], said: str) -> None:
    done = riskgate(*arguments)

    assert done.returncode == 64
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_gate_and_its_override_are_told_on_the_card() -> None:
    held = riskgate("--readiness-gate", "--until", "2s")
    overridden = riskgate("--readiness-gate", "--override-after", "1s", "--no-quarantine", "--until", "2s")

    assert "The gate at the open held the firm: 0 shares leaked" in held.stdout, held.stderr
    assert "the gate held until two people overrode it, 09:30:01" in overridden.stdout, overridden.stderr


def test_unknown_variant_is_wrong_usage() -> None:
    assert riskgate("--variant", "S7").returncode == 2
