"""The lock files: complete, hashed, and from where everybody can get the same."""

from __future__ import annotations

import re
import tomllib

from tests.support import ROOT

CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"


def normal(name: str) -> str:
    """A Python package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked() -> dict[str, str]:
    """Every locked Python package, and its entry with the hashes."""
    text = (ROOT / "requirements/lock.txt").read_text().replace("\\\n", " ")
    return {normal(m[1]): line for line in text.splitlines() if (m := re.match(r"([\w.-]+)==", line))}


def test_every_python_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [
        *project["project"]["dependencies"],
        *project["dependency-groups"]["dev"],
        *project["build-system"]["requires"],
    ]
    missing = {normal(re.split(r"[<>=!~ \[;]", line)[0]) for line in wanted} - locked().keys()

    assert not missing, f"run `make lock` and commit requirements/lock.txt; it lacks {missing}"


def test_every_locked_python_package_has_hashes() -> None:
    bare = [name for name, line in locked().items() if "--hash=sha256:" not in line]

    assert not bare, f"run `make lock`, which writes hashes, instead of editing the lock: {bare}"


def test_every_crate_comes_from_crates_io_or_from_here() -> None:
    packages = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    foreign = [p["name"] for p in packages if p.get("source", CRATES_IO) != CRATES_IO]

    assert not foreign, f"depend on a published version instead of a git revision: {foreign}"


def test_no_crate_that_decides_or_carries_orders_is_there_twice() -> None:
    """Two versions of one library in the order path are two behaviours."""
    names = [p["name"] for p in tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]]
    twice = {name for name in ("prost", "tonic", "tokio", "h2", "hyper") if names.count(name) > 1}

    assert not twice, f"align the versions in Cargo.toml (`cargo tree -d`): {twice}"
