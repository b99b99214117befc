"""Fail when the .proto files break what was published: the last tag, or before the first tag the last commit.

Run it through ``make check``. Without a git history (an unpacked archive) there is nothing to compare with, and it
says so.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUF = Path(sysconfig.get_path("scripts")) / "buf"


def git(*arguments: str) -> bytes | None:
    """The output of a git command in the project, or None when it fails."""
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


def baseline() -> str | None:
    """The revision to compare with, or None without a history."""
    tag = git("describe", "--tags", "--abbrev=0")
    if tag:
        return tag.decode().strip()
    return "HEAD" if git("rev-parse", "--verify", "HEAD") else None


def main() -> int:
    """Compare the working tree's protos with the baseline's; 1 when they break it."""
    revision = baseline()
    archive = git("archive", "--format=tar", revision, "protos") if revision else None
    if archive is None:
        print("protos: no git history to compare with, nothing checked")
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        with tarfile.open(fileobj=BytesIO(archive)) as tar:
            tar.extractall(scratch, filter="data")
        done = subprocess.run([BUF, "breaking", "protos", "--against", f"{scratch}/protos"], cwd=ROOT, check=False)
    if done.returncode:
        print(f"protos break {revision}: add fields and values, reserve the numbers of removed ones, never reuse them")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
