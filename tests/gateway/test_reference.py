"""The reference page of configuration and command line says what the code does."""

from __future__ import annotations

import re

from pydantic import BaseModel

from gateway.admin import METHODS
from gateway.cli import VERBS
from gateway.cli.errors import ExitCode
from gateway.config import Settings
from gateway.documents import _model_of
from tests.support import ROOT

PAGE = (ROOT / "docs/reference/configuration.md").read_text()
ELSEWHERE = {"demo", "replay", "backtest"}
"""Verbs with pages of their own."""


def row_of(table: str) -> str:
    rows = [line for line in PAGE.splitlines() if line.startswith("|") and f"[{table}]" in line.split("|")[1]]
    assert rows, f"docs/reference/configuration.md has no row for [{table}]"
    return rows[0]


def test_every_table_and_key_has_its_place() -> None:
    for table, field in Settings.model_fields.items():
        model = _model_of(field)
        if model is None:
            continue
        assert issubclass(model, BaseModel)
        for key in model.model_fields:
            assert f"`{key}`" in row_of(table), f"[{table}] {key} is not in docs/reference/configuration.md"


def test_every_verb_is_listed() -> None:
    listed = {
        verb for cell in re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE) for verb in re.findall(r"`([a-z]+)", cell)
    }

    assert {verb.name for verb in VERBS} - ELSEWHERE <= listed


def test_every_exit_code_is_listed() -> None:
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)] == sorted(ExitCode)


def test_every_method_of_the_contract_has_a_role() -> None:
    proto = (ROOT / "protos/riskgate/v1/admin.proto").read_text()

    assert set(re.findall(r"rpc (\w+)\(", proto)) == {*METHODS, "StreamEvents"}
