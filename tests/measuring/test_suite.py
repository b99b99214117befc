"""All benches together: what is written of them, and the verb that runs them."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from benches import page, picture, suite
from benches.bars import Document, Measured, Table, absolute, bar, histogram
from gateway.cli import bench as verb
from gateway.cli.bench import Target
from gateway.cli.errors import CliError

FOUND = Document(
    {"core": ["in turn"]},
    [
        bar("fast <enough>", Measured("a", [1, 2]), Measured("b", [2, 2]), bound=0.5),
        absolute("nothing", Measured("a", [0]), most=0, unit="allocations"),
    ],
    [Table("figures", ["case", "ns"], [[f"case {n}", n] for n in range(40)], "a note")],
    [histogram("times", "ns", [(100, 5), (200, 2), (9_000, 1)])],
    ["x: why not"],
)


def test_the_page_has_every_bar_and_says_what_it_leaves_to_the_report() -> None:
    text = page.markdown(FOUND)

    for expected in ("fast <enough>", "nothing", "x: why not", "16 more rows", "in turn", "a note"):
        assert expected in text


def test_the_report_needs_nothing_else_and_its_pictures_are_well_formed() -> None:
    text = picture.html(FOUND)

    assert "fast &lt;enough&gt;" in text
    assert "case 39" in text
    assert not any(word in text for word in ("<script", "src=", "@import", "url("))
    for drawing in (picture.bars(FOUND.bars), picture.histogram(FOUND.histograms[0])):
        ET.fromstring(drawing)  # noqa: S314 - our own


@pytest.mark.skipif(not suite.RESULT.exists(), reason="no result is committed yet")
def test_the_committed_page_and_report_are_of_the_committed_result() -> None:
    committed = Document.from_json(suite.RESULT.read_text())

    assert page.PAGE.read_text() == page.markdown(committed), "write it anew: `make bench`"
    assert suite.RESULT.with_suffix(".html").read_text() == picture.html(committed)


def test_the_verb_and_the_suite_know_the_same_targets() -> None:
    assert [target.value for target in Target] == list(suite.TARGETS)


def test_outside_of_a_checkout_the_verb_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verb, "CHECKOUT", tmp_path)

    with pytest.raises(CliError, match="run this in a checkout"):
        verb.bench(Target.CORE)


@pytest.mark.timeout(900)
def test_the_verb_runs_a_target(root: Path) -> None:
    command = [sys.executable, "-m", "gateway", "bench", "recovery", "--quick", "--output", "json"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)

    assert Document.from_json(done.stdout).method.keys() == {"recovery"}
