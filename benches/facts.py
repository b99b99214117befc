"""What figures depend on: the machine, and the commit that was measured."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benches import guided

ROOT: Final = Path(__file__).resolve().parent.parent


def machine() -> dict[str, object]:
    """The facts of the machine that figures depend on."""
    cpu = _first("/proc/cpuinfo", "model name") or platform.processor()
    memory = _first("/proc/meminfo", "MemTotal")
    return {
        "cpu": cpu,
        "cpus": os.cpu_count(),
        "virtual": "hypervisor" in (_first("/proc/cpuinfo", "flags") or ""),
        "memory_mib": int(memory.split()[0]) // 1_024 if memory else None,
        "architecture": platform.machine(),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "rustc": _output("rustc", "--version"),
        "load_average": round(os.getloadavg()[0], 2),
    }


def commit() -> dict[str, object]:
    """What was measured: the commit, and whether files differed from it."""
    return {
        "hash": _output("git", "rev-parse", "HEAD"),
        "guided": guided.profile() is not None,
        "changed_files": bool(_output("git", "status", "--porcelain", "--untracked-files=no")),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _first(path: str, key: str) -> str | None:
    """The value of the first `key : value` line of a file of /proc; None where there is no such file."""
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return None
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), None)


def _output(*command: str) -> str | None:
    """What a command prints; None where it is not there or fails."""
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
