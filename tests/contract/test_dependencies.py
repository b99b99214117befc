"""The dependency rule: ``protos <- gateway <- py <- {server <- core, journal; load}``, read off the source.

Simulators may use the contracts, the public client and, for replay and floods, the native module. Only the gateway's command
line may use the simulators.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.files import text_files

# Crate directory -> what its [dependencies] may name. None: any library from outside, but no crate of ours.
OURS = {"riskcore", "riskgate-journal", "riskgate-server", "riskgate-load", "riskgate-py"}
CRATES: dict[str, tuple[set[str], set[str] | None]] = {
    "core": (set(), {"hashbrown"}),
    "journal": (set(), {"crc32fast", "blake3", "thiserror"}),
    "server": ({"riskcore", "riskgate-journal"}, None),
    "load": (set(), None),
    "py": ({"riskcore", "riskgate-journal", "riskgate-server", "riskgate-load"}, None),
}

# The replay runs the venue's behaviour and the core in one process, in virtual time.
REPLAY = {"router_sim", "exchange_sim", "riskgate", "riskcore", "gateway.client"}
# Directory -> the packages of ours that its modules may import, the longest matching directory deciding.
PYTHON: dict[str, set[str]] = {
    "gateway": {"gateway", "riskgate", "riskcore"},
    "gateway/client": {"gateway.client", "riskgate"},
    "gateway/cli": {"gateway", "riskgate", "riskcore", "router_sim", "exchange_sim"},
    "router_sim": {"router_sim", "riskgate", "gateway.client"},
    "router_sim/demo": {
        "router_sim",
        "exchange_sim",
        "riskgate",
        "gateway.client",
    },  # sets the stage, exchange included
    "router_sim/incidents": REPLAY,
    "router_sim/knight": REPLAY,
    "router_sim/replay": REPLAY,
    "router_sim/flood": {"router_sim", "riskcore"},  # the load generator is native
    "exchange_sim": {"exchange_sim", "riskgate"},
    "protos": {"riskgate"},
}
PACKAGES = {"gateway", "router_sim", "exchange_sim", "riskgate", "riskcore", "tests", "tools", "benches"}


def manifest(crate: str) -> dict[str, object]:
    return tomllib.loads((ROOT / "riskcore" / crate / "Cargo.toml").read_text())


def dependencies(crate: str) -> set[str]:
    table = manifest(crate).get("dependencies", {})

    assert isinstance(table, dict)
    return set(table)


@pytest.mark.parametrize("crate", CRATES)
def test_crate_depends_on_no_other_crate_than_it_may(crate: str) -> None:
    ours, outside = CRATES[crate]
    named = dependencies(crate)

    wrong = (named & OURS) - ours
    assert not wrong, f"riskcore/{crate} may not use {wrong}: pass a value or a trait in from the crate that may"
    wrong = set() if outside is None else named - OURS - outside
    assert not wrong, f"riskcore/{crate} may use only {outside}: do it with the standard library, or in riskcore/server"


def test_every_crate_is_under_the_rule() -> None:
    crates = {path.parent.name for path in (ROOT / "riskcore").glob("*/Cargo.toml")}

    assert crates == set(CRATES), "give the new crate its line in CRATES, in the direction the design allows"


GENERATED = {"tonic-prost"}
"""Crates that only generated code names."""


def test_every_crate_that_is_named_is_used() -> None:
    unused = []
    for crate in CRATES:
        tables = [manifest(crate).get(f"{kind}dependencies", {}) for kind in ("", "dev-", "build-")]
        source = "".join(path.read_text() for path in text_files(".rs", under=f"riskcore/{crate}"))
        names = {name for table in tables if isinstance(table, dict) for name in table} - GENERATED
        unused += [
            f"riskcore/{crate}: {name}" for name in names if not re.search(rf"\b{re.sub('-', '_', name)}\b", source)
        ]
    workspace = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["dependencies"]
    members = "".join((ROOT / "riskcore" / crate / "Cargo.toml").read_text() for crate in CRATES)
    unused += [f"workspace: {name}" for name in workspace if not re.search(rf"^{name}\b", members, re.MULTILINE)]

    assert not unused, f"take them out of their Cargo.toml: {unused}"


def test_every_python_package_that_is_named_is_used() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = {re.split(r"[<>=!~ \[;]", line)[0] for line in project["dependencies"]}
    imported = {
        module.partition(".")[0]
        for package in ("gateway", "router_sim", "exchange_sim", "protos")
        for path in text_files(".py", under=package)
        for _, module in imports(path)
    }
    used = {name.replace("_", "-").lower() for module in imported for name in packages_distributions().get(module, ())}

    assert not named - used, "nothing imports them: take them out of pyproject.toml, then `make lock`"


@pytest.mark.parametrize("crate", [crate for crate in CRATES if crate != "py"])
def test_pyo3_stays_in_the_binding(crate: str) -> None:
    text = (ROOT / "riskcore" / crate / "Cargo.toml").read_text()

    assert "pyo3" not in text, f"riskcore/{crate} names pyo3: convert at the edge, in riskcore/py"


def test_core_has_no_standard_library() -> None:
    text = (ROOT / "riskcore/core/src/lib.rs").read_text()

    assert "#![no_std]" in text or "#![cfg_attr(not(test), no_std)]" in text, (
        "riskcore/core must be no_std: without it, a clock, a file or a socket is one `use` away"
    )


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full module name of every import, wherever in the file it stands."""
    for node in ast.walk(ast.parse(path.read_bytes(), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def allowed(path: Path) -> set[str] | None:
    """What a file may import of ours; None when no rule covers it."""
    name = path.relative_to(ROOT).as_posix().removesuffix(".py")
    rules = [rule for rule in PYTHON if name == rule or name.startswith((f"{rule}/", f"{rule}_"))]
    return PYTHON[max(rules, key=len)] if rules else None


def test_python_imports_follow_the_rule() -> None:
    wrong = []
    for path in text_files(".py"):
        may = allowed(path)
        if may is None:
            continue
        for line, module in imports(path):
            if module.partition(".")[0] in PACKAGES and not any(
                module == package or module.startswith(f"{package}.") for package in may
            ):
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {module}; it may import {sorted(may)}")

    assert not wrong, "\n".join(["pass the value in from a package that may, or move the code:", *wrong])


def test_no_relative_imports() -> None:
    """An import says in full where it goes, so that the rule above can be read off any line."""
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in text_files(".py")
        for node in ast.walk(ast.parse(path.read_bytes(), str(path)))
        if isinstance(node, ast.ImportFrom) and node.level
    ]

    assert not wrong, f"write the package's full name: {wrong}"
