"""Builds and runs what only a bench needs: crates that are workspaces of their own, among the product's own build output."""

from __future__ import annotations

import functools
import json
import os
import subprocess
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent


@functools.cache
def build(crate: str, binary: str, *, quick: bool = False, profile: Path | None = None) -> Path:
    """The binary of the crate in `benches/<crate>`, built as the product is released.

    `quick` builds it without optimization, `profile` guided by this one.

    Raises:
        CalledProcessError: It does not compile; cargo has said why.
        FileNotFoundError: There is no cargo.
    """
    target = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target")).resolve()
    env = dict(os.environ)
    if profile:
        target, env["RUSTFLAGS"] = profile.parent / "built", f"-Cprofile-use={profile}"
    manifest = HERE / crate / "Cargo.toml"
    command = ["cargo", "build", "--quiet", "--manifest-path", str(manifest), "--target-dir", str(target)]
    subprocess.run([*command, *([] if quick else ["--release"])], env=env, check=True)
    return target / ("debug" if quick else "release") / binary


def run(program: Path, *arguments: str) -> Any:
    """What a program prints, read as JSON."""
    return json.loads(printed(program, *arguments))


def printed(program: Path, *arguments: str) -> str:
    """What a program prints."""
    return subprocess.run([str(program), *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout
