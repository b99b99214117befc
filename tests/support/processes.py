"""Real processes for tests: started, found by their ready file, and never left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import ROOT
from tests.support.waiting import eventually

STOP_S = 45.0
"""Within which a process ends that was told to; generous, since a busy machine is not a bug."""


@dataclass
class Process:
    """A child process with its output in a file."""

    popen: subprocess.Popen[bytes]
    log: Path

    def output(self) -> str:
        """What it has printed so far, both streams."""
        return self.log.read_text(errors="replace")

    def ready(self, path: Path) -> dict[str, Any]:
        """Wait for its ready file. Raises `AssertionError` with its output if it ends before."""

        def written() -> bool:
            assert self.popen.poll() is None, f"exit code {self.popen.returncode}:\n{self.output()}"
            return path.exists()

        eventually(written, f"{self.popen.args!r} wrote {path.name}", seconds=90)
        answer: dict[str, Any] = json.loads(path.read_text())
        return answer

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.popen.send_signal(number)

    def wait(self, seconds: float = STOP_S) -> int:
        """Its exit code, once it has ended."""
        return self.popen.wait(seconds)

    def alive(self) -> bool:
        """Whether it still runs."""
        return self.popen.poll() is None


@contextmanager
def process(arguments: Sequence[str | Path], log: Path) -> Iterator[Process]:
    """Run `python -m ...` in a session of its own; at the end it is gone with all its children."""
    with log.open("wb") as output:
        popen = subprocess.Popen(
            [sys.executable, "-m", *map(str, arguments)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Process(popen, log)
    finally:
        if popen.poll() is None:
            popen.terminate()
            try:
                popen.wait(STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(popen.pid, signal.SIGKILL)
                popen.wait(STOP_S)
