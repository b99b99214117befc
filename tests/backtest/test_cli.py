"""``riskgate backtest`` from the shell: exit codes, the report for people and for programs, one line for bad input."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.backtest import default_limits
from tests.backtest.recording import OPEN, csv_file, session_file
from tests.support import ROOT


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", "backtest", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return session_file(tmp_path_factory.mktemp("session"), messages=1_500)[0]


def keys(value: Any, at: str = "") -> set[str]:
    """Every path of a document; the rows of a list count as one."""
    if isinstance(value, dict):
        return {path for key, below in value.items() for path in keys(below, f"{at}.{key}" if at else key)}
    if isinstance(value, list):
        return {path for below in value for path in keys(below, f"{at}[]")} or {f"{at}[]"}
    return {at}


def test_nothing_stopped_is_exit_code_0(flow: Path) -> None:
    done = run(flow)

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "Nothing would have been stopped." in done.stdout
    assert re.search(r"^router:flow +message_rate +1,000 +\d+ +[\d.]+ % +\d+ +2023-12-25 ", done.stdout, re.MULTILINE)


def test_something_stopped_is_exit_code_2(flow: Path) -> None:
    limits = default_limits(["ESH4"])
    assert limits is not None
    done = run(flow, "--limits", limits, "--tighten", "10")

    assert done.returncode == 2, done.stderr
    assert "would have been refused, 1 scope halted, " in done.stdout
    assert re.search(
        r"^RATE_LIMIT +\d+ +\d+ +2023-12-25 23:00:\S+ +\S+ +\d+ +router:flow +60 +61$", done.stdout, re.MULTILINE
    )
    assert "ES.toml, tightened 10 times" in done.stdout


def test_json_has_the_documented_keys(flow: Path) -> None:
    """Programs read them, so they stay; docs/reference/backtest.md lists them."""
    done = run(flow, "--tighten", "10", "--output", "json")
    report = json.loads(done.stdout)
    page = (ROOT / "docs/reference/backtest.md").read_text().partition("## JSON")[2]
    documented = set(re.findall(r"^\| `([\w.\[\]]+)` ", page, re.MULTILINE))

    assert done.returncode == 2, done.stderr
    found = {re.sub(r"^(flow\.(?:counts|interpreted))\..*", r"\1", path) for path in keys(report)}
    assert found - {"flow.notes[]"} == documented - {"flow.notes[]"}
    assert report["stopped"] is True
    assert report["limits"]["tighten"] == "10"
    rate = next(row for row in report["utilization"] if row["limit"] == "message_rate")
    assert rate["bound"] == "100"
    assert rate["percent"] == int(rate["peak"])
    assert int(rate["headroom"]) == 100 - int(rate["peak"])
    assert [row["percent"] for row in report["utilization"]] == sorted(
        (row["percent"] for row in report["utilization"]), reverse=True
    )


def test_account_and_router_can_be_named(flow: Path) -> None:
    report = json.loads(run(flow, "--account", "ACC1", "--router", "smars-1", "-o", "json").stdout)

    assert (report["flow"]["accounts"], report["flow"]["routers"]) == (["ACC1"], ["smars-1"])
    assert {"account:ACC1", "router:smars-1"} <= {row["scope"] for row in report["utilization"]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{flow}", "--tighten", "0.5"], "--tighten 0.5: write a number of 1 or more, like 10 or 2.5"),
        (["{flow}", "--tighten", "much"], "--tighten much: write a number of 1 or more"),
        (["{flow}", "--tighten", "1/0"], "--tighten 1/0: write a number of 1 or more"),
        (["{flow}", "--account", "my account"], '--account: "my account" is not a name; use 1 to 36 letters'),
        (["{flow}", "--limits", "none.toml"], "none.toml: cannot be read (No such file or directory); check the path"),
        (["none.dbn"], "none.dbn: cannot be read (No such file or directory); check the path"),
        (["{csv}"], "no limits are shipped for AAPL; name a file with --limits"),
        (["{csv}", "--limits", "{limits}"], 'add [[symbols]] name = "AAPL", with its tick, lot and multiplier'),
    ],
)
def test_bad_input_is_one_line_and_exit_code_64(tmp_path: Path, flow: Path, arguments: list[str], message: str) -> None:
    csv = csv_file(tmp_path, f"{OPEN},new,1,AAPL,buy,5,99,,")
    names = {"flow": flow, "csv": csv, "limits": default_limits(["ESH4"])}
    done = run(*(argument.format(**names) for argument in arguments))

    assert done.returncode == 64
    assert done.stdout == ""
    assert done.stderr.startswith("riskgate: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
