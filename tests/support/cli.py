"""The command line in tests: `riskgate` with its exit code and what it prints."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

from gateway.cli import main
from gateway.cli.connection import TOKEN_VARIABLE
from tests.support import ROOT

_LOCK = threading.Lock()


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def run_cli(*arguments: str, token: str = "") -> Ended:
    """Run `riskgate` in this process, from its arguments to its exit code, one at a time.

    A process of its own would import for a second before it does a millisecond's work. Use :func:`cli_process` for
    verbs that wait for signals, and for what concerns the process itself.
    """
    out, err = io.StringIO(), io.StringIO()
    with _LOCK, redirect_stdout(out), redirect_stderr(err):
        before = os.environ.get(TOKEN_VARIABLE)
        os.environ[TOKEN_VARIABLE] = token
        try:
            main(arguments)
            code = 0
        except SystemExit as ended:
            code = _exit_code(ended)
        finally:
            del os.environ[TOKEN_VARIABLE]
            if before is not None:
                os.environ[TOKEN_VARIABLE] = before
    return Ended(code, out.getvalue(), err.getvalue())


def _exit_code(ended: SystemExit) -> int:
    """As the interpreter would tell it."""
    if isinstance(ended.code, str):
        print(ended.code, file=sys.stderr)
        return 1
    return ended.code or 0


def cli_process(*arguments: str, token: str = "") -> Ended:
    """Run `riskgate` as a process of its own, for at most a minute."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway", *arguments],
        cwd=ROOT,
        env={**os.environ, TOKEN_VARIABLE: token},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)
