"""What can be imported, and from where."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("package", ["gateway", "router_sim", "exchange_sim", "riskgate.v1"])
def test_package_comes_from_this_tree(package: str, root: Path) -> None:
    file = importlib.import_module(package).__file__

    assert file is not None
    assert Path(file).is_relative_to(root)


def test_riskcore_is_the_native_module_even_beside_the_directory_of_that_name(root: Path) -> None:
    """The directory riskcore/ has no __init__.py, so the installed module wins from the project's root too."""
    command = [sys.executable, "-c", "import riskcore; print(riskcore.__version__, riskcore.__file__)"]

    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)

    assert "site-packages" in done.stdout, "run `make native`, and add no __init__.py to riskcore/"


@pytest.mark.parametrize("package", ["gateway", "router_sim", "exchange_sim", "protos/riskgate"])
def test_package_is_typed(package: str, root: Path) -> None:
    assert (root / package / "py.typed").exists(), f"add an empty {package}/py.typed, so that users' mypy reads it"
