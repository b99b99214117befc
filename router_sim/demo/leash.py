"""`python -m router_sim.demo.leash PARENT MODULE ARGUMENTS...`: run a module that ends when the process that started it dies.

The kernel sends SIGTERM when the parent is gone, however it went; so even a demo that is killed leaves nothing behind.
The signal is set here, then this process becomes the module: no process in between, the same pid. PARENT is the pid of who
started it, because it may be gone before this process can ask: an interpreter takes its time to start. Linux only.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""From <sys/prctl.h>."""


def main(arguments: list[str]) -> None:
    """Tie this process to its parent and become `python -m MODULE ARGUMENTS`; does not return."""
    parent, *module = arguments
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != int(parent):
        sys.exit(1)  # it died before, and the signal will never come
    os.execv(sys.executable, [sys.executable, "-m", *module])  # noqa: S606 - the arguments are the demo's own


if __name__ == "__main__":
    main(sys.argv[1:])
