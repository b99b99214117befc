"""A gateway whose Python stops for good once a file named HANG appears in the working files' directory.

Run as ``python -m tests.e2e.hanging_gateway HANG-FILE run --config ...``. The hang is a regular expression that backtracks
without end: a call into C that never gives the interpreter lock back, the worst that Python code can do to its process.
"""

from __future__ import annotations

import re
import sys
import threading
from pathlib import Path

from gateway.cli import main


def _hang(file: Path) -> None:
    pause = threading.Event()
    while not file.exists():
        pause.wait(0.01)
    re.match(r"(a+)+$", "a" * 64 + "b")


if __name__ == "__main__":
    threading.Thread(target=_hang, args=(Path(sys.argv.pop(1)),), daemon=True).start()
    main()
