"""The programs on the page about embedding run, and print what the page says."""

from __future__ import annotations

import re

import pytest

from tests.support import ROOT

PAGE = ROOT / "docs/reference/embedding.md"


def test_programs_of_the_page_run(capsys: pytest.CaptureFixture[str]) -> None:
    programs = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {}

    for program in programs:
        exec(compile(program, PAGE.name, "exec"), names)  # noqa: S102 - our own documentation

    printed = capsys.readouterr().out
    assert "name='MAX_ORDER_QTY', scope='symbol:AAPL', limit=5000, value=6000" in printed
    verdicts = names["verdicts"]
    assert isinstance(verdicts, list)
    assert len(verdicts) == 10
    assert all(verdict > 0 for verdict in verdicts)
