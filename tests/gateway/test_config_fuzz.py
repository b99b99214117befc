"""The configuration loader meets anything: it loads it or says what is wrong, and never crashes or hangs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config import load_config
from gateway.epoch import epoch_at
from gateway.problems import ConfigError
from tests.support import ROOT

EXAMPLE = (ROOT / "examples/riskgate.toml").read_bytes()
VALUES = st.sampled_from(
    [
        b"0",
        b"-1",
        b"nan",
        b"1e999",
        b'""',
        b"[]",
        b"{}",
        b"true",
        b"2012-08-01",
        b'"x"',
        b"[[1]]",
        b"9" * 30,
        b'"\\u0000"',
    ]
)
LINES = EXAMPLE.split(b"\n")


def load(directory: Path, raw: bytes) -> None:
    """Load what was written; a refusal names at least one problem, and each is one line."""
    file = directory / "riskgate.toml"
    file.write_bytes(raw)
    try:
        load_config(file)
    except ConfigError as error:
        problems = [str(problem) for problem in error.problems]
    else:
        return

    assert problems
    assert not any("\n" in problem for problem in problems)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@settings(max_examples=150)
@given(line=st.integers(0, len(LINES) - 1), value=VALUES)
def test_any_value_of_any_key(directory: Path, line: int, value: bytes) -> None:
    lines = list(LINES)
    key, equals, _ = lines[line].partition(b" = ")
    lines[line] = key + equals + value

    load(directory, b"\n".join(lines))


@settings(max_examples=150)
@given(start=st.integers(0, len(EXAMPLE)), length=st.integers(0, 200), insert=st.binary(max_size=6))
def test_any_cut(directory: Path, start: int, length: int, insert: bytes) -> None:
    load(directory, EXAMPLE[:start] + insert + EXAMPLE[start + length :])


@given(st.integers(0, 2**40))
def test_epoch_fits_and_rises_within_its_cycle(now: int) -> None:
    assert 1 <= epoch_at(now) < 2**23
    assert epoch_at(now) < epoch_at(now + 1) or (now + 1) % 2**23 <= 1
