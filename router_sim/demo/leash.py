"""`python -m router_sim.demo.leash MODULE ARGUMENTS...`: run a module that ends when the process that started it dies.

The kernel sends SIGTERM when the parent is gone, however it went; so even a demo that is killed leaves nothing behind.
The signal is set here, then this process becomes the module: no process in between, the same pid. Linux only.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""From <sys/prctl.h>."""


def main(arguments: list[str]) -> None:
    """Tie this process to its parent and become `python -m ARGUMENTS`; does not return."""
    parent = os.getppid()
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        sys.exit(1)  # it died in between, and the signal will never come
    os.execv(sys.executable, [sys.executable, "-m", *arguments])  # noqa: S606 - the arguments are the demo's own


if __name__ == "__main__":
    main(sys.argv[1:])
