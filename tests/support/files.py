"""The project's own files, for tests that look at the source."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

from tests.support import ROOT

_BUILT = {
    ".git",
    ".venv",
    ".cache",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".hypothesis",
    "target",
    "out",
    "__pycache__",
}
_TEXT = {
    ".py",
    ".pyi",
    ".rs",
    ".proto",
    ".toml",
    ".md",
    ".txt",
    ".sh",
    ".yaml",
    ".yml",
    ".json",
    ".cfg",
    ".scn",
    ".svg",
}


@cache
def project_files() -> tuple[Path, ...]:
    """Every file git knows or would add; without git (an unpacked archive) every file that no build made."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    else:
        paths = [path for path in ROOT.rglob("*") if not _BUILT & set(path.relative_to(ROOT).parts)]
    return tuple(sorted(path for path in paths if path.is_file() and not path.is_symlink()))


def is_generated(path: Path) -> bool:
    """Whether a tool wrote the file, so that its style is not ours."""
    name = path.name
    return "_pb2" in name or name in {"Cargo.lock", "lock.txt", "LICENSE"}


def text_files(*suffixes: str, under: str = "", generated: bool = False) -> list[Path]:
    """Our text files with one of the suffixes (any text without), below a directory of the project."""
    top = ROOT / under
    return [
        path
        for path in project_files()
        if path.is_relative_to(top)
        and (path.suffix in suffixes if suffixes else path.suffix in _TEXT or not path.suffix)
        and (generated or not is_generated(path))
    ]
