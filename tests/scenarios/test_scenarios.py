"""Every scenario file, through a running gateway, with the verdicts of the engine.

The same files run on the engine in riskcore/core/tests/scenarios.rs.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.scenario.language import read
from tests.support.scenario.runner import only_engine, run

FILES = sorted((ROOT / "tests/scenarios").glob("*.scn"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_gateway_gives_the_verdicts_of_the_engine(file: Path, tmp_path: Path) -> None:
    reason = only_engine(list(read(file)))
    if reason:
        pytest.skip(f"only engine: {reason}")
    run(file, tmp_path)


def test_few_files_are_left_to_the_engine() -> None:
    left = [file.stem for file in FILES if only_engine(list(read(file)))]

    assert len(FILES) > 20
    assert len(left) <= len(FILES) // 3, left
